"""Every error a user can meet, as one tree.

    ServiceError
    ├── RasterError            a raster cannot be read, or is not what it claims
    ├── PreflightError         a scene and a model do not fit; raised before any work
    ├── EngineError            no engine runs the model as asked
    ├── JobError               a job cannot start, go on or be finished
    ├── MapError               a map is missing something or does not verify
    ├── RequestError           a request cannot be understood or taken
    ├── NotFound               there is no such thing, or not for this key
    ├── Conflict               what is asked contradicts what is there
    ├── AccessError            a key is missing, wrong, or may not do this
    └── Unavailable            the store, the broker or a worker cannot be reached

Facts are class names where they are raised (``BandMismatch``), values stand in the message, the remedy
stands beside it. One place maps errors to exit codes, one maps them to HTTP statuses.
"""

from models.errors import RemediedError


class ServiceError(RemediedError):
    """Something a user can understand went wrong while a map was made."""


class RasterError(ServiceError):
    """A raster cannot be read, or is not what it claims to be."""


class PreflightError(ServiceError):
    """A scene and a model do not fit; raised before any pixel is segmented."""


class EngineError(ServiceError):
    """No engine runs the model as asked."""


class JobError(ServiceError):
    """A job cannot start, go on or be finished."""


class MapError(ServiceError):
    """A map lacks something, or does not verify."""


class RequestError(ServiceError):
    """A request cannot be understood, or asks for what is not taken."""


class NotFound(ServiceError):
    """There is no such thing, or none that this key may see."""


class Conflict(ServiceError):
    """What is asked contradicts what is there."""


class AccessError(ServiceError):
    """A key is missing, wrong, or may not do this."""


class Unavailable(ServiceError):
    """Something that is needed cannot be reached now."""

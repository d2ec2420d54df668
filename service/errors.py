"""Every error a user can meet, as one tree.

    ServiceError
    ├── RasterError            a raster cannot be read, or is not what it claims
    ├── PreflightError         a scene and a model do not fit; raised before any work
    ├── EngineError            no engine runs the model as asked
    ├── JobError               a job cannot start, go on or be finished
    └── MapError               a map is missing something or does not verify

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

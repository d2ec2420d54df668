"""What the store refuses, by name.

JobUnknown, MapUnknown (NotFound) · JobUnderWay, JobNotResumable, RequestUnderWay, StoreNewer (Conflict) ·
LeaseLost, ProfileMismatch (JobError) · RequestDiffers, CursorInvalid, TextInvalid, StoreUrlInvalid
(RequestError) · StoreUnavailable (Unavailable)
"""

from __future__ import annotations

from service.errors import Conflict, JobError, NotFound, RequestError, Unavailable


class JobUnknown(NotFound):
    """There is no such job, or none that this owner may see."""


class MapUnknown(NotFound):
    """There is no such map, or none that this owner may see."""


class JobUnderWay(Conflict):
    """The job is not over yet."""


class JobNotResumable(Conflict):
    """The job did not stop, or its map is gone."""


class LeaseLost(JobError):
    """The lease lapsed and was taken over, or the job was dismissed; what was made counts for nothing."""


class ProfileMismatch(JobError):
    """A worker would make the job's blocks otherwise than those that are done."""


class RequestDiffers(RequestError):
    """An Idempotency-Key came again with another request."""


class RequestUnderWay(Conflict):
    """The first request with this Idempotency-Key is still being answered."""


class CursorInvalid(RequestError):
    """A cursor did not come from the store."""


class TextInvalid(RequestError):
    """A text or a number that the database cannot hold, such as a text with a NUL inside."""


class StoreUrlInvalid(RequestError):
    """The store's address names no database that is known here."""


class StoreNewer(Conflict):
    """The store was migrated by a newer version of the program."""


class StoreUnavailable(Unavailable):
    """The store cannot be reached, or cannot be written; the same call may be repeated later."""

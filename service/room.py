"""Room on a disk: what may still be written before the share that is kept free."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("No space left on device", "Disk quota exceeded")
"""What GDAL tells of them: its errors carry the system's words, not its number."""

_LAST_BYTES = 2**20
"""A disk on which less is free is full: larger than what is written in one go."""

MAKE_ROOM = "delete maps or uploads that are not needed any more, or ask whoever runs the server for room"
"""What to do about a full disk."""


@dataclass(frozen=True, kw_only=True)
class Room:
    """The room in a folder; asked of the file system each time."""

    folder: Path
    """Need not be there yet."""
    kept_free_bytes: int
    """Of the disk, left to the store, the logs and what is under way."""

    @property
    def num_bytes(self) -> int:
        """Bytes that may still be written; negative where less is free than is kept free."""
        there = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
        return shutil.disk_usage(there).free - self.kept_free_bytes

    @property
    def word(self) -> str | None:
        """Why a job has to wait, or None where there is room."""
        num_bytes = self.num_bytes
        if num_bytes >= 0:
            return None
        free = num_bytes + self.kept_free_bytes
        return (
            f"waits for room on the disk: {free:,} bytes are free, {self.kept_free_bytes:,} are kept free;"
            f" {MAKE_ROOM}"
        )


@contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Say ENOSPC of whatever happens while the disk of a folder is full; left before its files are removed.

    GDAL does not pass on why a write failed, and of what it writes as it closes a file not even that it
    failed: on a full disk a file may be cut short without an error. So nothing that was written is trusted
    where the last of the disk is taken.

    Raises:
        OSError: ENOSPC, from what was raised inside, if anything was.
    """
    try:
        yield
    except Exception as error:
        if not is_full(error) and _is_used_up(folder):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder)) from error
        raise
    if _is_used_up(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _is_used_up(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LAST_BYTES
    except FileNotFoundError:
        return False


def is_full(error: BaseException) -> bool:
    """Whether an error, or what led to it, says that a disk or a quota is full."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return True
        if any(words in str(cause) for words in _FULL_WORDS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False

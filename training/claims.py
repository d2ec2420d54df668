"""Work that several processes share: each piece is claimed by one of them."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Hold a lock file if nobody does; the system frees it when this process ends, however it ends.

    Whoever is given it looks again at whether there is still something to do. Where the system has no such
    locks (Windows), everything is given.

    Raises:
        OSError: The file cannot be locked for another reason than that somebody holds it.
    """
    try:
        import fcntl  # noqa: PLC0415 - not on Windows
    except ImportError:
        yield True
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        if not _is_at(path, file.fileno()):  # its holder left, and took it away, after it was opened here
            yield False
            return
        try:
            yield True
        finally:
            path.unlink(missing_ok=True)


def _is_at(path: Path, number: int) -> bool:
    """Whether an open file still has its name: another process may hold a new file of that name by now."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False

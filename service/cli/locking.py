"""One command at a time for each output."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from service.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class JobLocked(JobError):
    """Another process is writing to this output."""


@contextlib.contextmanager
def locked_output(folder: Path, name: str) -> Iterator[None]:
    """Hold the name of a map in a folder; the system frees it when this process ends, however it ends.

    Where the system has no such locks (Windows), nothing is held.

    Raises:
        JobLocked: Another process holds it.
    """
    try:
        import fcntl  # noqa: PLC0415  not on Windows
    except ImportError:
        yield
        return
    path = folder / f".{name}.lock"
    while True:
        with path.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise JobLocked(
                    f"another process is making {name} in {folder}", remedy="wait for it, or stop it"
                ) from error
            if not _is_still_there(path, file.fileno()):
                continue  # its holder left, and took the file away, between our opening and our locking
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False

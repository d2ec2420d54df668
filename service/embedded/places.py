"""Where a running house keeps its socket, and that there is one house to a home."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SOCKET_BYTES = 103
"""Of the path of a socket: ``sun_path`` holds 104 bytes with its end mark on macOS, 108 on Linux."""
_SOCKET = "redis.sock"


class HomeInUse(Conflict):
    """Another house runs on this home folder."""


class RunFolderUnsafe(Unavailable):
    """The folder for the socket belongs to somebody else."""


@contextlib.contextmanager
def held_home(home: Path) -> Iterator[None]:
    """Hold a home folder for one house; the system frees it when this process ends, however it ends.

    Raises:
        HomeInUse: Another process holds it.
    """
    import fcntl  # noqa: PLC0415  not on Windows

    home.mkdir(parents=True, exist_ok=True)
    with (home / ".serve.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeInUse(
                f"another orthoscape serve runs on {home}",
                remedy="use that one, stop it, or give this one a folder of its own with ORTHOSCAPE_HOME",
            ) from None
        yield


def name_of(home: Path) -> str:
    """A name for the house of a home, the same whenever it is started, on this machine alone."""
    return f"{socket.gethostname()}-{_digest(home)}"


def socket_of(home: Path, *, base: Path | None = None) -> Path:
    """A path for the private Redis of a home, short enough for a socket, in a folder of this user alone.

    The same for every house of a home, so that killed ones do not leave more and more behind.

    Args:
        home: Whose house it is.
        base: Where short-lived files go; the system's when None.

    Raises:
        RunFolderUnsafe: Somebody else has made the folder.
    """
    name = f"orthoscape-{os.getuid()}-{_digest(home)}"
    folder = (base or Path(tempfile.gettempdir())).resolve() / name
    if len(os.fsencode(folder / _SOCKET)) > MAX_SOCKET_BYTES:
        folder = Path("/tmp") / name  # noqa: S108  made and checked below
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise RunFolderUnsafe(
            f"{folder} is not this user's alone", remedy="remove it, or set TMPDIR to a folder of yours"
        )
    return folder / _SOCKET


def _digest(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:8]

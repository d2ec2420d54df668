"""Seconds from the start of the demo to the first tile with a class on it.

    python -m benchmarks.first_tile

The command of ``make demo`` on the demo's orthophoto, in a home of its own that is empty.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import morecantile
from PIL import Image

PORT = 8793
_URL = f"http://127.0.0.1:{PORT}"
_ZOOM = 17
_GIVE_UP_S = 300.0


def measure() -> dict[str, float]:
    """Seconds from the start until the server answers, until the first class shows, until all is done."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ortho = folder / "orthophoto.tif"
        subprocess.run([sys.executable, "-m", "training.data.orthophoto", str(ortho)], check=True)
        environment = os.environ | {"ORTHOSCAPE_HOME": str(folder / "home"), "ORTHOSCAPE_PORT": str(PORT)}
        environment.pop("DISPLAY", None)  # no browser
        started = time.perf_counter()
        command = [str(Path(sys.executable).with_name("orthoscape")), "serve", "--open", str(ortho)]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            return _watch(started)
        finally:
            server.terminate()
            server.wait()


def _watch(started: float) -> dict[str, float]:
    measured: dict[str, float] = {}
    while "finished_s" not in measured:
        elapsed = time.perf_counter() - started
        if elapsed > _GIVE_UP_S:
            sys.exit(f"nothing after {elapsed:.0f} s")
        time.sleep(0.05)
        try:
            found = json.loads(_get("/maps"))["maps"]
        except (URLError, ConnectionError):
            continue
        measured.setdefault("answers_s", elapsed)
        if found and "first_tile_s" not in measured and _shows_a_class(found[0]):
            measured["first_tile_s"] = time.perf_counter() - started
        if found and found[0]["status"] == "successful":
            measured["finished_s"] = elapsed
    return measured


def _shows_a_class(found: dict[str, Any]) -> bool:
    tiles = morecantile.tms.get("WebMercatorQuad").tiles(*found["bounds"], zooms=[_ZOOM])
    pictures = (_get(f"/maps/{found['id']}/tiles/{tile.z}/{tile.x}/{tile.y}.png") for tile in tiles)
    return any(_opacity(picture) > 0 for picture in pictures)


def _opacity(picture: bytes) -> int:
    with Image.open(io.BytesIO(picture)) as image:
        return int(image.convert("RGBA").getextrema()[3][1])


def _get(path: str) -> bytes:
    with urllib.request.urlopen(_URL + path, timeout=10) as answer:  # noqa: S310  our own server
        content: bytes = answer.read()
    return content


if __name__ == "__main__":
    for name, seconds in measure().items():
        print(f"{name:14} {seconds:6.1f}")

"""A real house, with a network that is quick, and a real browser that looks at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
import rasterio

from tests.artefacts import write_tiny_artefact
from tests.conftest import real_data_folder
from tests.needs import needs_chromium, needs_redis_server
from tests.web.looking import Visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

START_S = 60.0


class House:
    """A server with its worker, in processes of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ORTHOSCAPE_")
        }
        self.environment = environment | {"ORTHOSCAPE_HOME": str(home), "PYTHONUNBUFFERED": "1", **settings}
        write_tiny_artefact(home / "models", "tiny-rgb")
        self._log = home / "serve.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*_COMMAND, "serve", "--port", "0"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert "listens on" in said, self._log.read_text()
        self.url = said.split()[-1] + "/"
        self._await()

    def _await(self) -> None:
        ends = time.monotonic() + START_S
        while time.monotonic() < ends:
            try:
                if httpx.get(self.url + "readyz", timeout=10).is_success:
                    return
            except httpx.TransportError:  # it does not listen yet
                pass
            time.sleep(0.2)
        raise AssertionError(self._log.read_text())

    def command(self, *words: str) -> str:
        """What a command of this house prints."""
        done = subprocess.run(
            [*_COMMAND, *words], env=self.environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout.strip()

    def make_map(self, source: Path, **fields: object) -> dict[str, Any]:
        """The finished job of a source that lies in an offered folder."""
        asked = {"source": str(source), "model": "tiny-rgb", **fields}
        answer = httpx.post(self.url + "predict", json=asked, headers={"Prefer": "wait=50"}, timeout=60)
        job: dict[str, Any] = answer.json()
        assert job["status"] == "successful", job
        return job

    def close(self) -> None:
        """End the server and all that it started."""
        self.process.terminate()
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()


_COMMAND = (sys.executable, "-c", "from service.cli.main import main; main()")


@pytest.fixture(scope="session")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., House]]:
    """``open_house(**settings)``: houses, closed at the end."""
    needs_redis_server()
    houses: list[House] = []

    def open_one(**settings: str) -> House:
        houses.append(House(tmp_path_factory.mktemp("home"), **settings))
        return houses[-1]

    yield open_one
    for house in houses:
        house.close()


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, write_raster: Callable[..., Path]) -> Path:
    """An aerial photograph, 1000 x 1000 px of 0.25 m in the Netherlands; noise where no real data is."""
    folder = real_data_folder()
    real = folder / "ortho_e2e" / "test_tiled.tif" if folder else None
    if real is not None and real.exists():
        return real
    noise = tmp_path_factory.mktemp("noise") / "noise.tif"
    return write_raster(noise, shape=(3, 1000, 1000), crs="EPSG:28992", gsd=0.25, origin=(190_000, 470_000))


@pytest.fixture(scope="session")
def large_image(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same ground again and again, 3000 x 3000 px without compression: too large for one piece."""
    path = tmp_path_factory.mktemp("large") / "large.tif"
    with rasterio.open(image) as source:
        pixels_CHW = np.tile(source.read([1, 2, 3]), (1, 3, 3))
        profile = {"crs": source.crs, "transform": source.transform, "tiled": True}
    with rasterio.open(
        path, "w", driver="GTiff", count=3, height=3000, width=3000, dtype="uint8", **profile
    ) as raster:
        raster.write(pixels_CHW)
    return path


@pytest.fixture(scope="session")
def house(open_house: Callable[..., House], image: Path) -> House:
    """The house that most tests share; it offers the folder of the image."""
    return open_house(ORTHOSCAPE_SOURCE_FOLDERS=json.dumps([str(image.parent)]))


@pytest.fixture(scope="session")
def finished(house: House, image: Path) -> dict[str, Any]:
    """The job of a finished map of the image."""
    return house.make_map(image, map="apeldoorn")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  it starts a process of its own

    path = needs_chromium()
    with sync_playwright() as tools:
        chromium = tools.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, house: House) -> Iterator[Visit]:
    """A look at the page, which must not have complained at its end."""
    with Visit.begin(browser, house.url) as one:
        yield one
    assert one.complaints == []

"""The command in this process, on the tiny artefacts, and what a map of theirs must be."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner, Result

from service.cli import main
from service.inference.onnx_engine import import_onnxruntime
from service.rasters.client import ReaderChild
from service.rasters.limits import Limits
from tests.artefacts import BANDS, write_tiny_artefact

SEEN_PX = 5
"""How far the tiny networks see around a pixel."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> Iterator[Path]:
    """The only ORTHOSCAPE_HOME of these tests, with both tiny artefacts."""
    folder = tmp_path_factory.mktemp("home")
    for model_id in BANDS:
        write_tiny_artefact(folder / "models", model_id)
    return folder


@pytest.fixture(autouse=True)
def settings_of_tests(home, monkeypatch) -> None:
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(home))
    monkeypatch.setenv("ORTHOSCAPE_THREADS", "1")


class KeptChild(ReaderChild):
    """A reading process that the next command uses too: starting one takes longer than a test's own work.

    One that refused or failed a request ends as it would. Processes of their own (``start``) and staging
    start theirs as ever.
    """

    kept: ClassVar[dict[Limits, "KeptChild"]] = {}

    def __new__(cls, limits: Limits):
        child = cls.kept.get(limits)
        return super().__new__(cls) if child is None or child.is_spent else child

    def __init__(self, limits: Limits) -> None:
        if self.kept.get(limits) is not self:
            super().__init__(limits)
            self.kept[limits], self.has_failed = self, False

    @property
    def is_spent(self) -> bool:
        return self.has_failed or self._process.poll() is not None

    def request(self, operation: str, **arguments: Any) -> Any:
        try:
            return super().request(operation, **arguments)
        except BaseException:
            self.has_failed = True
            raise

    def close(self) -> None:
        if self.is_spent:
            super().close()


@pytest.fixture(scope="session", autouse=True)
def end_of_kept_children() -> Iterator[None]:
    yield
    for child in KeptChild.kept.values():
        child.has_failed = True
        child.close()


@pytest.fixture(autouse=True)
def keep_children(monkeypatch) -> None:
    monkeypatch.setattr("service.intake.scenes.ReaderChild", KeptChild)
    monkeypatch.setattr("service.rasters.areas.ReaderChild", KeptChild)
    monkeypatch.setattr("service.rasters.reader.ReaderChild", KeptChild)


@dataclass
class MadeMap:
    """What a command made."""

    path: Path
    output: str

    @property
    def classes_HW(self):  # noqa: N802  axes
        with rasterio.open(self.path) as file:
            return file.read(1)

    @property
    def valid_HW(self):  # noqa: N802  axes
        return self.classes_HW != 255

    @property
    def place(self) -> tuple:
        """Transform, CRS, width, height."""
        with rasterio.open(self.path) as file:
            return file.transform, file.crs, file.width, file.height

    def at(self, inner: "MadeMap") -> tuple[slice, slice]:
        """Rows and columns that another map of the same grid takes in this one."""
        ours, (theirs, _, width, height) = self.place[0], inner.place
        col, row = (theirs.c - ours.c) / ours.a, (theirs.f - ours.f) / ours.e
        assert abs(col - round(col)) < 1e-3, col
        assert abs(row - round(row)) < 1e-3, row
        return slice(round(row), round(row) + height), slice(round(col), round(col) + width)


def invoke(*arguments: object) -> Result:
    """Run ``orthoscape`` in this process; a crash is raised here, whatever its exit code."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def orthoscape() -> Callable[..., Result]:
    """``orthoscape("info", path)``."""
    return invoke


@pytest.fixture
def predict(tmp_path) -> Callable[..., MadeMap]:
    """``predict(scene, "--aoi", ..., name="map.tif", model="tiny-rgb")``: the map, made without complaint."""

    def run(*arguments: object, name: str = "map.tif", model: str = "tiny-rgb") -> MadeMap:
        path = tmp_path / name
        result = invoke("predict", *arguments, "-o", path, "--model", model, "--quiet")
        assert result.exit_code == 0, result.output
        return MadeMap(path, result.output)

    return run


@pytest.fixture
def refused(tmp_path) -> Callable[..., str]:
    """``refused(scene)``: what the command says when it refuses, having written nothing at all."""

    def run(*arguments: object, name: str = "map.tif", model: str = "tiny-rgb") -> str:
        before = files_under(tmp_path)
        result = invoke("predict", *arguments, "-o", tmp_path / name, "--model", model, "--quiet")
        assert result.exit_code == 1, result.output
        assert "\nerror: " in "\n" + result.output
        assert "\n  what to do: " in result.output
        assert files_under(tmp_path) == before
        return result.output

    return run


def files_under(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every entry, hidden ones too, with its identity and time of change."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="session")
def segment_whole(home) -> Callable[..., np.ndarray]:
    """``segment_whole(image_CHW, valid_HW)``: the network on the whole scene at once, the edge reflected.

    It shares nothing with the product but the network: no grid, cores, blocks, files or reader.
    """

    def segment(image_CHW, valid_HW=None, *, model="tiny-rgb"):
        valid_HW = np.ones(image_CHW.shape[1:], dtype=bool) if valid_HW is None else valid_HW
        filled_CHW = np.where(valid_HW, image_CHW, 0).astype(np.uint8)
        margin = ((0, 0), (SEEN_PX, SEEN_PX), (SEEN_PX, SEEN_PX))
        session = import_onnxruntime().InferenceSession(home / "models" / model / "model.onnx")
        (classes_NHW,) = session.run(["classes"], {"image": np.pad(filled_CHW, margin, mode="reflect")[None]})
        inner = slice(SEEN_PX, -SEEN_PX)
        return np.where(valid_HW, classes_NHW[0, inner, inner], 255).astype(np.uint8)

    return segment


@pytest.fixture
def start(home) -> Iterator[Callable[..., subprocess.Popen]]:
    """``start("predict", ...)``: the command as a process of its own; whatever still runs is killed."""
    running: list[subprocess.Popen] = []

    def run(*arguments: object, **environment: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", "from service.cli import main; main()", *map(str, arguments)],
            cwd=ROOT,
            env=plain_environment(home) | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A shell's background jobs ignore Ctrl-C, and so would their children: here it is to be heard.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def plain_environment(home: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "ORTHOSCAPE_HOME": str(home),
        "ORTHOSCAPE_THREADS": "1",
        "PYTHONWARNINGS": "error",
        "PYTHONPATH": str(ROOT),
    }


def noise(count=3, height=100, width=120, *, seed=0, low=1, high=255):
    """Smooth-less noise: every pixel of the map depends on all that the network sees."""
    return np.random.default_rng(seed).integers(low, high, size=(count, height, width)).astype(np.uint8)

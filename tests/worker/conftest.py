"""Real workers on a real Redis and both stores, on tiny artefacts: hundreds of blocks take seconds."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
import rasterio

from service.embedded.house import House
from service.embedded.places import socket_of
from service.inference.offering import offered_class
from service.intake.choosing import registry_of
from service.intake.planned import PlannedMap, plan_maps
from service.intake.scenes import read_scenes
from service.jobs.bell import CeleryBell
from service.jobs.errors import StoreUnavailable
from service.jobs.records import Job, NewJob
from service.jobs.store import Store
from service.planning.preflight import ReadingOptions
from service.settings import Settings
from service.worker.leaving import StopLine
from service.worker.pace import Pace
from service.worker.processing import Processor
from service.worker.shelf import Shelf
from service.worker.watchdog import Watchdog
from tests.artefacts import write_tiny_artefact
from tests.conftest import make_raster_file
from tests.needs import needs_postgresql, needs_redis_server

DEADLINE_S = 300.0
"""Nothing here takes that long, unless it hangs."""


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory) -> Iterator[str]:
    """The address of a real PostgreSQL."""
    needs_postgresql()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # it warns without
        import pgserver  # noqa: PLC0415  an extra

        server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def workplace(tmp_path_factory) -> Path:
    """A home with the model, a scene of 120 blocks and one of 340."""
    folder = tmp_path_factory.mktemp("workplace")
    write_tiny_artefact(folder / "home" / "models", "tiny-rgb")
    for name, height, width in (("scene", 640, 700), ("large", 1040, 1210)):
        make_raster_file(
            folder / f"{name}.tif", shape=(3, height, width), tiled=True, blockxsize=256, blockysize=256
        )
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def backend(request) -> str:
    return request.param


@dataclass
class Workshop:
    """What jobs are made with: settings, the store, and a way to look at files."""

    settings: Settings
    store: Store
    planned: PlannedMap
    environment: dict[str, str]
    jobs: list[Job] = field(default_factory=list)

    def order(self, **options) -> Job:
        """Create a job; nobody is called yet."""
        new = {
            "owner": "local",
            "title": "test",
            "map_name": "map",
            "request": {},
            "content_key": f"{len(self.jobs)}",
            "area_km2": 1.0,
            "bounds_wgs84": (0.0, 0.0, 1.0, 1.0),
            "nomenclature": "cosia-16",
            "has_pictures": False,
        }
        job = self.store.create_job(NewJob(planned=self.planned, **(new | options)))
        self.jobs.append(job)
        return job

    def job(self, job: Job) -> Job:
        while True:
            try:
                return self.store.job(job.id)
            except StoreUnavailable:
                time.sleep(0.1)

    def is_over(self, *jobs: Job) -> Callable[[], bool]:
        """To be asked by a house; fails when it takes too long."""
        give_up = time.monotonic() + DEADLINE_S

        def look() -> bool:
            assert time.monotonic() < give_up, [self.job(job) for job in jobs]
            return all(self.job(job).status.is_terminal for job in jobs)

        return look

    def house(self, *, workers: int = 1, **environment: str) -> House:
        """A house with workers, without a server; to be entered."""
        needs_redis_server()
        house = House()
        url = house.add_broker(socket_of(self.settings.home))
        self.settings = self.settings.model_copy(update={"broker_url": url})
        for number in range(workers):
            house.add_worker(f"w{number}", self.environment | {"ORTHOSCAPE_BROKER_URL": url} | environment)
        return house

    @property
    def bell(self) -> CeleryBell:
        return CeleryBell(self.settings)

    def blocks_there(self, job: Job) -> dict[str, tuple[int, int]]:
        """Block files of a job and which file it is."""
        folder = self.settings.maps_folder / job.map_id / "blocks"
        there = {}
        for path in folder.glob("*/r*.tif"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # its sheet is finished
            there[path.name] = (status.st_ino, status.st_mtime_ns)
        return there

    def digest(self, job: Job) -> str:
        """Of the classes and the confidence of a finished map."""
        sheet = self.settings.maps_folder / job.map_id / "sheets" / self.planned.plan.sheets[0].name
        return digest_of(sheet / "landcover.tif", sheet / "confidence.tif")


def digest_of(*paths: Path) -> str:
    """Of the pixels of rasters."""
    digest = hashlib.sha256()
    for path in paths:
        with rasterio.open(path) as file:
            digest.update(np.ascontiguousarray(file.read(1)).tobytes())
    return digest.hexdigest()


@pytest.fixture
def workshop(backend, workplace, tmp_path, monkeypatch, request) -> Iterator[Workshop]:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(workplace / "home" / "models")
    url = f"sqlite:///{home / 'store.sqlite'}"
    if backend == "postgresql":
        url = request.getfixturevalue("postgresql")
    environment = {
        "ORTHOSCAPE_HOME": str(home),
        "ORTHOSCAPE_STORE_URL": url,
        "ORTHOSCAPE_THREADS": "1",
        "ORTHOSCAPE_BLOCK_CORES": "1",
        "ORTHOSCAPE_LEASE_S": "5",
        "TMPDIR": str(tmp_path),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    store = Store.open(url, max_attempts=settings.max_attempts)
    yield Workshop(settings, store, plan(workplace / "scene.tif", settings), environment)
    for job in store.jobs().items:  # PostgreSQL is one for all tests
        store.dismiss(job.id)
        store.delete_job(job.id)
    store.close()


@pytest.fixture
def processor(workshop) -> Iterator[Processor]:
    """A worker's own functions, in this process; no disk is kept free."""
    with processor_of(workshop, workshop.settings) as processor:
        yield processor


@contextmanager
def processor_of(
    workshop: Workshop, settings: Settings, *, watchdog: Watchdog | None = None, stop: StopLine | None = None
) -> Iterator[Processor]:
    """A worker of other settings on the same store."""
    settings = settings.model_copy(update={"disk_kept_free_bytes": 0})
    watchdog = watchdog or Watchdog(600.0)
    shelf = Shelf(settings, on_progress=watchdog.feed)
    yield Processor(
        settings,
        store=workshop.store,
        shelf=shelf,
        pace=Pace(),
        watchdog=watchdog,
        stop=stop or StopLine(),
    )
    shelf.close_sources()


def claim(workshop):
    return workshop.store.claim("w", offered_class(workshop.settings.engine), lease_s=60.0)


def work(workshop, processor):
    while (lease := claim(workshop)) is not None:
        processor.process(lease)


def plan(scene: Path, settings: Settings) -> PlannedMap:
    options = ReadingOptions(bands="auto", nodata="file", source_crs=None)
    scenes = read_scenes([scene], irc=(), heights=(), options=options, settings=settings)
    artefact = registry_of(settings).get("tiny-rgb")
    return plan_maps(scenes, artefact, options=options, aoi=None, name="map", settings=settings)[0]


@pytest.fixture(scope="session")
def expected(workplace) -> str:
    """Digest of what `orthoscape predict` makes of the scene."""
    return predicted(workplace, "scene")


@pytest.fixture(scope="session")
def expected_of_large(workplace) -> str:
    """Digest of what `orthoscape predict` makes of the large scene."""
    return predicted(workplace, "large")


def predicted(workplace: Path, name: str) -> str:
    target = workplace / f"{name}_map.tif"
    command = (
        "predict",
        workplace / f"{name}.tif",
        "-o",
        target,
        "--confidence",
        "--model",
        "tiny-rgb",
        "--quiet",
    )
    subprocess.run(
        [sys.executable, "-c", "from service.cli import main; main()", *map(str, command)],
        env=os.environ | {"ORTHOSCAPE_HOME": str(workplace / "home"), "ORTHOSCAPE_THREADS": "1"},
        check=True,
        capture_output=True,
    )
    return digest_of(target, target.with_name(f"{name}_map_confidence.tif"))


def children_of(pid: int) -> list[psutil.Process]:
    """All that a process has started, and what those have."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def parts_of(pid: int) -> dict[str, list[psutil.Process]]:
    """The processes of a house by what they are: redis, worker, child (of a worker), server."""
    parts: dict[str, list[psutil.Process]] = {"redis": [], "worker": [], "child": [], "server": []}
    for process in children_of(pid):
        try:
            line, parent = process.cmdline(), process.ppid()
        except psutil.Error:
            continue
        if "redis" in " ".join(line[:1]):
            parts["redis"].append(process)
        elif "worker" in line:
            parts["worker" if parent == pid else "child"].append(process)
        elif "server" in line:
            parts["server"].append(process)
    return parts

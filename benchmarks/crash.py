"""What it costs that work survives: seconds from a kill to the next lease, and the speed that is left.

``python -m benchmarks.crash [SIDE_PX]`` on a quiet machine. The same scene, with the shipped model, by
``orthoscape predict`` and by a house with one worker; then one worker whose child is killed, again and again.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import rasterio
from rasterio.transform import Affine

from service.cli.running import MapMaker, Progress
from service.embedded.house import House
from service.embedded.places import socket_of
from service.inference.loading import load_engine
from service.intake.choosing import choose_model, registry_of
from service.intake.planned import plan_maps
from service.intake.scenes import read_scenes
from service.jobs.bell import CeleryBell
from service.jobs.records import Job, NewJob
from service.jobs.store import Store
from service.maps.products import Products
from service.planning.preflight import ReadingOptions
from service.settings import Settings

if TYPE_CHECKING:
    from models.artefact import Artefact
    from service.intake.planned import PlannedMap

NUM_KILLS = 10


def main() -> None:
    """Measure and print."""
    measured = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 4096)
    for name, value in measured.items():
        print(f"{name:22} {value:8.2f}")


def measure(side_px: int, *, repeats: int = 2) -> dict[str, float]:
    """Seconds on the clock and of processors, alone and served; the fastest of some repeats."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(home=folder / "home")
        settings.home.mkdir()
        scene = write_scene(folder / "scene.tif", side_px)
        options = ReadingOptions(bands="auto", nodata="file", source_crs=None)
        scenes = read_scenes([scene], irc=(), heights=(), options=options, settings=settings)
        artefact = choose_model(registry_of(settings), "default", scenes, options)
        planned = plan_maps(scenes, artefact, options=options, aoi=None, name="map", settings=settings)[0]
        store = Store.open(settings.resolved_store_url)
        alone, served = [], []
        for _ in range(repeats):
            alone.append(time_alone(planned, artefact, settings, folder))
            with House() as house:
                served.append(time_served(house, store, planned, start(house, settings)))
        with House() as house:
            takeovers_s = time_takeovers(house, store, planned, start(house, settings))
        store.close()
    return {
        "side_px": side_px,
        "alone_wall_s": min(cost.wall_s for cost in alone),
        "served_wall_s": min(cost.wall_s for cost in served),
        "alone_cpu_s": min(cost.cpu_s for cost in alone),
        "served_cpu_s": min(cost.cpu_s for cost in served),
        "num_kills": len(takeovers_s),
        "takeover_median_s": statistics.median(takeovers_s),
        "takeover_longest_s": max(takeovers_s),
    }


def write_scene(path: Path, side_px: int) -> Path:
    """Noise, tiled."""
    noise = np.random.default_rng(0)
    with rasterio.open(
        path, "w", driver="GTiff", width=side_px, height=side_px, count=3, dtype="uint8", crs="EPSG:2154",
        transform=Affine(0.2, 0, 700_000, 0, -0.2, 6_600_000), tiled=True, blockxsize=512, blockysize=512,
        photometric="RGB",
    ) as file:  # fmt: skip
        file.write(noise.integers(1, 255, (3, side_px, side_px), dtype=np.uint8))
    return path


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of processors: the latter hardly depend on what else runs."""

    wall_s: float
    cpu_s: float


def cpu_of(pid: int) -> float:
    """Of a process and of its children that are gone."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def time_alone(planned: PlannedMap, artefact: Artefact, settings: Settings, folder: Path) -> Cost:
    """As `orthoscape predict`, model loaded."""
    engine = load_engine(artefact, name=settings.engine, num_threads=settings.num_threads)
    maker = MapMaker(artefact, engine, settings)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        products = {"map": Products(classes=Path(name) / "map.tif", confidence=Path(name) / "confidence.tif")}
        quiet = Progress(
            on_stage=lambda *_: None,
            on_resumed=lambda _: None,
            on_core=lambda _: None,
            on_step=lambda _: None,
        )
        started, used = time.perf_counter(), cpu_of(os.getpid())
        maker.make(planned, products, quiet)
        return Cost(time.perf_counter() - started, cpu_of(os.getpid()) - used)


def start(house: House, settings: Settings) -> str:
    """A broker and a worker; returns the broker's address."""
    url = house.add_broker(socket_of(settings.home))
    house.add_worker("benchmark", {"ORTHOSCAPE_BROKER_URL": url, "ORTHOSCAPE_HOME": str(settings.home)})
    return url


def order(store: Store, planned: PlannedMap) -> Job:
    """A new job."""
    return store.create_job(
        NewJob(
            owner="local", title="benchmark", map_name="map", request={}, planned=planned,
            content_key=str(time.time()), area_km2=1.0, bounds_wgs84=(0.0, 0.0, 1.0, 1.0),
            nomenclature="cosia-16", has_pictures=False,
        )
    )  # fmt: skip


def time_served(house: House, store: Store, planned: PlannedMap, url: str) -> Cost:
    """By a worker that has its model loaded: from the first lease to the end, as the store saw it."""
    first = order(store, planned)
    CeleryBell(Settings(broker_url=url)).ring(None)
    house.live(lambda: store.job(first.id).blocks_done > 0)
    store.dismiss(first.id)
    worker = next(p for p in psutil.Process().children(recursive=True) if is_child_of_worker(p))
    house.live(lambda: not worker.children())  # it has closed what it read
    used = cpu_of(worker.pid)
    job = order(store, planned)
    CeleryBell(Settings(broker_url=url)).ring(None)
    house.live(lambda: store.job(job.id).status.is_terminal and not worker.children())
    done = store.job(job.id)
    assert done.error is None, done.error
    return Cost(done.finished - done.started, cpu_of(worker.pid) - used)


def time_takeovers(house: House, store: Store, planned: PlannedMap, url: str) -> list[float]:
    """Seconds from each kill of the worker's child until units are leased again."""
    takeovers_s: list[float] = []
    job = order(store, planned)
    CeleryBell(Settings(broker_url=url)).ring(None)
    while len(takeovers_s) < NUM_KILLS:
        if store.job(job.id).status.is_terminal:
            job = order(store, planned)
        house.live(lambda job=job: any(unit.worker_id for unit in store.units(job.id)))
        before = {unit.id: unit.attempts for unit in store.units(job.id)}
        next(p for p in psutil.Process().children(recursive=True) if is_child_of_worker(p)).kill()
        killed = time.perf_counter()
        house.live(lambda job=job, before=before: is_leased_anew(store, job, before))
        if not store.job(job.id).status.is_terminal:
            takeovers_s.append(time.perf_counter() - killed)
    store.dismiss(job.id)
    return takeovers_s


def is_leased_anew(store: Store, job: Job, before: dict[int, int]) -> bool:
    """Whether units are leased that were not, or the job is over."""
    units = store.units(job.id)
    return store.job(job.id).status.is_terminal or any(unit.attempts > before[unit.id] for unit in units)


def is_child_of_worker(process: psutil.Process) -> bool:
    """Whether it is the child that works, not the worker's main process."""
    parent = process.parent()
    return "worker" in process.cmdline() and parent is not None and "worker" in parent.cmdline()


if __name__ == "__main__":
    main()

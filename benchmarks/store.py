"""What bookkeeping costs: milliseconds of the store per block, for a town and for a country.

    python -m benchmarks.store [--blocks 1000000] [--backend sqlite|postgresql]

A block costs a quarter of a claim (leases hold four), one finish and, each few seconds, an extension. The
ratio of a country's cost to a town's says whether the store stays flat. PostgreSQL is the one that pgserver
carries, reached through a socket on this machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from service.intake.planned import PlannedMap
from service.jobs.records import NewJob
from service.jobs.store import Store
from service.planning.cores import PatchGeometry
from service.planning.grid import Grid
from service.planning.jobs import SHEET_PX, JobPlan, SheetPlan
from service.rasters.sources import SourceSpec
from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK_PX = 2048
SHEET_BLOCKS = (SHEET_PX // BLOCK_PX) ** 2
PROFILE_CLASS = "benchmark"
NUM_LEASES = 150
TOWN_BLOCKS = 1024


def make_job(num_blocks: int) -> NewJob:
    """A job of whole sheets side by side, at least this large, for one source that covers them."""
    num_sheets = -(-num_blocks // SHEET_BLOCKS)
    grid = Grid(crs_wkt="EPSG:2154", x_res=0.2, y_res=0.2, x_origin=0.0, y_origin=12_000_000.0)
    windows = [Window(number * SHEET_PX, 0, SHEET_PX, SHEET_PX) for number in range(num_sheets)]
    source = SourceSpec(
        path="/data/country.tif",
        driver="GTiff",
        bands={"red": 1},
        file_width=num_sheets * SHEET_PX,
        file_height=SHEET_PX,
        col_off=0,
        row_off=0,
        width=num_sheets * SHEET_PX,
        height=SHEET_PX,
    )
    plan = JobPlan(
        name="country",
        model="benchmark@1",
        model_digest="0" * 64,
        bands=("red",),
        grid=grid,
        epsg=2154,
        data=Window(0, 0, num_sheets * SHEET_PX, SHEET_PX),
        geometry=PatchGeometry(core_px=1024, halo_px=80, stride_px=32),
        block_cores=2,
        sources=(source,),
        digests={source.path: "0" * 64},
        aoi_wkb_hex=None,
        sheets=tuple(
            SheetPlan(name=f"country_c{number}", window=window, transform=grid.transform_of(window))
            for number, window in enumerate(windows)
        ),
    )
    return NewJob(
        owner="benchmark",
        title="Benchmark",
        map_name="country",
        request={},
        planned=PlannedMap(plan=plan, facts={}, notes=()),
        content_key="0" * 64,
        area_km2=1.0,
        bounds_wgs84=(0.0, 0.0, 1.0, 1.0),
        nomenclature="cosia",
        has_pictures=False,
    )


@contextmanager
def opened(backend: str) -> Iterator[Store]:
    """A fresh store."""
    with tempfile.TemporaryDirectory(prefix="orthoscape-store-") as folder:
        if backend == "postgresql":
            import pgserver  # noqa: PLC0415  an extra

            with pgserver.get_server(Path(folder) / "server", cleanup_mode="delete") as server:
                store = Store.open(server.get_uri())
                yield store
                store.close()
        else:
            store = Store.open(f"sqlite:///{folder}/store.sqlite")
            yield store
            store.close()


def timed_ms(call: Callable[[], object]) -> float:
    """Milliseconds that a call takes."""
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1000


class Watch:
    """Longest that a reader and a writer of another job wait meanwhile, in milliseconds."""

    def __init__(self, store: Store) -> None:
        self._store, self._is_over = store, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.reading_ms = self.writing_ms = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.05):
            self.reading_ms = max(self.reading_ms, timed_ms(self._store.jobs))
            held = timed_ms(lambda: self._store.fleet.hold("watch", "me", lease_s=1))
            self.writing_ms = max(self.writing_ms, held)


def measure(store: Store, num_blocks: int) -> dict[str, float]:
    """Milliseconds, medians over many leases, of a job of this size; it is deleted at the end."""
    new = make_job(num_blocks)
    with Watch(store) as watch:
        start = time.perf_counter()
        job = store.create_job(new)
        create_s = time.perf_counter() - start
    samples: dict[str, list[float]] = {name: [] for name in ("claim", "finish", "extend", "count", "read")}
    for _ in range(NUM_LEASES):
        start = time.perf_counter()
        lease = store.claim("worker", PROFILE_CLASS, lease_s=60)
        samples["claim"].append((time.perf_counter() - start) * 1000)
        assert lease is not None
        samples["extend"].append(timed_ms(lambda lease=lease: store.extend(lease, lease_s=60)))
        for unit in lease.units:
            samples["finish"].append(
                timed_ms(lambda unit=unit, lease=lease: store.finish_unit(lease, unit.id, engine_s=0.5))
            )
        samples["count"].append(timed_ms(lambda: store.num_claimable(PROFILE_CLASS)))
        samples["read"].append(timed_ms(lambda: store.job(job.id)))
    store.dismiss(job.id)
    measured = {name: statistics.median(values) for name, values in samples.items()}
    measured |= {"create_s": create_s, "reader_ms": watch.reading_ms, "writer_ms": watch.writing_ms}
    measured["resume_s"] = timed_ms(lambda: store.resume(job.id)) / 1000
    store.dismiss(job.id)
    measured["delete_s"] = timed_ms(lambda: store.delete_job(job.id)) / 1000
    measured["block"] = measured["claim"] / 4 + measured["finish"]
    return measured


def compare(backend: str, num_blocks: int) -> list[dict[str, float]]:
    """A town's figures and a country's, in one fresh store."""
    with opened(backend) as store:
        return [measure(store, num) | {"num_blocks": num} for num in (TOWN_BLOCKS, num_blocks)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=1_000_000)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), action="append")
    arguments = parser.parse_args()
    names = ("block", "claim", "finish", "extend", "count", "read")
    print("store       blocks   " + "".join(f"{name:>9}" for name in names) + "   (ms)")
    for backend in arguments.backend or ("sqlite", "postgresql"):
        town, country = compare(backend, arguments.blocks)
        for num, row in ((TOWN_BLOCKS, town), (arguments.blocks, country)):
            print(f"{backend:11} {num:9}" + "".join(f"{row[name]:9.2f}" for name in names))
        print(f"{backend:11} {'ratio':>9}" + "".join(f"{country[name] / town[name]:9.2f}" for name in names))
        print(
            f"{backend}: {arguments.blocks} blocks created in {country['create_s']:.1f} s, while a reader "
            f"waited {country['reader_ms']:.0f} ms and a writer {country['writer_ms']:.0f} ms at most; "
            f"resumed in {country['resume_s']:.1f} s, deleted in {country['delete_s']:.1f} s"
        )


if __name__ == "__main__":
    main()

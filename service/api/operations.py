"""How the service is doing: what it lacks, what it runs on, its figures for Prometheus."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import rasterio
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from service.errors import Unavailable
from service.jobs.figures import read_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.api.deps import Services
    from service.jobs.store import Store

_LIBRARIES = (
    "orthoscape",
    "fastapi",
    "uvicorn",
    "celery",
    "redis",
    "sqlalchemy",
    "numpy",
    "pillow",
    "rio-tiler",
)


class NotReady(Unavailable):
    """The service cannot take and do a job now."""

    def __init__(self, lacks: dict[str, str]) -> None:
        super().__init__(
            "; ".join(lacks.values()), remedy="start what is missing; the service goes on by itself"
        )
        self.errors = [{"detail": detail, "part": part} for part, detail in lacks.items()]


def check_ready(services: Services) -> None:
    """Go on only if a job that came now would be done.

    Raises:
        NotReady: The store or the broker does not answer, no worker is alive, or the disk is full.
    """
    lacks: dict[str, str] = {}
    if not services.store.is_reachable():
        lacks["store"] = "the job store does not answer"
    elif not services.store.workers():
        lacks["worker"] = "no worker is alive"
    if (waits := services.room.word) is not None:
        lacks["disk"] = waits
    if not services.bell.is_reachable():
        lacks["broker"] = "the broker does not answer"
    if lacks:
        raise NotReady(lacks)


def software_versions() -> dict[str, str]:
    """What this process runs on, by name."""
    return {name: version(name) for name in _LIBRARIES} | {
        "python": platform.python_version(),
        "rasterio": rasterio.__version__,
        "gdal": rasterio.__gdal_version__,
    }


def metrics_text(store: Store) -> bytes:
    """All figures in Prometheus' text format: this server's, and the store's of this moment.

    The processes of one server add theirs up where ``PROMETHEUS_MULTIPROC_DIR`` names an empty folder for
    them; else the process that is asked answers for itself alone.
    """
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_Process())
    registry.register(StoreFigures(store))
    return generate_latest(registry)


class _Process(Collector):
    """What this process has counted."""

    def collect(self) -> Iterator[Metric]:
        """Every metric of the process's own registry."""
        yield from REGISTRY.collect()


@dataclass(frozen=True)
class StoreFigures(Collector):
    """Gauges that are read from the store whenever they are asked for; each server tells the same."""

    store: Store

    def collect(self) -> Iterator[Metric]:
        """Jobs by status, units by the class of machines they wait for, live workers and their speed."""
        figures = read_figures(self.store.database)
        yield _gauge("orthoscape_jobs", "Jobs.", "status", figures.jobs)
        yield _gauge("orthoscape_blocks", "Blocks of all jobs.", "status", figures.blocks)
        yield _gauge("orthoscape_pixels", "Pixels of all jobs.", "status", figures.pixels)
        yield _gauge("orthoscape_units_ready", "Units of work that wait for a worker.", "profile_class",
                     {name or "any": count for name, count in figures.units_ready.items()})  # fmt: skip
        yield _gauge("orthoscape_units_leased", "Units of work that workers hold.", "profile_class",
                     {name or "any": count for name, count in figures.units_leased.items()})  # fmt: skip
        workers = self.store.workers()
        yield _gauge("orthoscape_workers", "Live workers.", "profile_class",
                     Counter(worker.profile_class for worker in workers))  # fmt: skip
        speeds: Counter[str] = Counter()
        for worker in workers:
            speeds[worker.profile_class] += round((worker.mpx_per_s or 0.0) * 1e6)
        yield _gauge(
            "orthoscape_worker_pixels_per_second", "Speed that live workers told.", "profile_class", speeds
        )


def _gauge(name: str, description: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, description, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family

"""The figures of the service for Prometheus: this server's own, and those of the store, which all share."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from service.jobs.figures import read_figures
from service.jobs.tallies import read_totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from service.jobs.store import Store


def metrics_text(store: Store) -> bytes:
    """All figures in Prometheus' text format: this server's, and the store's of this moment.

    The processes of one server add theirs up where ``PROMETHEUS_MULTIPROC_DIR`` names an empty folder for
    them; else the process that is asked answers for itself alone.
    """
    return generate_latest(metrics_registry(store))


def metrics_registry(store: Store) -> CollectorRegistry:
    """All that `metrics_text` tells."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_Process())
    registry.register(StoreFigures(store))
    registry.register(StoreTotals(store))
    return registry


class _Process(Collector):
    """What this process has counted."""

    def collect(self) -> Iterator[Metric]:
        """Every metric of the process's own registry."""
        yield from REGISTRY.collect()


@dataclass(frozen=True)
class StoreFigures(Collector):
    """Gauges that are read from the store whenever they are asked for; each server tells the same.

    None may be called as a counter is without its ``_total``: to OpenMetrics that is one name.
    """

    store: Store

    def collect(self) -> Iterator[Metric]:
        """Jobs by status, units by the class of machines they wait for, live workers and their speed."""
        figures = read_figures(self.store.database)
        yield _gauge("orthoscape_store_jobs", "Jobs in the store.", "status", figures.jobs)
        yield _gauge("orthoscape_store_blocks", "Blocks of these jobs.", "status", figures.blocks)
        yield _gauge("orthoscape_store_pixels", "Pixels of these jobs.", "status", figures.pixels)
        yield _gauge("orthoscape_units_ready", "Units of work that wait for a worker.", "profile_class",
                     {name or "any": count for name, count in figures.units_ready.items()})  # fmt: skip
        yield _gauge("orthoscape_units_leased", "Units of work that workers hold.", "profile_class",
                     {name or "any": count for name, count in figures.units_leased.items()})  # fmt: skip
        workers = self.store.fleet.workers()
        yield _gauge("orthoscape_workers", "Live workers.", "profile_class",
                     Counter(worker.profile_class for worker in workers))  # fmt: skip
        speeds: Counter[str] = Counter()
        for worker in workers:
            speeds[worker.profile_class] += round((worker.mpx_per_s or 0.0) * 1e6)
        yield _gauge(
            "orthoscape_worker_pixels_per_second", "Speed that live workers told.", "profile_class", speeds
        )


@dataclass(frozen=True)
class StoreTotals(Collector):
    """Counters that the store keeps for all workers and servers together; no deletion lowers them."""

    store: Store

    def collect(self) -> Iterator[Metric]:
        """Jobs that ended and how long they took, blocks that were settled and the engine's time for them."""
        totals = read_totals(self.store.database)
        yield _counter("orthoscape_jobs", "Jobs that ended, by how.", totals.jobs)
        yield _counter("orthoscape_blocks", "Blocks that are done, and that were given up.", totals.blocks)
        yield CounterMetricFamily("orthoscape_pixels", "Pixels of blocks that are done.", totals.num_px)
        yield HistogramMetricFamily(
            "orthoscape_job_duration_seconds",
            "From accepting a job to its success.",
            buckets=[(_bound(bound_s), num) for bound_s, num in totals.durations.items()],
            sum_value=totals.duration_s,
        )
        inference = SummaryMetricFamily(
            "orthoscape_inference_seconds",
            "Time inside the engine for a block.",
            labels=("model", "device"),
        )
        for names, (num_blocks, engine_s) in totals.inference.items():
            inference.add_metric(names, num_blocks, engine_s)
        yield inference


def _bound(bound_s: float) -> str:
    """As Prometheus writes it: ``5.0``, ``+Inf``."""
    return str(floatToGoString(bound_s))  # type: ignore[no-untyped-call]


def _counter(name: str, description: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, description, labels=("status",))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family


def _gauge(name: str, description: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, description, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family

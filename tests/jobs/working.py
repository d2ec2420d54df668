"""What tests of the store do as workers, and what must hold of a job at any moment."""

from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from service.jobs.records import Lease, UnitKind, UnitStatus
from service.jobs.schema import jobs, units
from service.jobs.store import Store
from tests.jobs.plans import CLASS_A

on_both = pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
"""For tests that run on both databases in the fast half too."""


def leases(store: Store, *, worker: str = "w", profile_class: str = CLASS_A) -> Iterator[Lease]:
    """Claim until there is nothing; the caller settles."""
    while lease := store.claim(worker, profile_class, lease_s=60):
        yield lease


def finish(store: Store, lease: Lease, *, counts: dict[int, int] | None = None) -> None:
    """Finish all units of a lease."""
    for unit in lease.units:
        figures = {"pixel_counts": counts or {0: 1}} if lease.kind == UnitKind.SHEET else None
        store.finish_unit(lease, unit.id, figures=figures)


def finish_all(store: Store, **claim: str) -> list[Lease]:
    """Work until there is nothing."""
    worked = []
    for lease in leases(store, **claim):
        finish(store, lease)
        worked.append(lease)
    return worked


def names(lease: Lease | None) -> list[str]:
    """Names of a lease's units."""
    return [unit.name for unit in lease.units] if lease else []


def check_counters(store: Store) -> None:
    """The counters in every job's row are what counting its units gives."""
    with store.begin() as connection:
        for job in connection.execute(sa.select(jobs)):
            found = list(connection.execute(sa.select(units).where(units.c.job_id == job.id)))
            statuses = Counter(unit.status for unit in found)
            assert job.units_ready == statuses[UnitStatus.READY]
            assert job.units_leased == statuses[UnitStatus.LEASED]
            assert job.units_open == sum(not UnitStatus(unit.status).is_settled for unit in found)
            blocks = [unit for unit in found if unit.kind == UnitKind.BLOCK]
            assert job.blocks_done == sum(unit.status == UnitStatus.DONE for unit in blocks)
            assert job.blocks_failed == sum(unit.status == UnitStatus.FAILED for unit in blocks)
            assert job.px_done == sum(unit.num_px for unit in blocks if unit.status == UnitStatus.DONE)
            for sheet in (unit for unit in found if unit.kind == UnitKind.SHEET):
                of_sheet = [unit for unit in blocks if unit.sheet == sheet.sheet]
                num_open = sum(not UnitStatus(unit.status).is_settled for unit in of_sheet)
                assert sheet.blocks_open == num_open
                assert (sheet.status == UnitStatus.WAITING) == (num_open > 0)
            settled = [unit.seq for unit in found if UnitStatus(unit.status).is_settled]
            assert len(set(settled)) == len(settled)
            assert max(settled, default=0) <= job.seq

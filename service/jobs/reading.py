"""Rows of the store as records, and the questions that are asked most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.records import Lease, Unit, UnitKind, UnitStatus
from service.jobs.schema import literally, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = sa.Row[*tuple[Any, ...]]


def unit_of(row: Row) -> Unit:
    """A row of `units`."""
    return Unit(
        id=row.id,
        kind=UnitKind(row.kind),
        sheet=row.sheet,
        name=row.name,
        row=row.row,
        col=row.col,
        run=row.run,
        num_px=row.num_px,
        status=UnitStatus(row.status),
        attempts=row.attempts,
        error=row.error,
        seq=row.seq,
        figures=row.figures,
        worker_id=row.lease_worker,
    )


def lease_of(rows: Sequence[Row], *, token: str, worker_id: str, map_id: str) -> Lease:
    """The rows of `units` that one claim has taken, in reading order."""
    leased = sorted(rows, key=lambda row: row.id)
    first = leased[0]
    return Lease(
        token=token,
        worker_id=worker_id,
        job_id=first.job_id,
        map_id=map_id,
        kind=UnitKind(first.kind),
        units=tuple(unit_of(row) for row in leased),
        sheet=first.sheet,
    )


def find_units(
    connection: sa.Connection,
    job_id: str,
    *,
    kind: UnitKind | None,
    status: UnitStatus | None,
    since_seq: int,
    limit: int,
) -> list[Unit]:
    """Units of a job in the order in which they settled, then in reading order."""
    query = sa.select(units).where(units.c.job_id == job_id, units.c.seq > since_seq)
    if status is not None:
        query = query.where(units.c.status == literally(UnitStatus(status)))
        if UnitStatus(status).is_settled:
            query = query.where(units.c.seq > 0)
    ordered = query.order_by(units.c.seq, units.c.id)
    if status == UnitStatus.LEASED:
        # Few at any time: their own index finds them, which SQLite would not use for a question by kind.
        found = [unit_of(row) for row in connection.execute(ordered)]
        return [unit for unit in found if kind in (None, unit.kind)][:limit]
    kinds = [str(kind)] if kind is not None else [str(known) for known in UnitKind]
    return [unit_of(row) for row in connection.execute(ordered.where(units.c.kind.in_(kinds)).limit(limit))]

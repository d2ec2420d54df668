"""Settling: what became of leased units, and what follows for their sheet and their job.

Each function runs in one writing transaction, takes the job's row first and keeps the counters in it exact.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.ending import add_to_job, end_job, lock_job
from service.jobs.errors import LeaseLost
from service.jobs.journal import MAX_TEXT, write_log
from service.jobs.records import JobStatus, LogLevel, UnitKind, UnitStatus
from service.jobs.schema import IS_LEASED, literally, maps, units

if TYPE_CHECKING:
    from service.jobs.ending import JobRow
    from service.jobs.records import Lease

    UnitRow = sa.Row[*tuple[Any, ...]]

FREE: dict[str, Any] = {"lease_token": None, "lease_worker": None, "lease_until": None}
"""Values of a unit that nobody holds."""

LOSSES_AN_ATTEMPT = 4
"""So many times as often as it may fail, a unit may lose its worker: machines are taken away and killed for
reasons of their own, but what takes every machine with it has to be found out."""

# Statements that run for every block are made once; see `claiming`.

_IS_OWN = sa.and_(units.c.id == sa.bindparam("of_unit"), units.c.lease_token == sa.bindparam("with_token"))
_FINISH = (
    units.update()
    .where(_IS_OWN, IS_LEASED)
    .values(
        status=UnitStatus.DONE.value,
        figures=sa.bindparam("found", type_=units.c.figures.type),
        error=None,
        lease_until=None,
        seq=sa.bindparam("at_seq"),
    )
    .returning(units.c.kind, units.c.sheet, units.c.num_px)
)
_TELL_SHEET = (
    units.update()
    .where(
        units.c.job_id == sa.bindparam("of_job"),
        units.c.sheet == sa.bindparam("of_sheet"),
        units.c.kind == literally(UnitKind.SHEET),
    )
    .values(
        blocks_open=units.c.blocks_open - 1,
        status=sa.case((units.c.blocks_open == 1, UnitStatus.READY.value), else_=units.c.status),
    )
    .returning(units.c.status)
)


def finish_unit(
    connection: sa.Connection,
    lease: Lease,
    unit_id: int,
    figures: dict[str, Any] | None,
    *,
    engine_s: float | None,
) -> None:
    """Settle a unit as done; to say it twice, under the same lease, is to say it once.

    Args:
        connection: In a writing transaction.
        lease: Under which it was made.
        unit_id: One of the lease's.
        figures: What was found out.
        engine_s: Of a block, the time that the engine took, where it is known.

    Raises:
        LeaseLost: The unit is not this lease's any more.
    """
    job = lock_job(connection, lease.job_id)
    if job is None:
        raise _lost(lease, unit_id)
    told = {"of_unit": unit_id, "with_token": lease.token, "at_seq": job.seq + 1, "found": figures}
    done = connection.execute(_FINISH, told).one_or_none()
    if done is None:
        _require_done(connection, lease, unit_id)
        return
    changes = Counter(seq=1, units_open=-1, units_leased=-1)
    if done.kind == UnitKind.BLOCK:
        changes.update(blocks_done=1, px_done=done.num_px)
        if engine_s is not None:
            changes.update(blocks_timed=1, engine_us=round(engine_s * 1e6))
        changes.update(units_ready=_tell_sheet(connection, job.id, done.sheet))
    elif done.kind == UnitKind.SHEET:
        changes.update(sheets_done=1)
        _add_counts(connection, job.id, figures or {})
        write_log(connection, job.id, f"sheet {done.sheet} is finished")
    add_to_job(connection, job.id, changes)
    _end_if_settled(connection, job, num_open=job.units_open - 1)


def _require_done(connection: sa.Connection, lease: Lease, unit_id: int) -> None:
    """Tell a repeated call, whose first answer got lost, from one that comes too late."""
    query = sa.select(units.c.id).where(_IS_OWN, units.c.status == literally(UnitStatus.DONE))
    own = {"of_unit": unit_id, "with_token": lease.token}
    if connection.execute(query, own).one_or_none() is None:
        raise _lost(lease, unit_id)


def _lost(lease: Lease, unit_id: int) -> LeaseLost:
    name = next((unit.name for unit in lease.units if unit.id == unit_id), str(unit_id))
    return LeaseLost(
        f"{lease.kind} {name} of job {lease.job_id} is no longer leased to worker {lease.worker_id}",
        remedy="nothing is lost: it has been leased anew, or its job is over",
    )


def fail_unit(
    connection: sa.Connection, lease: Lease, unit_id: int, error: str, *, max_attempts: int
) -> None:
    """Put a unit back that could not be made, or give it up after the last attempt.

    Raises:
        LeaseLost: The unit is not this lease's any more.
    """
    job = lock_job(connection, lease.job_id)
    held = (units.c.id == unit_id, units.c.lease_token == lease.token, IS_LEASED)
    unit = connection.execute(sa.select(units).where(*held)).one_or_none()
    if job is None or unit is None:
        raise _lost(lease, unit_id)
    put_back(connection, job, [unit], error=error, max_attempts=max_attempts, is_loss=False)


def give_back(connection: sa.Connection, lease: Lease, *, reason: str | None = None) -> None:
    """Make what is not done of a lease ready again, as if it had never been leased."""
    job = lock_job(connection, lease.job_id)
    if job is None:
        return
    ids = [unit.id for unit in lease.units]
    freed = connection.execute(
        units.update()
        .where(units.c.id.in_(ids), units.c.lease_token == lease.token, IS_LEASED)
        .values(status=UnitStatus.READY.value, attempts=units.c.attempts - 1, **FREE)
    ).rowcount
    if freed:
        add_to_job(connection, job.id, Counter(units_leased=-freed, units_ready=freed))
        if reason is not None:
            text = f"{lease.kind} {lease.units[0].name} of sheet {lease.sheet} is given back: {reason}"
            write_log(connection, job.id, text, level=LogLevel.WARNING)


def put_back(
    connection: sa.Connection,
    job: JobRow,
    tried: list[UnitRow],
    *,
    error: str,
    max_attempts: int,
    is_loss: bool,
) -> None:
    """End an attempt at units of a job: they become ready again, or failed when it was the last one.

    Args:
        connection: In a writing transaction that holds the job's row.
        job: That row.
        tried: Units that are leased.
        error: Why the attempt ended.
        max_attempts: Attempts that each unit has.
        is_loss: Whether the whole worker is gone, which is hardly the unit's doing.
    """

    def num_ended(unit: UnitRow) -> int:
        """Attempts that ended as this one did, itself included."""
        return int(unit.losses) + 1 if is_loss else int(unit.attempts - unit.losses)

    num_borne = max_attempts * LOSSES_AN_ATTEMPT if is_loss else max_attempts
    exhausted = [unit for unit in tried if num_ended(unit) >= num_borne]
    again = [unit for unit in tried if num_ended(unit) < num_borne]
    word = "loss" if is_loss else "attempt"
    for unit in again:
        text = f"{unit.kind} {unit.name}: {word} {num_ended(unit)} of {num_borne}: {error}"
        write_log(connection, job.id, text, level=LogLevel.WARNING)
    if again:
        connection.execute(
            units.update()
            .where(units.c.id.in_([unit.id for unit in again]))
            .values(
                status=UnitStatus.READY.value,
                error=error[:MAX_TEXT],
                losses=units.c.losses + int(is_loss),
                **FREE,
            )
        )
        add_to_job(connection, job.id, Counter(units_leased=-len(again), units_ready=len(again)))
    if exhausted:
        _give_up(connection, job, exhausted, error=error)


def _give_up(connection: sa.Connection, job: JobRow, failed: list[UnitRow], *, error: str) -> None:
    """Settle units as failed, and the job with them unless it may go on."""
    changes, fatal = Counter[str](), None
    num_failed = job.blocks_failed
    for seq, unit in enumerate(failed, start=job.seq + 1):
        connection.execute(
            units.update()
            .where(units.c.id == unit.id)
            .values(status=UnitStatus.FAILED.value, error=error[:MAX_TEXT], seq=seq, **FREE)
        )
        where = f" of sheet {unit.sheet}" if unit.kind == UnitKind.BLOCK else ""
        text = f"{unit.kind} {unit.name}{where} failed in attempt {unit.attempts}, the last: {error}"
        write_log(connection, job.id, text, level=LogLevel.ERROR)
        changes.update(seq=1, units_open=-1, units_leased=-1)
        is_fatal = unit.kind == UnitKind.SHEET
        if unit.kind == UnitKind.BLOCK:
            num_failed += 1
            is_fatal = num_failed > job.max_failed_share * job.blocks_total
            changes.update(blocks_failed=1, units_ready=_tell_sheet(connection, job.id, unit.sheet))
        fatal = fatal or (text if is_fatal else None)
    add_to_job(connection, job.id, changes)
    if fatal is not None:
        end_job(connection, job.id, JobStatus.FAILED, error=fatal)
    else:
        _end_if_settled(connection, job, num_open=job.units_open - len(failed))


def _tell_sheet(connection: sa.Connection, job_id: str, sheet: str) -> int:
    """Count a settled block for its sheet; the last one makes the sheet ready.

    Returns:
        Units that have become ready: 0 or 1.
    """
    status = connection.execute(_TELL_SHEET, {"of_job": job_id, "of_sheet": sheet}).scalar_one()
    return int(status == UnitStatus.READY)


def _add_counts(connection: sa.Connection, job_id: str, figures: dict[str, Any]) -> None:
    """Add a sheet's pixels by class to its map's, and their confidences."""
    is_of_job = maps.c.job_id == job_id
    before, confidence_before = connection.execute(
        sa.select(maps.c.pixel_counts, maps.c.confidence_total).where(is_of_job)
    ).one()
    total = Counter({int(value): num for value, num in (before or {}).items()})
    total.update({int(value): num for value, num in figures.get("pixel_counts", {}).items()})
    summed = {str(value): num for value, num in sorted(total.items())}
    confidence = figures.get("confidence_total")
    if confidence is not None and before is not None:
        # A sheet that did not tell leaves the mean of the whole unknown for good.
        confidence = None if confidence_before is None else confidence_before + confidence
    values = {"pixel_counts": summed, "confidence_total": confidence}
    connection.execute(maps.update().where(is_of_job).values(values))


def _end_if_settled(connection: sa.Connection, job: JobRow, *, num_open: int) -> None:
    if num_open == 0:
        end_job(connection, job.id, JobStatus.SUCCESSFUL)

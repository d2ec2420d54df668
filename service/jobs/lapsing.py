"""Lapsing: what becomes of units whose worker is not heard of, or has died."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.ending import end_job, lock_job
from service.jobs.records import JobStatus
from service.jobs.schema import HAS_LAPSED, IS_LEASED, IS_LIVE, jobs, units
from service.jobs.settling import put_back

if TYPE_CHECKING:
    from service.jobs.engine import Database

_ANY_LAPSED = sa.select(units.c.id).where(HAS_LAPSED).limit(1)


def has_lapsed(connection: sa.Connection) -> bool:
    """Whether some lease is not kept any more."""
    return connection.execute(_ANY_LAPSED).first() is not None


def release_lapsed(database: Database, *, max_attempts: int) -> list[str]:
    """End the attempts whose leases have lapsed; others may take them up.

    Returns:
        The jobs that are concerned.
    """
    changed, _ = _release(
        database, HAS_LAPSED, error="its worker was not heard of", max_attempts=max_attempts, is_loss=True
    )
    return changed


def release_worker(database: Database, worker_id: str, *, max_attempts: int, is_loss: bool) -> int:
    """End all attempts of a worker that has died, or its child has.

    Args:
        database: Of the store.
        worker_id: Whose.
        max_attempts: Attempts that each unit has.
        is_loss: Whether the whole worker died, not only the child that was at work.

    Returns:
        Units that it held.
    """
    held = sa.and_(IS_LEASED, units.c.lease_worker == worker_id)
    error = f"worker {worker_id} died" if is_loss else f"the child of worker {worker_id} died"
    _, num_units = _release(database, held, error=error, max_attempts=max_attempts, is_loss=is_loss)
    return num_units


def end_settled(database: Database) -> list[str]:
    """End the live jobs of which nothing is open.

    Settling ends them already; this is for a store that was restored or repaired by hand.
    """
    with database.reading() as connection:
        found = (
            connection.execute(sa.select(jobs.c.id).where(IS_LIVE, jobs.c.units_open == 0)).scalars().all()
        )
    for job_id in found:
        with database.writing() as connection:
            job = lock_job(connection, job_id)
            if job is not None and job.units_open == 0 and not JobStatus(job.status).is_terminal:
                end_job(connection, job_id, JobStatus.SUCCESSFUL)
    return list(found)


def _release(
    database: Database, held: sa.ColumnElement[bool], *, error: str, max_attempts: int, is_loss: bool
) -> tuple[list[str], int]:
    """Release units job by job, each in a transaction of its own: nobody ever holds two jobs' rows."""
    with database.reading() as connection:
        concerned = connection.execute(sa.select(units.c.job_id).where(held).distinct()).scalars().all()
    changed, num_units = [], 0
    for job_id in concerned:
        with database.writing() as connection:
            job = lock_job(connection, job_id)
            tried = list(connection.execute(sa.select(units).where(units.c.job_id == job_id, held)))
            if job is None or not tried:
                continue
            put_back(connection, job, tried, error=error, max_attempts=max_attempts, is_loss=is_loss)
        changed.append(job_id)
        num_units += len(tried)
    return changed, num_units

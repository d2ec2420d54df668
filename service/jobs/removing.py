"""Removing jobs and maps; of a country, piece by piece, so that no writer waits long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.creating import CHUNK_ROWS
from service.jobs.ending import lock_job
from service.jobs.errors import JobUnderWay
from service.jobs.fleet import ALIVE_S
from service.jobs.records import JobStatus
from service.jobs.requests import KEEP_S
from service.jobs.schema import DRAFT, idempotency, jobs, maps, plans, units, workers
from service.jobs.tallies import keep_counts

if TYPE_CHECKING:
    from service.jobs.ending import JobRow
    from service.jobs.engine import Database

ABANDONED_S = 600.0
"""A draft that was not touched for this long was left by a process that died, in seconds."""


def remove_job(database: Database, job_id: str) -> bool:
    """Remove a job that is over, and its map with it.

    Returns:
        Whether there was one.

    Raises:
        JobUnderWay: It is not over.
    """
    with database.writing() as connection:
        job = lock_job(connection, job_id)
        if job is None:
            return False
        _require_over(job)
        keep_counts(connection, job_id)
        connection.execute(jobs.update().where(jobs.c.id == job_id).values(status=DRAFT, updated=now()))
    remove_draft(database, job_id)
    return True


def remove_map(database: Database, job_id: str) -> None:
    """Remove the map of a job that is over, and its units; the job remains, as history.

    Raises:
        JobUnderWay: It is not over.
    """
    with database.writing() as connection:
        job = lock_job(connection, job_id)
        if job is None:
            return
        _require_over(job)
        connection.execute(maps.delete().where(maps.c.job_id == job_id))
        connection.execute(plans.delete().where(plans.c.job_id == job_id))
    _remove_units(database, job_id)


def sweep(database: Database) -> None:
    """Remove what is of no use any more: abandoned drafts, old requests, workers long gone."""
    with database.reading() as connection:
        is_left = (jobs.c.status == DRAFT, jobs.c.updated < now() - ABANDONED_S)
        left = connection.execute(sa.select(jobs.c.id).where(*is_left)).scalars().all()
        is_old = idempotency.c.created < now() - KEEP_S
        is_gone = workers.c.last_seen < now() - 100 * ALIVE_S
        has_old = connection.execute(
            sa.select(sa.exists().where(is_old) | sa.exists().where(is_gone))
        ).scalar()
    for job_id in left:
        remove_draft(database, job_id)
    if has_old:
        with database.writing(is_durable=False) as connection:
            connection.execute(idempotency.delete().where(is_old))
            connection.execute(workers.delete().where(is_gone))


def _require_over(job: JobRow) -> None:
    if not JobStatus(job.status).is_terminal:
        raise JobUnderWay(f"job {job.id} is {job.status}", remedy="dismiss it first")


def remove_draft(database: Database, job_id: str) -> None:
    """Remove what nobody sees of a job, if there is any."""
    _remove_units(database, job_id)
    with database.writing() as connection:
        connection.execute(jobs.delete().where(jobs.c.id == job_id))


def _remove_units(database: Database, job_id: str) -> None:
    some = sa.select(units.c.id).where(units.c.job_id == job_id).limit(CHUNK_ROWS)
    num_removed = CHUNK_ROWS
    while num_removed == CHUNK_ROWS:
        with database.writing(is_durable=False) as connection:
            num_removed = connection.execute(units.delete().where(units.c.id.in_(some))).rowcount

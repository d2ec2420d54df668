"""A job's row: locking it, counting in it, and ending the job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.journal import write_log
from service.jobs.records import JobStatus, LogLevel, UnitStatus
from service.jobs.schema import IS_LEASED, IS_WHOLE, jobs, units
from service.jobs.tallies import tally_end

if TYPE_CHECKING:
    from collections import Counter

    JobRow = sa.Row[*tuple[Any, ...]]

_NEEDED = (
    *(jobs.c.id, jobs.c.status, jobs.c.seq, jobs.c.map_id, jobs.c.profile_class, jobs.c.profile),
    *(jobs.c.units_open, jobs.c.blocks_total, jobs.c.blocks_failed, jobs.c.max_failed_share),
)
_LOCK_JOB = sa.select(*_NEEDED).where(jobs.c.id == sa.bindparam("of_job"), IS_WHOLE).with_for_update()

_COUNTERS = (
    *("seq", "blocks_done", "blocks_failed", "px_done", "sheets_done"),
    *("units_open", "units_ready", "units_leased", "blocks_timed", "engine_us"),
)
_ADD_TO_JOB = (
    jobs.update()
    .where(jobs.c.id == sa.bindparam("of_job"))
    .values(updated=now(), **{name: jobs.c[name] + sa.bindparam(f"add_{name}") for name in _COUNTERS})
)


def lock_job(connection: sa.Connection, job_id: str) -> JobRow | None:
    """Take a job's row until the transaction ends; every change of a job or of its units begins so."""
    found: JobRow | None = connection.execute(_LOCK_JOB, {"of_job": job_id}).one_or_none()
    return found


def add_to_job(connection: sa.Connection, job_id: str, changes: Counter[str]) -> None:
    """Add to counters of a job, of which the row is held."""
    added = {f"add_{name}": changes[name] for name in _COUNTERS}
    connection.execute(_ADD_TO_JOB, {"of_job": job_id} | added)


def end_job(connection: sa.Connection, job_id: str, status: JobStatus, *, error: str | None = None) -> None:
    """Bring a live job, of which the row is held, to its terminal state; leases of it are void at once.

    Units that were being worked on did not fail: their attempts are not counted.
    """
    freed = connection.execute(
        units.update()
        .where(units.c.job_id == job_id, IS_LEASED)
        .values(
            status=UnitStatus.READY.value,
            attempts=units.c.attempts - 1,
            lease_token=None,
            lease_worker=None,
            lease_until=None,
        )
    ).rowcount
    ended = {"status": status.value, "error": error, "finished": now(), "updated": now()}
    counted = {
        "seq": jobs.c.seq + 1,
        "units_leased": 0,
        "units_ready": jobs.c.units_ready + freed,
    }
    duration_s = connection.execute(
        jobs.update()
        .where(jobs.c.id == job_id)
        .values(ended | counted)
        .returning(jobs.c.finished - jobs.c.created)
    ).scalar_one()
    level = LogLevel.ERROR if status == JobStatus.FAILED else LogLevel.INFO
    write_log(connection, job_id, f"{status}: {error}" if error else str(status), level=level)
    tally_end(connection, status, duration_s=duration_s)


def dismiss(connection: sa.Connection, job_id: str) -> None:
    """End a job because somebody asked; nothing happens to one that is over, or is not there."""
    job = lock_job(connection, job_id)
    if job is not None and not JobStatus(job.status).is_terminal:
        end_job(connection, job_id, JobStatus.DISMISSED)

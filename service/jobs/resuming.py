"""Resuming a job that stopped: what is done stays done, the rest is ready again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.ending import lock_job
from service.jobs.errors import JobNotResumable
from service.jobs.journal import write_log
from service.jobs.records import JobStatus, UnitKind, UnitStatus
from service.jobs.schema import HAS_FAILED, IS_READY, jobs, literally, maps, units
from service.jobs.tallies import Tally, add_tallies

if TYPE_CHECKING:
    from service.jobs.ending import JobRow


def resume(connection: sa.Connection, job_id: str) -> None:
    """Accept a failed or dismissed job again; failed units get fresh attempts.

    Blocks that failed in a sheet that is finished stay holes: the sheet is not made twice. Nothing happens
    where there is no such job.

    Raises:
        JobNotResumable: The job did not stop, or its map is deleted.
    """
    job = lock_job(connection, job_id)
    if job is None:
        return
    _require_resumable(connection, job)
    revived = _revive(connection, job)
    for sheet, num_blocks in Counter(row.sheet for row in revived if row.kind == UnitKind.BLOCK).items():
        connection.execute(
            _sheets(job_id).where(units.c.sheet == sheet).values(blocks_open=units.c.blocks_open + num_blocks)
        )
    has_open = units.c.blocks_open > 0
    connection.execute(_sheets(job_id).where(has_open, IS_READY).values(status=UnitStatus.WAITING.value))
    connection.execute(
        units.update()
        .where(units.c.job_id == job_id, IS_READY, units.c.attempts > 0)
        .values(attempts=0, losses=0)
    )
    again = {"status": JobStatus.ACCEPTED.value, "error": None, "finished": None, "updated": now()}
    counted = _counted(connection, job_id) | {"seq": job.seq + len(revived) + 1}
    connection.execute(jobs.update().where(jobs.c.id == job_id).values(again | counted))
    write_log(connection, job_id, f"resumed with {counted['units_open']} units to do")
    num_revived = job.blocks_failed - counted["blocks_failed"]
    add_tallies(connection, [Tally("blocks", "failed", "", num_revived, 0)])


def _require_resumable(connection: sa.Connection, job: JobRow) -> None:
    if job.status not in (JobStatus.FAILED, JobStatus.DISMISSED):
        raise JobNotResumable(
            f"job {job.id} is {job.status}", remedy="only failed and dismissed jobs can be resumed"
        )
    if connection.execute(sa.select(maps.c.id).where(maps.c.job_id == job.id)).one_or_none() is None:
        raise JobNotResumable(f"the map of job {job.id} was deleted", remedy="send the request again")


def _revive(connection: sa.Connection, job: JobRow) -> list[sa.Row[*tuple[Any, ...]]]:
    """Make failed units ready, each under a ``seq`` of its own, so that whoever follows the job sees it."""
    of_job = units.c.job_id == job.id
    finished = (
        sa.select(units.c.sheet)
        .where(of_job, units.c.kind == literally(UnitKind.SHEET), units.c.status == UnitStatus.DONE.value)
        .scalar_subquery()
    )
    may = sa.or_(units.c.kind != UnitKind.BLOCK.value, units.c.sheet.not_in(finished))
    order = sa.func.row_number().over(order_by=units.c.id)
    failed = sa.select(units.c.id, order.label("place")).where(of_job, HAS_FAILED, may).subquery()
    revived = connection.execute(
        units.update()
        .where(units.c.id == failed.c.id)
        .values(status=UnitStatus.READY.value, attempts=0, losses=0, error=None, seq=job.seq + failed.c.place)
        .returning(units.c.kind, units.c.sheet)
    )
    return list(revived)


def _sheets(job_id: str) -> sa.Update:
    return units.update().where(units.c.job_id == job_id, units.c.kind == literally(UnitKind.SHEET))


def _counted(connection: sa.Connection, job_id: str) -> dict[str, int]:
    """Counters of a job of which nothing is leased, counted anew."""
    query = sa.select(units.c.kind, units.c.status, sa.func.count().label("num")).where(
        units.c.job_id == job_id
    )
    found = {(row.kind, row.status): row.num for row in connection.execute(query.group_by("kind", "status"))}
    settled = (UnitStatus.DONE, UnitStatus.FAILED)
    return {
        "units_open": sum(num for (_, status), num in found.items() if status not in settled),
        "units_ready": sum(num for (_, status), num in found.items() if status == UnitStatus.READY),
        "blocks_failed": found.get((UnitKind.BLOCK, UnitStatus.FAILED), 0),
    }

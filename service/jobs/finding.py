"""Finding jobs and maps, and telling how they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.errors import JobUnknown, MapUnknown
from service.jobs.fleet import live_classes
from service.jobs.journal import read_log
from service.jobs.pages import read_page
from service.jobs.records import Job, JobStatus, LogLevel, MapRecord
from service.jobs.schema import IS_WHOLE, jobs, literally, maps

if TYPE_CHECKING:
    from service.jobs.records import Page

    Row = sa.Row[*tuple[Any, ...]]

_OF_JOB = (
    *(jobs.c.status, jobs.c.title, jobs.c.model, jobs.c.bounds_wgs84, jobs.c.area_km2, jobs.c.finished),
    *(jobs.c.request, jobs.c.sheets_total.label("num_sheets"), jobs.c.seq),
)
_MAPS = sa.select(maps, *_OF_JOB).join(jobs, jobs.c.id == maps.c.job_id).where(IS_WHOLE)


def find_job(connection: sa.Connection, job_id: str, *, owner: str | None = None) -> Job:
    """One job.

    Raises:
        JobUnknown: There is none, or it is another owner's.
    """
    query = sa.select(jobs).where(jobs.c.id == job_id, IS_WHOLE)
    row = connection.execute(_of_owner(query, jobs, owner)).one_or_none()
    if row is None:
        raise JobUnknown(f"there is no job {job_id!r}", remedy="list yours: GET /jobs, or orthoscape jobs")
    job = _job_of(row, live_classes(connection))
    return job if row.units_leased else _with_what_holds_it_up(connection, job)


def _with_what_holds_it_up(connection: sa.Connection, job: Job) -> Job:
    """A job nobody works on may wait for what only its log tells: a model that no worker has, a disk."""
    last = None if job.status.is_terminal else next(iter(read_log(connection, job.id, limit=1)), None)
    if last is None or last.level != LogLevel.WARNING:
        return job
    return replace(job, message=f"{job.message}; {last.text}")


def list_jobs(
    connection: sa.Connection, *, owner: str | None, status: JobStatus | None, limit: int, cursor: str | None
) -> Page[Job]:
    """Jobs, newest first."""
    query = _of_owner(sa.select(jobs).where(IS_WHOLE), jobs, owner)
    if status is not None:
        query = query.where(jobs.c.status == literally(JobStatus(status)))
    alive = live_classes(connection)
    return read_page(
        connection, query, by=jobs, limit=limit, cursor=cursor, made=lambda row: _job_of(row, alive)
    )


def find_same_job(connection: sa.Connection, *, owner: str, content_key: str) -> Job | None:
    """A job of this owner and content whose map is there: successful, else live, else stopped; newest."""
    rank = sa.case(
        (jobs.c.status == JobStatus.SUCCESSFUL.value, 0),
        (jobs.c.status.in_([JobStatus.ACCEPTED.value, JobStatus.RUNNING.value]), 1),
        else_=2,
    )
    query = (
        sa.select(jobs)
        .join(maps, maps.c.job_id == jobs.c.id)
        .where(jobs.c.owner == owner, jobs.c.content_key == content_key, IS_WHOLE)
        .order_by(rank, jobs.c.created.desc(), jobs.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _job_of(row, live_classes(connection))


def find_map(connection: sa.Connection, map_id: str, *, owner: str | None) -> MapRecord:
    """One map.

    Raises:
        MapUnknown: There is none, or it is another owner's.
    """
    row = connection.execute(_of_owner(_MAPS.where(maps.c.id == map_id), maps, owner)).one_or_none()
    if row is None:
        raise MapUnknown(f"there is no map {map_id!r}", remedy="list the maps of your key: GET /maps")
    return _map_of(row)


def list_maps(
    connection: sa.Connection, *, owner: str | None, name: str | None, limit: int, cursor: str | None
) -> Page[MapRecord]:
    """Maps, newest first."""
    query = _of_owner(_MAPS, maps, owner)
    if name is not None:
        query = query.where(maps.c.name == name)
    return read_page(connection, query, by=maps, limit=limit, cursor=cursor, made=_map_of)


def find_latest_map(connection: sa.Connection, name: str, *, owner: str | None) -> MapRecord:
    """The newest finished map of a name, else the newest.

    Raises:
        MapUnknown: No map has this name.
    """
    is_finished = sa.case((jobs.c.status == JobStatus.SUCCESSFUL.value, 0), else_=1)
    query = _of_owner(_MAPS.where(maps.c.name == name), maps, owner)
    ordered = query.order_by(is_finished, maps.c.created.desc(), maps.c.id.desc()).limit(1)
    row = connection.execute(ordered).one_or_none()
    if row is None:
        raise MapUnknown(f"no map is named {name!r}", remedy="list the maps of your key: GET /maps")
    return _map_of(row)


def find_maps_over(connection: sa.Connection, *, at_least_s: float) -> list[str]:
    """Ids of the maps whose jobs have been over for so long, oldest first."""
    is_over = jobs.c.finished < now() - at_least_s  # a job that is taken up again has no such time
    query = sa.select(maps.c.id).join(jobs, jobs.c.id == maps.c.job_id).where(IS_WHOLE, is_over)
    return list(connection.execute(query.order_by(jobs.c.finished)).scalars())


def _of_owner(query: sa.Select[Any], table: sa.Table, owner: str | None) -> sa.Select[Any]:
    return query if owner is None else query.where(table.c.owner == owner)


_SAME_IN_JOB = (
    *("id", "owner", "title", "request", "model", "model_digest", "profile_class", "profile", "map_id"),
    *("map_name", "priority", "area_km2", "num_px", "created", "started", "finished", "updated"),
    *("blocks_total", "blocks_done", "blocks_failed", "px_done", "px_total", "sheets_total", "sheets_done"),
    *("seq", "error", "content_key"),
)


def _job_of(row: Row, alive: set[str]) -> Job:
    same = {name: getattr(row, name) for name in _SAME_IN_JOB}
    left, bottom, right, top = row.bounds_wgs84
    return Job(
        status=JobStatus(row.status),
        message=_message(row, alive),
        notes=tuple(row.notes),
        bounds_wgs84=(left, bottom, right, top),
        **same,
    )


def _message(row: Row, alive: set[str]) -> str:
    """What happens with a job now, what it waits for, or why it ended."""
    status = JobStatus(row.status)
    if status.is_terminal:
        return _last_words(row, status)
    if row.profile_class is None and not alive:
        return "waits for a worker: none is alive"
    if row.profile_class is not None and row.profile_class not in alive:
        return f"waits for a worker of profile class {row.profile_class}: none is alive"
    if status == JobStatus.ACCEPTED:
        return "waits for its turn"
    if row.blocks_done + row.blocks_failed < row.blocks_total:
        return f"{row.blocks_done} of {row.blocks_total} blocks are done"
    return f"{row.sheets_done} of {row.sheets_total} sheets are finished"


def _last_words(row: Row, status: JobStatus) -> str:
    if status == JobStatus.FAILED:
        return str(row.error)
    if status == JobStatus.DISMISSED:
        return f"dismissed with {row.blocks_done} of {row.blocks_total} blocks done"
    if row.blocks_failed:
        return f"finished with {row.blocks_failed} of {row.blocks_total} blocks missing"
    return "finished"


_SAME_IN_MAP = (
    *("id", "name", "owner", "job_id", "title", "request", "model", "nomenclature", "epsg"),
    *("acquisition_date", "area_km2", "created", "finished", "num_sheets", "has_pictures", "seq"),
    "confidence_total",
)


def _map_of(row: Row) -> MapRecord:
    same = {name: getattr(row, name) for name in _SAME_IN_MAP}
    left, bottom, right, top = row.bounds_wgs84
    counts = row.pixel_counts
    return MapRecord(
        status=JobStatus(row.status),
        bounds_wgs84=(left, bottom, right, top),
        pixel_counts=None if counts is None else {int(value): num for value, num in counts.items()},
        **same,
    )

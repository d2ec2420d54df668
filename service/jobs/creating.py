"""Writing a new job: its row, its map, its plan and all its units.

A small job is one transaction. The units of a country are written in many, so that no writer waits long; the
job is a draft, which nobody sees, until the last.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.bulk import insert_rows
from service.jobs.clock import now
from service.jobs.finding import find_same_job
from service.jobs.ids import new_id
from service.jobs.journal import write_log
from service.jobs.packing import pack
from service.jobs.records import JobStatus, UnitKind, UnitStatus
from service.jobs.schema import DRAFT, jobs, maps, plans, units
from service.planning.blocks import plan_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from service.jobs.engine import Database
    from service.jobs.records import Job, NewJob
    from service.planning.blocks import Block
    from service.planning.jobs import SheetPlan

CHUNK_ROWS = 10_000
"""Most rows written, or deleted, in one transaction."""

SMALL_SHEET_PX = 10_240 * 10_240
"""Pictures of sheets up to this size are made first, so that a page has something to show: those of a square
kilometre at 0.1 m too. A picture takes about an eighth of its blocks' time, in which no block appears."""

_FIRST_PICTURES, _SHEETS, _RUNS, _LAST_PICTURES = (phase << 40 for phase in range(4))
"""Order of claims within a job; a number is added to each."""

_COLUMNS = (
    *("job_id", "kind", "sheet", "name", "row", "col", "run", "turn"),
    *("num_px", "status", "blocks_open", "attempts", "seq"),
)
Row = tuple[str | int, ...]
"""A unit: values of these columns."""


class SameJobThere(Exception):
    """There is a job of the same owner and content; of the new one at most a draft is left.

    Args:
        job: The one that is there.
        draft_id: Of the draft, to be removed.
    """

    def __init__(self, job: Job, *, draft_id: str) -> None:
        super().__init__(job.id)
        self.job, self.draft_id = job, draft_id


def create(database: Database, new: NewJob, *, is_same: Callable[[Job], bool] | None = None) -> str:
    """Write a job and everything of it.

    Args:
        database: Of the store.
        new: The job.
        is_same: Asked whether an equal job is as good; None makes another one whatever there is.

    Returns:
        The job's id.

    Raises:
        SameJobThere: Such a job is there; of those who ask at once, one makes it.
    """
    job_id, totals = new_id(), Counter[str]()
    rows = _unit_rows(new, job_id, totals)
    chunk = list(itertools.islice(rows, CHUNK_ROWS))
    is_first = True
    while True:
        following = list(itertools.islice(rows, CHUNK_ROWS))
        with database.writing(is_durable=not following) as connection:
            if is_same is not None and not following:
                _require_none_same(connection, new, job_id, is_same)
            if is_first:
                _insert_draft(connection, new, job_id)
            insert_rows(connection, units, _COLUMNS, chunk)
            if not following:
                _publish(connection, job_id, totals)
                return job_id
            connection.execute(jobs.update().where(jobs.c.id == job_id).values(updated=now()))
        is_first, chunk = False, following


def _require_none_same(
    connection: sa.Connection, new: NewJob, job_id: str, is_same: Callable[[Job], bool]
) -> None:
    """See that no equal job is there, and that none appears before this transaction's end.

    Raises:
        SameJobThere: One is.
    """
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
        digest = hashlib.sha256(f"{new.owner}\0{new.content_key}".encode()).digest()
        number = int.from_bytes(digest[:8], signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
    known = find_same_job(connection, owner=new.owner, content_key=new.content_key)
    if known is not None and is_same(known):
        raise SameJobThere(known, draft_id=job_id)


def _insert_draft(connection: sa.Connection, new: NewJob, job_id: str) -> None:
    """Write all but the units, with counters at zero."""
    plan, map_id = new.planned.plan, new_id()
    row = {
        "id": job_id,
        "owner": new.owner,
        "status": DRAFT,
        "title": new.title,
        "request": new.request,
        "notes": list(new.planned.notes),
        "model": plan.model,
        "model_digest": plan.model_digest,
        "content_key": new.content_key,
        "profile_class": new.profile_class,
        "map_id": map_id,
        "map_name": new.map_name,
        "priority": new.priority,
        "area_km2": new.area_km2,
        "bounds_wgs84": list(new.bounds_wgs84),
        "num_px": sum(sheet.window.num_px for sheet in plan.sheets),
        "run_blocks": new.run_blocks,
        "max_failed_share": new.max_failed_share,
    }
    counters = (
        *("blocks_total", "blocks_done", "blocks_failed", "px_total", "px_done", "sheets_total"),
        *("sheets_done", "units_open", "units_ready", "units_leased", "seq"),
    )
    connection.execute(
        jobs.insert().values(created=now(), updated=now(), **row, **dict.fromkeys(counters, 0))
    )
    connection.execute(plans.insert().values(job_id=job_id, packed=pack(new.planned)))
    map_row = {
        "id": map_id,
        "job_id": job_id,
        "name": new.map_name,
        "owner": new.owner,
        "nomenclature": new.nomenclature,
        "epsg": plan.epsg,
        "acquisition_date": new.acquisition_date,
        "has_pictures": new.has_pictures,
    }
    connection.execute(maps.insert().values(created=now(), **map_row))


def _publish(connection: sa.Connection, job_id: str, totals: Counter[str]) -> None:
    """Make a draft, whose units are all there, a job."""
    connection.execute(
        jobs.update().where(jobs.c.id == job_id).values(status=JobStatus.ACCEPTED, updated=now(), **totals)
    )
    write_log(
        connection, job_id, f"accepted: {totals['blocks_total']} blocks, {totals['sheets_total']} sheets"
    )


def _unit_rows(new: NewJob, job_id: str, totals: Counter[str]) -> Iterator[Row]:
    """The units of a job, counted as they are given."""
    plan, runs_before = new.planned.plan, 0
    for number, sheet in enumerate(plan.sheets):
        blocks = plan.blocks_of(sheet)
        runs = _runs_of(blocks, new.run_blocks)
        yield from _sheet_rows(new, sheet, job_id, number=number, num_blocks=len(blocks))
        for run, members in enumerate(runs, start=runs_before):
            yield from (_block_row(block, sheet, job_id, run) for block in members)
        runs_before += len(runs)
        totals.update(
            blocks_total=len(blocks),
            px_total=sum(block.window.num_px for block in blocks),
            sheets_total=1,
            units_open=len(blocks) + 1 + new.has_pictures,
            units_ready=len(blocks) + (not blocks) + new.has_pictures,
        )


def _runs_of(blocks: Iterable[Block], run_blocks: int) -> list[tuple[Block, ...]]:
    """Runs of a sheet in reading order: as wide as they may be, downwards where the sheet is narrow."""
    found = sorted(blocks)
    if not found:
        return []
    cols = [block.col for block in found]
    max_cols = min(run_blocks, max(cols) - min(cols) + 1)
    runs = plan_runs(found, max_cols=max_cols, max_rows=max(1, run_blocks // max_cols))
    return sorted(runs, key=lambda run: run[0])


def _block_row(block: Block, sheet: SheetPlan, job_id: str, run: int) -> Row:
    place = (sheet.name, block.name, block.row, block.col, run, _RUNS + run)
    return (job_id, UnitKind.BLOCK.value, *place, block.window.num_px, UnitStatus.READY.value, 0, 0, 0)


def _sheet_rows(new: NewJob, sheet: SheetPlan, job_id: str, *, number: int, num_blocks: int) -> Iterator[Row]:
    """The units that make a sheet's files: its products, and its picture, which is ready at once."""
    place, num_px = (sheet.name, sheet.name, 0, 0, 0), sheet.window.num_px
    status = (UnitStatus.WAITING if num_blocks else UnitStatus.READY).value
    yield (job_id, UnitKind.SHEET.value, *place, _SHEETS + number, num_px, status, num_blocks, 0, 0)
    if new.has_pictures:
        turn = (_FIRST_PICTURES if num_px <= SMALL_SHEET_PX else _LAST_PICTURES) + number
        yield (job_id, UnitKind.PICTURE.value, *place, turn, num_px, UnitStatus.READY.value, 0, 0, 0)

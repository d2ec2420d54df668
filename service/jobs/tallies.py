"""Tallies: what is counted for ever, also when the jobs that it was counted from are gone.

A job's row counts its blocks for as long as it is there, in the update that settles each block anyway; so
nothing is written here for a block, and workers never wait for each other over a row of this table. What
leaves a job's row is added here in the same transaction, and so is every end of a job.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from service.jobs.fleet import inserting
from service.jobs.records import JobStatus
from service.jobs.schema import IS_WHOLE, jobs, literally, tallies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from service.jobs.engine import Database

BOUNDS_S = (
    *(5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0),
    *(10_800.0, 43_200.0, 86_400.0, 604_800.0, float("inf")),
)
"""Upper bounds, included, by which durations of jobs are counted, in seconds: an upload's to a country's."""

_US = 1_000_000


class Tally(NamedTuple):
    """So many more of one kind."""

    name: str
    """``blocks`` by status, ``inference`` by model and device, ``ended`` by status and bound."""
    first: str
    second: str
    num: int
    total: int
    """Pixels of these blocks, or microseconds."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """All that was ever counted; none of it ever falls."""

    jobs: Mapping[str, int]
    """Ends of jobs by how; a job that is resumed ends again."""

    blocks: Mapping[str, int]
    """Blocks that are done, and those given up; one that is given up, resumed and done counts as both."""

    num_px: int
    """Pixels of the blocks that are done."""

    inference: Mapping[tuple[str, str], tuple[int, float]]
    """By model and device, blocks done of which the engine's time is known, and that time in seconds."""

    durations: Mapping[float, int]
    """Jobs that succeeded within so many seconds of being accepted, for each of `BOUNDS_S`; cumulative."""

    duration_s: float
    """Sum over those jobs."""


def _counted(condition: sa.ColumnElement[bool]) -> list[sa.Select[Any]]:
    """What rows of jobs count, in the form of tallies."""
    # A parameter in two places is two expressions to PostgreSQL: the device is named before it groups.
    device = sa.func.coalesce(jobs.c.profile["provider"].as_string(), "")
    timed = (
        sa.select(jobs.c.model, device.label("device"), jobs.c.blocks_timed, jobs.c.engine_us)
        .where(condition, jobs.c.blocks_timed > 0)
        .subquery()
    )

    def summed(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
        return sa.func.coalesce(sa.func.sum(column), 0)

    blocks, empty = literally("blocks"), literally("")
    done = (literally("done"), empty, summed(jobs.c.blocks_done), summed(jobs.c.px_done))
    failed = (literally("failed"), empty, summed(jobs.c.blocks_failed), sa.literal(0))
    times = (timed.c.model, timed.c.device, summed(timed.c.blocks_timed), summed(timed.c.engine_us))
    return [
        sa.select(blocks, *done).where(condition),
        sa.select(blocks, *failed).where(condition),
        sa.select(literally("inference"), *times).group_by(timed.c.model, timed.c.device),
    ]


_OF_JOB = sa.union_all(*_counted(jobs.c.id == sa.bindparam("of_job")))
# One statement, so that it sees one state: a job is counted by its row or by the tallies, never by both.
_OF_ALL = sa.union_all(*_counted(IS_WHOLE), sa.select(*tallies.c))


def keep_counts(connection: sa.Connection, job_id: str) -> None:
    """Add to the tallies what a job's row counts, before that row is no longer one of a job."""
    counted = connection.execute(_OF_JOB, {"of_job": job_id}).all()
    add_tallies(connection, (Tally._make(row) for row in counted))


def tally_end(connection: sa.Connection, status: JobStatus, *, duration_s: float) -> None:
    """Count the end of a job, so long after it was accepted."""
    duration_us = max(0, round(duration_s * _US))
    bound_s = BOUNDS_S[bisect_left(BOUNDS_S, duration_us / _US)]
    add_tallies(connection, [Tally("ended", status.value, str(bound_s), 1, duration_us)])


def add_tallies(connection: sa.Connection, added: Iterable[Tally]) -> None:
    """Add to tallies; the last thing that a transaction does but for the job's own row and log."""
    insert = inserting(connection, tallies)
    add = insert.on_conflict_do_update(
        index_elements=tallies.primary_key.columns,
        set_={name: tallies.c[name] + insert.excluded[name] for name in ("num", "total")},
    )
    for tally in sorted(added):
        if tally.num:
            connection.execute(add, tally._asdict() | {"num": int(tally.num), "total": int(tally.total)})


def read_totals(database: Database) -> Totals:
    """Sum up what jobs' rows and the tallies count; some ten milliseconds for thousands of jobs."""
    num, total = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    with database.reading() as connection:
        for row in connection.execute(_OF_ALL):
            tally = Tally._make(row)
            num[tally[:3]] += int(tally.num)
            total[tally[:3]] += int(tally.total)
    succeeded = {
        float(bound): (count, total[name, status, bound])
        for (name, status, bound), count in num.items()
        if (name, status) == ("ended", JobStatus.SUCCESSFUL)
    }
    ends = {status.value: 0 for status in JobStatus if status.is_terminal}
    for (name, status, _), count in num.items():
        if name == "ended":
            ends[status] += count
    return Totals(
        jobs=ends,
        blocks={status: num["blocks", status, ""] for status in ("done", "failed")},
        num_px=total["blocks", "done", ""],
        inference={
            (model, device): (count, total[name, model, device] / _US)
            for (name, model, device), count in sorted(num.items())
            if name == "inference"
        },
        durations={
            bound_s: sum(count for bound, (count, _) in succeeded.items() if bound <= bound_s)
            for bound_s in BOUNDS_S
        },
        duration_s=sum(each_us for _, each_us in succeeded.values()) / _US,
    )

"""What the store can tell of itself at a glance, for whoever watches over the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.records import JobStatus
from service.jobs.schema import IS_LIVE, IS_WHOLE, jobs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.jobs.engine import Database


_SUMS = (jobs.c.blocks_total, jobs.c.blocks_done, jobs.c.blocks_failed, jobs.c.px_total, jobs.c.px_done)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The store at one moment."""

    jobs: Mapping[str, int]
    """Jobs by status, every status named."""

    blocks: Mapping[str, int]
    """Blocks of all jobs: done, failed, and those still to do."""

    pixels: Mapping[str, int]
    """Pixels of those blocks: done, and still to do."""

    units_ready: Mapping[str | None, int]
    """Units that a worker could lease now, by profile class; None for those that any class may take."""

    units_leased: Mapping[str | None, int]
    """Units that workers hold, by profile class."""


def read_figures(database: Database) -> Figures:
    """Read them all; a few milliseconds, whatever the store holds of blocks."""
    with database.reading() as connection:
        by_status = connection.execute(
            sa.select(jobs.c.status, sa.func.count()).where(IS_WHOLE).group_by(jobs.c.status)
        ).all()
        blocks, done, failed, px, px_done = connection.execute(
            sa.select(
                *(sa.func.coalesce(sa.func.sum(column), 0) for column in _SUMS),
            ).where(IS_WHOLE)
        ).one()
        by_class = connection.execute(
            sa.select(jobs.c.profile_class, sa.func.sum(jobs.c.units_ready), sa.func.sum(jobs.c.units_leased))
            .where(IS_LIVE)
            .group_by(jobs.c.profile_class)
        ).all()
    return Figures(
        jobs={status.value: 0 for status in JobStatus} | {row.status: row[1] for row in by_status},
        blocks={"done": int(done), "failed": int(failed), "open": int(blocks - done - failed)},
        pixels={"done": int(px_done), "open": int(px - px_done)},
        units_ready={name: int(ready) for name, ready, _ in by_class},
        units_leased={name: int(leased) for name, _, leased in by_class},
    )

"""The log of a job: what happened to it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.records import LogEntry, LogLevel
from service.jobs.schema import job_log

if TYPE_CHECKING:
    from sqlalchemy import Connection

MAX_TEXT = 4000
"""Letters kept of an entry, or of an error."""


def write_log(connection: Connection, job_id: str, text: str, *, level: LogLevel = LogLevel.INFO) -> None:
    """Add an entry, in the transaction of what it tells."""
    connection.execute(
        job_log.insert().values(job_id=job_id, at=now(), level=level.value, text=text[:MAX_TEXT])
    )


def read_log(connection: Connection, job_id: str, *, limit: int) -> list[LogEntry]:
    """The last entries, oldest first."""
    last = sa.select(job_log).where(job_log.c.job_id == job_id).order_by(job_log.c.id.desc()).limit(limit)
    entries = [
        LogEntry(at=row.at, level=LogLevel(row.level), text=row.text) for row in connection.execute(last)
    ]
    return entries[::-1]

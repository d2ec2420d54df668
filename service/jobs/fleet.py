"""Workers as they told of themselves, and duties that one process at a time performs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.jobs.clock import now
from service.jobs.records import WorkerInfo
from service.jobs.schema import leases, workers

if TYPE_CHECKING:
    from service.jobs.engine import Database

    Insert = postgresql.Insert | sqlite.Insert

ALIVE_S = 30.0
"""A worker that was heard of within this time is alive, in seconds."""


def inserting(connection: sa.Connection, table: sa.Table) -> Insert:
    """An INSERT that may say what to do where the row is there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def live_classes(connection: sa.Connection) -> set[str]:
    """Profile classes of the workers that are alive."""
    query = sa.select(workers.c.profile_class).where(workers.c.last_seen >= now() - ALIVE_S).distinct()
    return set(connection.execute(query).scalars())


class Fleet:
    """Workers, and duties; each method is one transaction, and may raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, worker: WorkerInfo) -> None:
        """Note a worker, or, again and again, that it is alive."""
        told = {
            "profile_class": worker.profile_class,
            "host": worker.host,
            "pid": worker.pid,
            "mpx_per_s": worker.mpx_per_s,
            "last_seen": now(),
        }
        with self._database.writing(is_durable=False) as connection:
            statement = inserting(connection, workers).values(id=worker.id, **told)
            connection.execute(statement.on_conflict_do_update(index_elements=[workers.c.id], set_=told))

    def forget(self, worker_id: str) -> None:
        """Forget a worker that leaves."""
        with self._database.writing(is_durable=False) as connection:
            connection.execute(workers.delete().where(workers.c.id == worker_id))

    def workers(self, *, alive_s: float = ALIVE_S) -> list[WorkerInfo]:
        """Workers that were heard of within this time."""
        query = sa.select(workers).where(workers.c.last_seen >= now() - alive_s).order_by(workers.c.id)
        with self._database.reading() as connection:
            return [WorkerInfo(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001  its public face

    def hold(self, name: str, holder: str, *, lease_s: float) -> bool:
        """Take or keep a duty that one process at a time performs.

        Returns:
            Whether it is the holder's for the next ``lease_s`` seconds.
        """
        with self._database.writing(is_durable=False) as connection:
            claim = inserting(connection, leases).values(
                name=name, holder=holder, lease_until=now() + lease_s
            )
            taken = claim.on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"holder": holder, "lease_until": now() + lease_s},
                where=sa.or_(leases.c.holder == holder, leases.c.lease_until < now()),
            ).returning(leases.c.name)
            return connection.execute(taken).one_or_none() is not None

    def holder(self, name: str) -> str | None:
        """Who holds a duty, or held it last; None for one that nobody ever took."""
        query = sa.select(leases.c.holder).where(leases.c.name == name)
        with self._database.reading() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
        return found

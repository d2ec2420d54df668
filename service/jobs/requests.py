"""Requests with an Idempotency-Key: a repeated one gets the first one's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.errors import RequestDiffers, RequestUnderWay
from service.jobs.fleet import inserting
from service.jobs.schema import idempotency

if TYPE_CHECKING:
    from service.jobs.engine import Database

KEEP_S = 24 * 3600.0
"""A key is remembered for this long, in seconds."""

GIVEN_UP_S = 300.0
"""A request of which nothing was heard for this long may be made anew: its process died, in seconds."""


class Requests:
    """Keys that requests came with; each method is one transaction, and may raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, *, owner: str, key: str, digest: str) -> str | None:
        """Note a request that has an Idempotency-Key, before it is answered.

        Returns:
            The job that answered it earlier; None when it is new, and to be answered now.

        Raises:
            RequestDiffers: The key came with another request.
            RequestUnderWay: The same request is being answered at this moment.
        """
        with self._database.writing() as connection:
            return _remember(connection, owner=owner, key=key, digest=digest)

    def touch(self, *, owner: str, key: str) -> None:
        """Say, now and then, that a request is still being answered."""
        with self._database.writing(is_durable=False) as connection:
            connection.execute(idempotency.update().where(*_open(owner, key)).values(created=now()))

    def answer(self, *, owner: str, key: str, job_id: str) -> None:
        """Note the job that answers a request."""
        with self._database.writing() as connection:
            connection.execute(idempotency.update().where(*_own(owner, key)).values(job_id=job_id))

    def forget(self, *, owner: str, key: str) -> None:
        """Forget a request that was refused, so that its key may be used again."""
        with self._database.writing() as connection:
            connection.execute(idempotency.delete().where(*_open(owner, key)))


def _own(owner: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (idempotency.c.owner == owner, idempotency.c.key == key)


def _open(owner: str, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    """A request that no job has answered."""
    return (*_own(owner, key), idempotency.c.job_id.is_(None))


def _remember(connection: sa.Connection, *, owner: str, key: str, digest: str) -> str | None:
    own = _own(owner, key)
    is_old = sa.or_(
        idempotency.c.created < now() - KEEP_S,
        sa.and_(idempotency.c.job_id.is_(None), idempotency.c.created < now() - GIVEN_UP_S),
    )
    connection.execute(idempotency.delete().where(*own, is_old))
    new = inserting(connection, idempotency).values(owner=owner, key=key, digest=digest, created=now())
    added, known = new.on_conflict_do_nothing().returning(idempotency.c.key), None
    while known is None:
        if connection.execute(added).one_or_none():
            return None
        # In PostgreSQL the one that was in the way may be forgotten before it is looked at.
        known = connection.execute(sa.select(idempotency).where(*own)).one_or_none()
    if known.digest != digest:
        raise RequestDiffers(
            f"the Idempotency-Key {key!r} came with another request before", remedy="send a fresh key"
        )
    if known.job_id is None:
        raise RequestUnderWay(
            f"the request with Idempotency-Key {key!r} is being answered", remedy="repeat it in a moment"
        )
    return str(known.job_id)

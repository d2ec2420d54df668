"""Requests with an Idempotency-Key: a repeated one gets the first one's answer."""

from __future__ import annotations

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.errors import RequestDiffers, RequestUnderWay
from service.jobs.fleet import inserting
from service.jobs.schema import idempotency

KEEP_S = 24 * 3600.0
"""A key is remembered for this long, in seconds."""

GIVEN_UP_S = 300.0
"""A request of which nothing was heard for this long may be made anew: its process died, in seconds."""


def remember_request(connection: sa.Connection, *, owner: str, key: str, digest: str) -> str | None:
    """Note a request before it is answered.

    Returns:
        The job that answered it earlier; None when it is new, and to be answered now.

    Raises:
        RequestDiffers: The key came with another request.
        RequestUnderWay: The same request is being answered at this moment.
    """
    own = (idempotency.c.owner == owner, idempotency.c.key == key)
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


def touch_request(connection: sa.Connection, *, owner: str, key: str) -> None:
    """Say that a request is still being answered."""
    own = (idempotency.c.owner == owner, idempotency.c.key == key, idempotency.c.job_id.is_(None))
    connection.execute(idempotency.update().where(*own).values(created=now()))


def answer_request(connection: sa.Connection, *, owner: str, key: str, job_id: str) -> None:
    """Note the job that answers a request."""
    own = (idempotency.c.owner == owner, idempotency.c.key == key)
    connection.execute(idempotency.update().where(*own).values(job_id=job_id))


def forget_request(connection: sa.Connection, *, owner: str, key: str) -> None:
    """Forget a request that was refused, so that its key may be used again."""
    own = (idempotency.c.owner == owner, idempotency.c.key == key, idempotency.c.job_id.is_(None))
    connection.execute(idempotency.delete().where(*own))

"""Keys in the store: their digests, never their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.errors import NotFound
from service.jobs import schema
from service.jobs.clock import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.jobs.engine import Database

_COLUMNS = tuple(schema.keys.c)


class KeyUnknown(NotFound):
    """There is no key with this public part."""


@dataclass(frozen=True, kw_only=True)
class KeyRecord:
    """A key as the store knows it; times are epoch seconds of the store's clock."""

    id: str
    """Public part."""
    owner: str
    """Whose jobs and maps it opens."""
    name: str
    """What its maker calls it."""
    digest: str
    """SHA-256 of its text, in hexadecimal."""
    scopes: tuple[str, ...]
    """What it allows."""
    created: float
    expires: float | None
    """None for never."""
    revoked: float | None
    """None if it was not."""


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """All that is known of a key when it is added."""

    id: str
    owner: str
    name: str
    digest: str
    scopes: Sequence[str]
    lasts_s: float | None = None
    """None for ever."""


@dataclass(frozen=True)
class Keys:
    """The table of keys."""

    database: Database

    def add(self, new: NewKey) -> KeyRecord:
        """Keep a new key; it is recognised from now on."""
        expires = sa.null() if new.lasts_s is None else now() + new.lasts_s
        row = {
            "id": new.id,
            "owner": new.owner,
            "name": new.name,
            "digest": new.digest,
            "scopes": list(new.scopes),
            "created": now(),
            "expires": expires,
        }
        with self.database.writing() as connection:
            statement = sa.insert(schema.keys).values(row).returning(*_COLUMNS)
            return _record(connection.execute(statement).one())

    def all(self) -> list[KeyRecord]:
        """Every key there ever was, ended ones too, the oldest first."""
        with self.database.reading() as connection:
            statement = sa.select(*_COLUMNS).order_by(schema.keys.c.created, schema.keys.c.id)
            return [_record(row) for row in connection.execute(statement)]

    def revoke(self, key_id: str) -> KeyRecord:
        """End a key, for good; of one that was ended before, the first time stays.

        Raises:
            KeyUnknown: There is none of that id.
        """
        with self.database.writing() as connection:
            statement = (
                sa.update(schema.keys)
                .where(schema.keys.c.id == key_id)
                .values(revoked=sa.func.coalesce(schema.keys.c.revoked, now()))
                .returning(*_COLUMNS)
            )
            row = connection.execute(statement).one_or_none()
        if row is None:
            raise KeyUnknown(f"there is no key {key_id!r}", remedy="`orthoscape keys list` shows them all")
        return _record(row)


def _record(row: sa.Row[*tuple[Any, ...]]) -> KeyRecord:
    fields = row._asdict()
    return KeyRecord(**fields | {"scopes": tuple(fields["scopes"])})

"""Bringing a database to the state of `schema`: Alembic, run by whoever opens the store.

Several processes may open it at once: one migrates, under a lock, the others wait and find it done.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from service.jobs.errors import StoreNewer

if TYPE_CHECKING:
    from service.jobs.engine import Database

HEAD = "0004"
"""The revision that this version of the program works with; the last one in ``migrations/versions``."""

_LOCK = 0x0472_0050_6A6F_6273
"""Number of PostgreSQL's advisory lock under which migrations run."""

_version = sa.table("alembic_version", sa.column("version_num", sa.String))


def migrate(database: Database) -> None:
    """Bring a database to `HEAD`, from nothing or from any earlier revision.

    Raises:
        StoreNewer: A newer version of the program was here.
        StoreUnavailable: The database cannot be reached, or cannot be written.
    """
    with database.reading() as connection:
        if revision_of(connection) == HEAD:
            return
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        _upgrade(connection, revision_of(connection))


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a database is at; None when it is empty."""
    if not sa.inspect(connection).has_table(_version.name):
        return None
    return connection.execute(sa.select(_version.c.version_num)).scalar()


def _upgrade(connection: sa.Connection, revision: str | None) -> None:
    """Run what is missing in the transaction at hand."""
    # Imported here: opening a store that is up to date, as each worker does, needs no Alembic.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreNewer(
            f"the store is at revision {revision}, this version of Orthoscape knows revisions up to {HEAD}",
            remedy="run the newer version, or give this one a store of its own with ORTHOSCAPE_STORE_URL",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

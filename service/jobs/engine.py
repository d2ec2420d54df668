"""The way to the database: SQLite in WAL mode, or PostgreSQL through psycopg 3, with one set of rules.

Writing transactions take SQLite's write lock as they begin, so none fails halfway for having begun as a
reader. Transactions that may be lost with a power cut, since losing them only repeats work, do not wait
for the disk.
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from service.jobs.errors import StoreUnavailable, StoreUrlInvalid, TextInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.pool import ConnectionPoolEntry

    from service.errors import ServiceError

BUSY_TIMEOUT_S = 30.0
"""How long a writer of SQLite waits for another one."""

_MODE_RETRY_S = 0.01
"""Between two attempts at a file whose mode another connection is changing."""

PING_AFTER_S = 1.0
"""A connection to PostgreSQL that rested for longer is tried before it is used, in seconds."""

_REMEDIES = {
    "readonly": "give the server write access to the file and to its folder",
    "read-only": "give the server a database that takes writes (is this a standby?)",
    "full": "free some disk space, then repeat",
    "space left": "free some disk space, then repeat",
    "unable to open": "create the folder, or correct ORTHOSCAPE_STORE_URL",
    "not a database": "correct ORTHOSCAPE_STORE_URL, or restore the file from a copy",
    "malformed": "restore the file from a copy",
    "locked": "another process writes for long; repeat",
    "password": "correct the user and the password in ORTHOSCAPE_STORE_URL",
}
"""What to do, by words of the database's own message."""


class Database:
    """An engine, and the two ways to use it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._pid = os.getpid()

    @classmethod
    def at(cls, url: str) -> Database:
        """Prepare the way to a database; nothing is connected yet.

        Raises:
            StoreUrlInvalid: The address names no database that is known here.
            StoreUnavailable: The folder of an SQLite file cannot be made.
        """
        parsed = _parse(url)
        if parsed.get_backend_name() == "sqlite":
            return cls(_sqlite_engine(parsed))
        return cls(_postgresql_engine(parsed))

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state and changes nothing.

        Raises:
            StoreUnavailable: The database cannot be reached.
        """
        with self._transaction(writes=False, is_durable=False) as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self, *, is_durable: bool = True) -> Iterator[sa.Connection]:
        """A transaction that is committed at the end, or undone by an error.

        Args:
            is_durable: Whether it must survive a power cut once committed.

        Raises:
            StoreUnavailable: The database cannot be reached, or cannot be written.
        """
        with self._transaction(writes=True, is_durable=is_durable) as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _transaction(self, **options: bool) -> Iterator[sa.Connection]:
        self._leave_to_parent()
        try:
            with self.engine.connect() as connection:
                connection = connection.execution_options(**options)  # noqa: PLW2901  the same, told how
                with connection.begin():
                    yield connection
        except (exc.DBAPIError, exc.TimeoutError) as error:
            translated = _translated(error, self.engine.url)
            if translated is None:
                raise
            raise translated from error

    def _leave_to_parent(self) -> None:
        """In a forked child, forget the parent's connections without closing them."""
        if self._pid != os.getpid():
            self.engine.dispose(close=False)
            self._pid = os.getpid()


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise StoreUrlInvalid(
            f"{url!r} is no address of a store",
            remedy="give sqlite:////absolute/path.sqlite or postgresql://user:password@host/name",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite+pysqlite")
    raise StoreUrlInvalid(
        f"the store cannot live in {parsed.render_as_string()!r}",
        remedy="give a file, sqlite:////absolute/path.sqlite, or postgresql://user:password@host/name",
    )


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"{folder} cannot be made: {error.strerror}", remedy="set ORTHOSCAPE_HOME to a writable folder"
        ) from error
    engine = sa.create_engine(
        url, pool_size=4, max_overflow=60, connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None}
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    cursor = connection.cursor()
    _write_ahead(cursor)
    for pragma in ("foreign_keys = ON", "temp_store = MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """Put a new file into WAL mode, whoever else is doing so: SQLite itself does not wait there."""
    give_up_at = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise
            time.sleep(_MODE_RETRY_S)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options['is_durable'] else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql_engine(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=4, max_overflow=12, pool_timeout=BUSY_TIMEOUT_S)
    sa.event.listen(engine, "connect", _prepare_postgresql)
    sa.event.listen(engine, "checkin", _note_rest)
    sa.event.listen(engine, "checkout", _check_after_rest)
    sa.event.listen(engine, "begin", _begin_postgresql)
    return engine


def _note_rest(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["resting_since"] = time.monotonic()


def _check_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401
    """Find out whether the server has closed a connection meanwhile; the pool then makes another one.

    SQLAlchemy's own ``pool_pre_ping`` asks before every transaction, which is a sixth of a block's cost.
    """
    if time.monotonic() - record.info.get("resting_since", math.inf) < PING_AFTER_S:
        return
    try:
        connection.execute("")
        connection.rollback()
    except psycopg.Error as error:
        raise exc.DisconnectionError from error


def _prepare_postgresql(connection: Any, _record: object) -> None:  # noqa: ANN401  any DBAPI's
    connection.autocommit = True
    connection.execute("SET synchronous_commit TO off")
    connection.autocommit = False


def _begin_postgresql(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes") and options["is_durable"]:
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO on")


def _translated(error: exc.DBAPIError | exc.TimeoutError, url: sa.URL) -> ServiceError | None:
    """What of the database's errors is the state of the world, or of what it was given; None for our own."""
    if isinstance(error, exc.TimeoutError):
        return _unavailable("no connection is free", "repeat", url)
    text = str(error.orig).strip()
    if isinstance(error, exc.DataError):
        return TextInvalid(
            f"the job store cannot hold this: {text}", remedy="leave out what is not printable"
        )
    remedy = next((remedy for words, remedy in _REMEDIES.items() if words in text), None)
    if error.connection_invalidated or isinstance(error, exc.OperationalError | exc.InterfaceError):
        return _unavailable(text, remedy or "check that the database runs; repeat", url)
    # A damaged file of SQLite, and a standby of PostgreSQL, are reported as errors of no particular kind.
    if remedy is not None and type(error) in (exc.DatabaseError, exc.InternalError):
        return _unavailable(text, remedy, url)
    return None


def _unavailable(text: str, remedy: str, url: sa.URL) -> StoreUnavailable:
    is_file = url.get_backend_name() == "sqlite"
    where = url.database if is_file else f"{url.host or 'localhost'}/{url.database}"
    return StoreUnavailable(f"the job store {where} does not answer: {text}", remedy=remedy)

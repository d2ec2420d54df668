"""A store in SQLite and one in PostgreSQL: every test runs on both, on the second mostly in the slow half."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.jobs.schema import metadata, units
from service.jobs.store import Store
from tests.needs import needs_postgresql


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory) -> Iterator[str]:
    """The address of a real PostgreSQL, one for all tests of this process."""
    needs_postgresql()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))  # it warns without
        import pgserver  # noqa: PLC0415  an extra

        server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory) -> Path:
    """An empty store, to be copied: making its tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("sqlite") / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def _postgresql_store(postgresql) -> Iterator[Store]:
    store = Store.open(postgresql)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def backend(request) -> str:
    """Both, of which the fast half takes one but where `on_both` says otherwise."""
    return request.param


@pytest.fixture
def store(backend, request, tmp_path) -> Iterator[Store]:
    """An empty store."""
    if backend == "postgresql":
        store = request.getfixturevalue("_postgresql_store")
        empty(store)
        yield store
        return
    path = tmp_path / "store.sqlite"
    shutil.copy(request.getfixturevalue("_migrated_sqlite"), path)
    store = Store.open(f"sqlite:///{path}")
    yield store
    store.close()


@pytest.fixture
def fresh_url(backend, request, tmp_path) -> str:
    """The address of a database in which nothing is."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'sub' / 'store.sqlite'}"
    return _fresh_postgresql(request.getfixturevalue("postgresql"))


@pytest.fixture
def fresh_postgresql(postgresql) -> str:
    """The address of a database of PostgreSQL in which nothing is."""
    return _fresh_postgresql(postgresql)


def _fresh_postgresql(url: str) -> str:
    server = sa.make_url(url).set(drivername="postgresql+psycopg")
    name = f"fresh_{secrets.token_hex(8)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)


@pytest.fixture
def lapse(store) -> Callable[[], None]:
    """Make all leases of units lapse at once, instead of waiting."""

    def lapse_all() -> None:
        with store.begin() as connection:
            held = units.c.status == "leased"
            connection.execute(units.update().where(held).values(lease_until=0.0))

    return lapse_all


def empty(store: Store) -> None:
    """Delete all rows."""
    with store.begin() as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(sa.text(f"TRUNCATE {names} CASCADE"))
            return
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())

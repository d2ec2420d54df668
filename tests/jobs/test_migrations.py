"""Opening a store: its tables are made, whoever comes first, and are those of the code."""

import multiprocessing
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.jobs import migrating
from service.jobs.errors import StoreNewer
from service.jobs.schema import metadata
from service.jobs.store import Store
from tests.jobs.plans import make_job
from tests.jobs.working import on_both


@on_both
def test_the_migrated_tables_are_those_of_the_code(fresh_url):
    store = Store.open(fresh_url)
    with store.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        inspector = sa.inspect(connection)
        found = {index["name"] for table in metadata.tables for index in inspector.get_indexes(table)}
        assert {index.name for table in metadata.tables.values() for index in table.indexes} <= found
    store.close()


def test_partial_indices_keep_to_their_part(store):
    with store.begin() as connection:
        if connection.dialect.name == "postgresql":
            query = sa.text("SELECT indexname, indexdef FROM pg_indexes")
        else:
            query = sa.text("SELECT name, sql FROM sqlite_master")
        found = dict(connection.execute(query).all())
    for word in ("ready", "leased", "failed", "sheet"):
        assert f"'{word}'" in found[f"ix_units_{word}"].split("WHERE")[1]


def test_the_head_is_the_last_revision():
    config = Config()
    config.set_main_option("script_location", "service/jobs/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrating.HEAD]


def test_a_store_opened_again_keeps_what_it_has(fresh_url):
    store = Store.open(fresh_url)
    job = store.create_job(make_job())
    store.close()
    again = Store.open(fresh_url)
    assert again.job(job.id) == job
    again.close()


@on_both
def test_many_threads_may_open_a_store_at_once(fresh_url):
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: Store.open(fresh_url), range(6)))
    assert all(store.is_reachable() for store in stores)
    for store in stores:
        store.close()


@pytest.mark.slow
def test_many_processes_may_open_a_store_at_once(fresh_url):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.map(_open, [fresh_url] * 6, chunksize=1) == [0] * 6


def _open(url: str) -> int:
    store = Store.open(url)
    num = len(store.jobs().items)
    store.close()
    return num


def test_the_store_of_a_newer_version_is_refused(fresh_url):
    store = Store.open(fresh_url)
    with store.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(StoreNewer, match="revision 9999") as refusal:
        Store.open(fresh_url)
    assert "run the newer version" in refusal.value.remedy


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("power cut")

    monkeypatch.setattr("sqlalchemy.sql.ddl.CreateIndex.__init__", fail)
    path = tmp_path / "store.sqlite"
    with pytest.raises(RuntimeError, match="power cut"):
        Store.open(f"sqlite:///{path}")
    monkeypatch.undo()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    Store.open(f"sqlite:///{path}").close()

"""Opening a store: its tables are made, whoever comes first, and are those of the code."""

import multiprocessing
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.jobs import migrating
from service.jobs.engine import Database
from service.jobs.errors import StoreNewer
from service.jobs.schema import metadata
from service.jobs.store import Store
from service.jobs.tallies import read_totals
from tests.jobs.plans import CLASS_A, make_job, make_planned
from tests.jobs.working import finish, finish_all, on_both


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


def _config(connection):
    config = Config()
    config.set_main_option("script_location", "service/jobs/migrations")
    config.attributes["connection"] = connection
    return config


def _made_by_the_first_version(url):
    """A store at revision 0001 with a job that is done, one that was dismissed, and one under way."""
    store = Store.open(url)
    done = store.create_job(make_job(make_planned(rows=1)))
    finish_all(store)
    dismissed = store.create_job(make_job())
    finish(store, store.claim("w", CLASS_A, lease_s=60))
    store.dismiss(dismissed.id)
    running = store.create_job(make_job())
    finish(store, store.claim("w", CLASS_A, lease_s=60))
    names = ("jobs", "plans", "units", "maps", "job_log", "keys")
    with store.database.reading() as connection:
        rows = {name: connection.execute(metadata.tables[name].select()).mappings().all() for name in names}
    store.close()
    return (done, dismissed, running), rows


@on_both
def test_a_store_of_the_first_version_comes_along_with_its_jobs(fresh_url, tmp_path):
    jobs, rows = _made_by_the_first_version(f"sqlite:///{tmp_path / 'earlier.sqlite'}")
    database = Database.at(fresh_url)
    with database.writing() as connection:
        command.upgrade(_config(connection), "0001")
        for name, each in rows.items():
            columns = {column["name"] for column in sa.inspect(connection).get_columns(name)}
            kept = [{key: value for key, value in row.items() if key in columns} for row in each]
            if kept:
                connection.execute(metadata.tables[name].insert(), kept)
    database.close()
    store = Store.open(fresh_url)
    done, dismissed, running = (store.job(job.id) for job in jobs)
    assert [job.status for job in (done, dismissed, running)] == ["successful", "dismissed", "running"]
    totals = read_totals(store.database)
    assert totals.jobs == {"successful": 1, "failed": 0, "dismissed": 1}
    assert totals.durations[float("inf")] == 1
    assert totals.duration_s == pytest.approx(done.finished - done.created, abs=1e-5)
    assert totals.blocks == {"done": 4 + 4 + 4, "failed": 0}
    assert (totals.num_px, totals.inference) == (done.px_done + dismissed.px_done + running.px_done, {})
    store.delete_job(done.id)
    assert read_totals(store.database) == totals
    store.close()


@on_both
def test_many_threads_may_open_a_store_at_once(fresh_url):
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: Store.open(fresh_url), range(6)))
    assert all(store.is_reachable() for store in stores)
    for store in stores:
        store.close()


def test_a_new_file_is_waited_for_while_another_connection_writes(tmp_path):
    path = tmp_path / "store.sqlite"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, holder.execute, ["COMMIT"])
    release.start()
    Store.open(f"sqlite:///{path}").close()
    release.join()
    assert holder.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    holder.close()


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

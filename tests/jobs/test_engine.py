"""The database as a part of the world: absent, full, read-only, restarted, forked."""

import contextlib
import os
import sqlite3
import threading
import time

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from service.jobs import engine
from service.jobs.clock import now
from service.jobs.errors import StoreUnavailable, StoreUrlInvalid, TextInvalid
from service.jobs.store import Store
from tests.jobs.plans import make_job, make_planned


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_other_databases_are_refused(url):
    with pytest.raises(StoreUrlInvalid) as refusal:
        Store.open(url)
    assert "sqlite:////" in refusal.value.remedy


def test_a_password_is_not_repeated():
    with pytest.raises(StoreUrlInvalid) as refusal:
        Store.open("mysql://me:secret@host/name")
    assert "secret" not in str(refusal.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="cannot be made") as refusal:
        Store.open(f"sqlite:///{tmp_path}/file/store.sqlite")
    assert "ORTHOSCAPE_HOME" in refusal.value.remedy


def test_a_file_that_is_no_database_is_told(tmp_path):
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_bytes()[:11] == b"no database"


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(StoreUnavailable, match="localhost/orthoscape does not answer") as refusal:
        Store.open("postgresql://me:secret@localhost:1/orthoscape")
    assert "secret" not in str(refusal.value)


def sqlite_store(tmp_path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")


def test_a_store_that_may_only_be_read_says_so(tmp_path):
    store = sqlite_store(tmp_path)
    job = store.create_job(make_job())
    sa.event.listen(store.database.engine, "checkout", lambda raw, *_: raw.execute("PRAGMA query_only = ON"))
    with pytest.raises(StoreUnavailable, match="readonly") as refusal:
        store.dismiss(job.id)
    assert "write access" in refusal.value.remedy
    assert store.job(job.id).status == "accepted"
    store.close()


def test_a_full_disk_says_so_and_loses_nothing(tmp_path):
    store = sqlite_store(tmp_path)
    job = store.create_job(make_job())
    large = make_job(make_planned(rows=40, cols=40))
    with limited_to(store, num_pages=1), pytest.raises(StoreUnavailable, match="full") as refusal:
        store.create_job(large)
    assert "free some disk space" in refusal.value.remedy
    with limited_to(store, num_pages=100_000):
        assert store.job(job.id) == job
        assert store.create_job(large).blocks_total == 1600
    store.close()


@contextlib.contextmanager
def limited_to(store, *, num_pages: int):
    """The file takes no more pages than it has, or than this."""

    def limit(connection, *_):
        connection.execute(f"PRAGMA max_page_count = {num_pages}")

    sa.event.listen(store.database.engine, "checkout", limit)
    yield
    sa.event.remove(store.database.engine, "checkout", limit)


def test_a_writer_that_waits_too_long_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    store = sqlite_store(tmp_path)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.create_job(make_job())
    assert store.jobs().items == []  # readers do not wait
    other.execute("ROLLBACK")
    other.close()
    store.create_job(make_job())
    store.close()


def test_mistakes_of_ours_are_not_called_the_world(store):
    with pytest.raises(exc.IntegrityError), store.begin() as connection:
        connection.execute(sa.text("INSERT INTO leases (name) VALUES ('full')"))
    assert store.is_reachable()


def test_a_server_that_restarts_is_used_again(fresh_postgresql, monkeypatch):
    store = Store.open(fresh_postgresql)
    job = store.create_job(make_job())
    end_connections(fresh_postgresql)
    with pytest.raises(StoreUnavailable, match="terminating connection"):
        store.dismiss(job.id)  # found out by using it
    assert store.dismiss(job.id).status == "dismissed"
    end_connections(fresh_postgresql)
    monkeypatch.setattr(engine, "PING_AFTER_S", 0.0)
    assert store.is_reachable()  # found out before
    store.close()


def end_connections(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )


def test_a_text_that_postgresql_cannot_hold_is_refused(fresh_postgresql):
    store = Store.open(fresh_postgresql)
    with pytest.raises(TextInvalid, match="NUL"):
        store.job("a\0b")
    assert store.is_reachable()
    store.close()


def test_the_clock_is_the_stores_and_goes_on(store):
    with store.begin() as connection:
        first = connection.execute(sa.select(now())).scalar_one()
        time.sleep(0.01)
        second = connection.execute(sa.select(now())).scalar_one()
    assert first == pytest.approx(time.time(), abs=5)
    assert 0.005 < second - first < 5


def test_a_forked_child_uses_connections_of_its_own(store):
    assert store.is_reachable()
    child = os.fork()
    if child == 0:
        is_right = store.is_reachable() and store.jobs().items == []
        os._exit(0 if is_right else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.is_reachable()
    store.create_job(make_job())


def test_a_long_creation_lets_others_write(tmp_path, monkeypatch):
    monkeypatch.setattr("service.jobs.creating.CHUNK_ROWS", 1)
    store = sqlite_store(tmp_path)
    creating = threading.Thread(target=store.create_job, args=(make_job(),))
    creating.start()
    held = [store.fleet.hold("duty", "me", lease_s=60) for _ in range(5)]
    creating.join()
    assert held == [True] * 5
    assert len(store.jobs().items) == 1
    store.close()

"""Requests with an Idempotency-Key."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from service.jobs import requests
from service.jobs.errors import RequestDiffers, RequestUnderWay
from service.jobs.schema import jobs
from tests.jobs.plans import make_job
from tests.jobs.working import on_both


def test_a_repeated_request_gets_the_first_ones_job(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    assert store.requests.remember(**asked) is None
    job = store.create_job(make_job())
    store.requests.answer(owner="local", key="k", job_id=job.id)
    assert store.requests.remember(**asked) == job.id
    assert store.requests.remember(**asked | {"owner": "eve"}) is None
    with pytest.raises(RequestDiffers, match="came with another request"):
        store.requests.remember(**asked | {"digest": "other"})


def test_a_request_that_is_being_answered_is_not_answered_twice(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}

    def ask(_) -> str:
        try:
            return str(store.requests.remember(**asked))
        except RequestUnderWay:
            return "under way"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert sorted(answers) == ["None"] + ["under way"] * 15


def test_a_refused_request_is_forgotten(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.requests.remember(**asked)
    store.requests.forget(owner="local", key="k")
    assert store.requests.remember(**asked | {"digest": "better"}) is None


def test_an_answered_request_is_not_forgotten_so(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.requests.remember(**asked)
    job = store.create_job(make_job())
    store.requests.answer(owner="local", key="k", job_id=job.id)
    store.requests.forget(owner="local", key="k")
    assert store.requests.remember(**asked) == job.id


@pytest.mark.parametrize("limit", ["GIVEN_UP_S", "KEEP_S"])
def test_an_old_key_is_free_again(store, monkeypatch, limit):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.requests.remember(**asked)
    monkeypatch.setattr(requests, limit, -1.0)
    assert store.requests.remember(**asked) is None


def test_a_request_that_is_being_answered_for_long_is_kept(store, monkeypatch):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.requests.remember(**asked)
    monkeypatch.setattr(requests, "GIVEN_UP_S", 0.3)
    for _ in range(5):
        time.sleep(0.1)
        store.requests.touch(owner="local", key="k")
    with pytest.raises(RequestUnderWay):
        store.requests.remember(**asked)
    time.sleep(0.4)
    assert store.requests.remember(**asked) is None


@pytest.mark.parametrize("backend", ["postgresql"])  # SQLite has one writer at a time
def test_a_key_let_go_while_it_is_asked_for_is_taken(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.requests.remember(**asked)
    inserted = []

    def let_go(_connection, _cursor, statement, *_):
        if statement.startswith("INSERT INTO idempotency"):
            inserted.append(statement)
            if len(inserted) == 1:
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(store.requests.forget, owner="local", key="k").result()

    sa.event.listen(store.database.engine, "after_cursor_execute", let_go)
    try:
        assert store.requests.remember(**asked) is None
    finally:
        sa.event.remove(store.database.engine, "after_cursor_execute", let_go)
    assert len(inserted) == 2
    with pytest.raises(RequestUnderWay):
        store.requests.remember(**asked)


@on_both
@pytest.mark.parametrize("chunk_rows", [10_000, 3])
def test_the_same_job_asked_for_by_many_at_once_is_made_once(store, monkeypatch, chunk_rows):
    monkeypatch.setattr("service.jobs.creating.CHUNK_ROWS", chunk_rows)

    def ask(number: int) -> tuple[str, bool]:
        new = make_job(owner=("ann", "bob")[number % 2])
        job, is_new = store.create_unless_same(new, is_same=lambda job: not job.status.is_terminal)
        return job.id, is_new

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(16)))
    assert sum(is_new for _, is_new in found) == 2
    assert {job_id for job_id, _ in found[::2]}.isdisjoint({job_id for job_id, _ in found[1::2]})
    assert {job.id for job in store.jobs().items} == {job_id for job_id, _ in found}
    with store.begin() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(jobs)).scalar() == 2, "no drafts"
    store.dismiss(found[0][0])
    assert ask(0)[1], "one that stopped is not as good"


def test_reaping_forgets_old_requests(store, monkeypatch):
    store.requests.remember(owner="local", key="k", digest="d")
    monkeypatch.setattr("service.jobs.removing.KEEP_S", -1.0)
    assert store.reap() == []
    assert store.requests.remember(owner="local", key="k", digest="other") is None

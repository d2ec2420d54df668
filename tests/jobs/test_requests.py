"""Requests with an Idempotency-Key."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.jobs import requests
from service.jobs.errors import RequestDiffers, RequestUnderWay
from tests.jobs.plans import make_job


def test_a_repeated_request_gets_the_first_ones_job(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    assert store.remember_request(**asked) is None
    job = store.create_job(make_job())
    store.answer_request(owner="local", key="k", job_id=job.id)
    assert store.remember_request(**asked) == job.id
    assert store.remember_request(**asked | {"owner": "eve"}) is None
    with pytest.raises(RequestDiffers, match="came with another request"):
        store.remember_request(**asked | {"digest": "other"})


def test_a_request_that_is_being_answered_is_not_answered_twice(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}

    def ask(_) -> str:
        try:
            return str(store.remember_request(**asked))
        except RequestUnderWay:
            return "under way"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert sorted(answers) == ["None"] + ["under way"] * 15


def test_a_refused_request_is_forgotten(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.remember_request(**asked)
    store.forget_request(owner="local", key="k")
    assert store.remember_request(**asked | {"digest": "better"}) is None


def test_an_answered_request_is_not_forgotten_so(store):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.remember_request(**asked)
    job = store.create_job(make_job())
    store.answer_request(owner="local", key="k", job_id=job.id)
    store.forget_request(owner="local", key="k")
    assert store.remember_request(**asked) == job.id


@pytest.mark.parametrize("limit", ["GIVEN_UP_S", "KEEP_S"])
def test_an_old_key_is_free_again(store, monkeypatch, limit):
    asked = {"owner": "local", "key": "k", "digest": "d"}
    store.remember_request(**asked)
    monkeypatch.setattr(requests, limit, -1.0)
    assert store.remember_request(**asked) is None


def test_reaping_forgets_old_requests(store, monkeypatch):
    store.remember_request(owner="local", key="k", digest="d")
    monkeypatch.setattr("service.jobs.removing.KEEP_S", -1.0)
    assert store.reap() == []
    assert store.remember_request(owner="local", key="k", digest="other") is None

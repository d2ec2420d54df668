"""Events of a job, over a real connection."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from service.inference.offering import offered_class
from tests.api.conftest import TINY
from tests.api.test_receiving import eventually


def listen(url: str, *, last_id: str | None = None):
    """Events as they come: (name, data, id)."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    with httpx.stream("GET", url, headers=headers, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif "event" in event:
                yield event["event"], json.loads(event["data"]), event.get("id")
                event = {}


@pytest.fixture
def running(serve, make_raster):
    """A server with a job of some blocks that nobody works on yet: (events url, house, job)."""
    address, house = serve()
    with make_raster(shape=(3, 300, 400)).open("rb") as file:
        job = httpx.post(f"{address}/predict", files={"file": file}, data=TINY, timeout=60).json()
    return job["links"]["events"]["href"], house, job


def settle(house, *, leases=1_000):
    """Blocks and sheets are finished in the store, as a worker does it."""
    profile_class = offered_class("onnxruntime")
    for _ in range(leases):
        lease = house.store.claim("w", profile_class, lease_s=60)
        if lease is None:
            return
        for unit in lease.units:
            house.store.finish_unit(
                lease, unit.id, figures={"pixel_counts": {0: 1}} if unit.kind == "sheet" else None
            )


def test_a_job_is_told_from_its_beginning_to_its_end(running):
    url, house, job = running
    worker = threading.Timer(1.0, settle, [house])
    worker.start()
    told = list(listen(url))
    worker.join()
    names = [name for name, _, _ in told]
    assert (names[0], names[-1]) == ("job", "end")
    blocks = [block for name, data, _ in told if name == "blocks" for block in data["blocks"]]
    assert Counter(block["status"] for block in blocks) == {"done": job["blocks"]["total"]}
    assert len({block["name"] for block in blocks}) == job["blocks"]["total"]
    assert all(
        job["bounds"][0] <= block["bounds"][0] < block["bounds"][2] <= job["bounds"][2] for block in blocks
    )
    assert [data["status"] for name, data, _ in told if name == "job"][-1] == "successful"
    assert told[-1][1] == {"status": "successful"}
    ids = [int(number) for _, _, number in told if number]
    assert ids == sorted(ids)


def test_who_comes_back_misses_nothing_and_who_has_seen_the_end_stays_away(running):
    url, house, job = running
    settle(house, leases=1)
    seen, last_id = [], None
    stream = listen(url)
    for name, data, number in stream:
        if name == "blocks":
            seen, last_id = data["blocks"], number
            break
    stream.close()
    settle(house)
    rest = list(listen(url, last_id=last_id))
    late = [block["name"] for name, data, _ in rest if name == "blocks" for block in data["blocks"]]
    assert len({*late, *(block["name"] for block in seen)}) == job["blocks"]["total"]
    assert not {block["name"] for block in seen} & set(late)
    assert httpx.get(url, headers={"Last-Event-ID": rest[-1][2]}).status_code == 204


@pytest.mark.slow
def test_many_listeners_ask_the_store_as_one_and_leave_nothing_behind(running, monkeypatch):
    url, house, job = running
    watches, asked = house.app.state.services.watches, Counter()
    ask = house.store.job

    def counted(job_id, **options):
        asked[threading.get_ident()] += 1
        return ask(job_id, **options)

    monkeypatch.setattr(house.store, "job", counted)
    with ThreadPoolExecutor(20) as pool:
        listeners = [pool.submit(lambda: list(listen(url))) for _ in range(20)]
        eventually(lambda: len(watches) == 1 and watches._watches[job["id"]].num_listeners == 20)
        before, started = asked.total(), time.monotonic()
        time.sleep(2)
        polls, elapsed_s = asked.total() - before, time.monotonic() - started
        settle(house)
        told = [listener.result() for listener in listeners]
    assert polls <= elapsed_s / 0.5 + 1
    assert all(events[-1][0] == "end" for events in told)
    eventually(lambda: len(watches) == 0)


def test_a_listener_who_leaves_is_forgotten(running):
    url, house, _ = running
    watches = house.app.state.services.watches
    stream = listen(url)
    next(stream)
    assert len(watches) == 1
    stream.close()
    eventually(lambda: len(watches) == 0)


@pytest.mark.slow
def test_silence_is_filled(running, monkeypatch):
    url, _, _ = running
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.2)
    with httpx.stream("GET", url, timeout=20) as answer:
        assert next(line for line in answer.iter_lines() if line.startswith(":")) == ": ping"


@pytest.mark.slow
def test_a_deleted_job_ends_its_stream(running):
    url, _, job = running
    events = listen(url)
    next(events)
    httpx.delete(job["links"]["self"]["href"])
    told = list(events)
    assert told[-1][:2] == ("end", {"status": "dismissed"})


@pytest.mark.slow
def test_a_job_that_is_not_there_has_no_events(running):
    url, _, job = running
    answer = httpx.get(url.replace(job["id"], "nobody"))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.slow
def test_waiting_ends_with_the_job(running):
    url, house, job = running
    threading.Timer(0.5, settle, [house]).start()
    address = url.split("/jobs/")[0]
    started = time.monotonic()
    answer = httpx.get(job["links"]["self"]["href"])
    source = next(house.settings.uploads_folder.glob("*/data/*"))
    with source.open("rb") as file:
        answer = httpx.post(
            f"{address}/predict", files={"file": file}, data=TINY, headers={"Prefer": "wait=60"}, timeout=90
        )
    assert answer.json()["status"] == "successful"
    assert answer.json()["deduplicated"]
    assert time.monotonic() - started < 50


def test_an_error_that_nobody_foresaw_ends_one_watch_and_no_more(running, monkeypatch):
    url, house, _ = running
    events = listen(url)
    assert next(events)[0] == "job"
    monkeypatch.setattr(house.store, "job", forgetting(house.store.job, 1))
    assert [name for name, _, _ in events] == []  # cut off, without an `end`: a browser comes back
    threading.Timer(0.2, settle, [house]).start()
    assert list(listen(url))[-1][0] == "end"


def forgetting(ask, times: int):
    """A store that fails so often in a way of its own, when it is asked outside of requests."""
    left = [times]

    def asked(*args, **options):
        if not options and left[0]:
            left[0] -= 1
            raise KeyError("unforeseen")
        return ask(*args, **options)

    return asked

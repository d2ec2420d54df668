"""Lists, pages, owners, and the job that makes the same map."""

import base64

import pytest

from service.jobs.errors import CursorInvalid, JobUnknown, MapUnknown
from service.jobs.ids import new_id
from service.jobs.records import JobStatus
from tests.jobs.plans import make_job, make_planned
from tests.jobs.working import finish_all, on_both

ID = "01m8j2ceewjzfqczh9jk0dbsh5"
SMALL = make_planned(rows=1, cols=1)


@on_both
def test_pages_are_newest_first_and_stable_while_jobs_come_in(store):
    ids = [store.create_job(make_job(SMALL, map_name=f"town{number}")).id for number in range(5)]
    seen, cursor = [], None
    while True:
        page = store.jobs(limit=2, cursor=cursor)
        seen += [job.id for job in page.items]
        store.create_job(make_job(SMALL))
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids[::-1]
    maps = store.maps(limit=3)
    rest = store.maps(limit=100, cursor=maps.next_cursor)
    assert [record.name for record in maps.items + rest.items][-5:] == [f"town{n}" for n in range(4, -1, -1)]
    assert rest.next_cursor is None


def test_a_full_last_page_has_no_next(store):
    store.create_job(make_job(SMALL))
    assert store.jobs(limit=1).next_cursor is None
    assert store.jobs(limit=0).items == []


def cursor_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("cursor", ["", "nonsense", "bnVsbA", "WzEsMl0x", "é", "eyJhIjoxfQ", "W10"])
def test_a_cursor_from_elsewhere_is_refused(store, cursor):
    with pytest.raises(CursorInvalid, match="is no cursor"):
        store.jobs(cursor=cursor)


@pytest.mark.parametrize(
    "text",
    [
        r'[1,"\ud800"]',
        f'["1","{ID}"]',
        f'[true,"{ID[1:]}"]',
        f'[1{"0" * 400},"{ID}"]',
        f'[NaN,"{ID}"]',
        f'[Infinity,"{ID}"]',
        '[1,"x"]',
        "[1,1]",
        "[" * 30_000,
    ],
)
@on_both
def test_a_cursor_that_was_forged_is_refused(store, text):
    cursor = cursor_of(text)
    with pytest.raises(CursorInvalid, match="is no cursor"):
        store.jobs(cursor=cursor)


def test_owners_see_their_own(store):
    ann, bob = (store.create_job(make_job(SMALL, owner=owner)) for owner in ("ann", "bob"))
    assert [job.id for job in store.jobs(owner="ann").items] == [ann.id]
    assert [record.id for record in store.maps(owner="bob").items] == [bob.map_id]
    assert len(store.jobs().items) == len(store.maps().items) == 2
    assert store.job(ann.id, owner="ann").id == store.job(ann.id).id
    with pytest.raises(JobUnknown, match="there is no job"):
        store.job(ann.id, owner="bob")
    with pytest.raises(MapUnknown):
        store.map(ann.map_id, owner="bob")
    with pytest.raises(MapUnknown):
        store.latest_map("town", owner="eve")


def test_jobs_are_listed_by_status(store):
    first, second = (store.create_job(make_job(SMALL)) for _ in range(2))
    store.dismiss(first.id)
    assert [job.id for job in store.jobs(status=JobStatus.DISMISSED).items] == [first.id]
    assert [job.id for job in store.jobs(status=JobStatus.ACCEPTED).items] == [second.id]
    assert store.jobs(status=JobStatus.FAILED).items == []


def test_the_latest_map_is_a_finished_one_if_there_is_one(store):
    first = store.create_job(make_job(SMALL))
    assert store.latest_map("town").id == first.map_id
    second = store.create_job(make_job(SMALL))
    assert store.latest_map("town").id == second.map_id
    store.dismiss(second.id)
    finish_all(store)
    assert store.latest_map("town").id == first.map_id
    assert [record.id for record in store.maps(name="town").items] == [second.map_id, first.map_id]
    assert store.maps(name="village").items == []


def test_the_same_job_is_the_best_of_its_content_and_owner(store):
    assert store.same_job(owner="local", content_key="content") is None
    done = store.create_job(make_job(SMALL))
    finish_all(store)
    stopped = store.create_job(make_job(SMALL))
    store.dismiss(stopped.id)
    live = store.create_job(make_job(SMALL))
    store.create_job(make_job(SMALL, content_key="other"))
    for expected in (done, live, stopped):
        assert store.same_job(owner="local", content_key="content").id == expected.id
        assert store.same_job(owner="eve", content_key="content") is None
        store.dismiss(expected.id)
        store.delete_map(expected.map_id)
    assert store.same_job(owner="local", content_key="content") is None


def test_ids_sort_by_time_and_repeat_never(monkeypatch):
    times = iter(range(0, 10**12, 10**9))
    monkeypatch.setattr("service.jobs.ids.time.time_ns", lambda: 1_700_000_000 * 10**9 + next(times))
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len({identifier[10:] for identifier in ids}) == 1000
    assert {len(identifier) for identifier in ids} == {26}

"""What is counted for ever: once for each block, whatever happens to it, and never less."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.jobs.errors import LeaseLost
from service.jobs.records import JobStatus
from service.jobs.tallies import BOUNDS_S, Totals, read_totals, tally_end
from tests.jobs.plans import CLASS_A, CORE_PX, make_job, make_planned, make_profile
from tests.jobs.working import finish, finish_all, leases, on_both


def totals_of(store) -> Totals:
    return read_totals(store.database)


def numbers_of(totals: Totals) -> dict[str, float]:
    """Every single number, by a name."""
    return {
        **{f"jobs {name}": num for name, num in totals.jobs.items()},
        **{f"blocks {name}": num for name, num in totals.blocks.items()},
        **{f"within {bound} s": num for bound, num in totals.durations.items()},
        **{
            f"inference {key} {part}": value[part]
            for key, value in totals.inference.items()
            for part in (0, 1)
        },
        "num_px": totals.num_px,
        "duration_s": totals.duration_s,
    }


def make_map(store, *, engine_s: float, model_class: str = "cpu", **options) -> str:
    """Make the map of a job, all its blocks in the same time; returns the job's id."""
    job = store.create_job(make_job(**options))
    for lease in leases(store):
        store.pin_profile(job.id, make_profile(model_class))
        for unit in lease.units:
            store.finish_unit(lease, unit.id, engine_s=engine_s if lease.kind == "block" else None)
    return job.id


def test_an_empty_store_has_counted_nothing_and_says_so(store):
    totals = totals_of(store)
    assert totals.jobs == {"successful": 0, "failed": 0, "dismissed": 0}
    assert totals.blocks == {"done": 0, "failed": 0}
    assert set(numbers_of(totals).values()) == {0}
    assert list(totals.durations) == list(BOUNDS_S)


@on_both
def test_deleting_maps_and_jobs_lowers_nothing(store):
    first = make_map(store, engine_s=0.1)
    before = totals_of(store)
    assert before.jobs["successful"] == 1
    assert (before.blocks["done"], before.num_px) == (8, 8 * CORE_PX**2)
    assert before.inference == {("tiny@1", "cpu"): (8, pytest.approx(0.8))}
    assert before.durations[BOUNDS_S[-1]] == 1
    store.delete_map(store.job(first).map_id)
    assert totals_of(store) == before
    store.delete_job(first)
    assert store.jobs().items == []
    assert totals_of(store) == before
    second = make_map(store, engine_s=0.3)
    both = totals_of(store)
    assert both.inference == {("tiny@1", "cpu"): (16, pytest.approx(3.2))}
    store.delete_job(second)
    assert totals_of(store) == both


@on_both
def test_a_block_that_is_killed_and_repeated_counts_once(store, lapse):
    store.create_job(make_job(make_planned(rows=1, cols=1)))
    old = store.claim("old", CLASS_A, lease_s=60)
    lapse()
    new = store.claim("new", CLASS_A, lease_s=60)
    with pytest.raises(LeaseLost):
        store.finish_unit(old, old.units[0].id, engine_s=7.0)
    for _ in range(2):  # the first answer may have got lost
        store.finish_unit(new, new.units[0].id, engine_s=2.0)
    totals = totals_of(store)
    assert (totals.blocks["done"], totals.num_px) == (1, CORE_PX**2)
    assert list(totals.inference.values()) == [(1, 2.0)]


def test_blocks_of_which_no_time_is_known_are_blocks_all_the_same(store):
    store.create_job(make_job(make_planned(rows=1, cols=2)))
    lease = store.claim("w", CLASS_A, lease_s=60)
    store.finish_unit(lease, lease.units[0].id, engine_s=0.5)
    store.finish_unit(lease, lease.units[1].id)
    totals = totals_of(store)
    assert totals.blocks["done"] == 2
    assert list(totals.inference.values()) == [(1, 0.5)]


@on_both
def test_a_job_that_fails_and_is_resumed_ends_twice_and_lowers_nothing(store):
    job = store.create_job(make_job(make_planned(rows=1, cols=1)))
    while store.job(job.id).status != JobStatus.FAILED:
        lease = store.claim("w", CLASS_A, lease_s=60)
        store.fail_unit(lease, lease.units[0].id, "boom")
    failed = totals_of(store)
    assert (failed.jobs["failed"], failed.blocks) == (1, {"done": 0, "failed": 1})
    store.resume(job.id)
    assert totals_of(store) == failed
    finish_all(store)
    done = totals_of(store)
    assert done.jobs == {"successful": 1, "failed": 1, "dismissed": 0}
    assert done.blocks == {"done": 1, "failed": 1}
    store.delete_job(job.id)
    assert totals_of(store) == done


def test_a_job_that_is_dismissed_counts_what_it_has_done(store):
    job = store.create_job(make_job())
    finish(store, store.claim("w", CLASS_A, lease_s=60))
    store.dismiss(job.id)
    store.dismiss(job.id)
    store.delete_job(job.id)
    totals = totals_of(store)
    assert (totals.jobs["dismissed"], totals.blocks["done"]) == (1, 4)
    assert totals.durations[BOUNDS_S[-1]] == 0, "only jobs that succeed took as long as a job takes"


def test_machines_of_two_kinds_are_told_apart(store):
    for kind in ("cpu", "cuda"):
        job = store.create_job(make_job(make_planned(rows=1, cols=1)))
        store.pin_profile(job.id, make_profile(kind))
        lease = store.claim("w", make_profile(kind).profile_class, lease_s=60)
        store.finish_unit(lease, lease.units[0].id, engine_s=1.0)
    assert set(totals_of(store).inference) == {("tiny@1", "cpu"), ("tiny@1", "cuda")}


@pytest.mark.parametrize(
    ("duration_s", "within"), [(5.0, 5.0), (5.000001, 15.0), (1e9, float("inf")), (-1, 5.0)]
)
def test_a_duration_counts_for_every_bound_that_it_keeps(store, duration_s, within):
    with store.begin() as connection:
        tally_end(connection, JobStatus.SUCCESSFUL, duration_s=duration_s)
    totals = totals_of(store)
    assert {bound for bound, num in totals.durations.items() if num} == {
        bound for bound in BOUNDS_S if bound >= within
    }
    assert totals.duration_s == pytest.approx(max(duration_s, 0))


@on_both
def test_no_number_ever_falls_while_jobs_come_and_go(store):
    """Four make, fail, dismiss, resume and delete jobs; one looks all the time."""

    def live(number: int) -> None:
        for turn in range(6):
            options = {"owner": f"o{number}", "profile_class": f"class-{number}", "max_failed_share": 1.0}
            job = store.create_job(make_job(make_planned(rows=1, cols=3), **options))
            lease = store.claim(f"w{number}", f"class-{number}", lease_s=60)
            store.finish_unit(lease, lease.units[0].id, engine_s=0.1)
            while turn % 2 and not store.job(job.id).blocks_failed:
                store.fail_unit(lease, lease.units[-1].id, "boom")
                store.give_back(lease)
                lease = store.claim(f"w{number}", f"class-{number}", lease_s=60)
            store.dismiss(job.id)
            if turn % 3:
                store.resume(job.id)
                finish_all(store, worker=f"w{number}", profile_class=f"class-{number}")
            store.delete_job(job.id)

    seen = [numbers_of(totals_of(store))]
    with ThreadPoolExecutor(4) as pool:
        lives = [pool.submit(live, number) for number in range(4)]
        while not all(each.done() for each in lives):
            seen.append(numbers_of(totals_of(store)))
    for each in lives:
        each.result()
    seen.append(numbers_of(totals_of(store)))
    for earlier, later in itertools.pairwise(seen):
        assert {name for name, value in earlier.items() if later[name] < value} == set()
    assert seen[-1]["jobs successful"] == 16
    assert seen[-1]["jobs dismissed"] == 24
    assert seen[-1]["blocks failed"] == 12
    assert store.jobs().items == []

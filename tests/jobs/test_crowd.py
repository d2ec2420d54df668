"""Many workers at once: every unit is leased by one at a time, and done once."""

import multiprocessing
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.jobs.errors import LeaseLost
from service.jobs.records import JobStatus, UnitStatus
from service.jobs.store import Store
from tests.jobs.plans import CLASS_A, make_job, make_planned
from tests.jobs.working import check_counters, on_both


def work(url: str, worker: str, *, chaos: float = 0.0, seed: int = 0) -> list[tuple[str, str]]:
    """Work until all jobs are over; with chaos, now and then fail, vanish, or give back.

    Returns:
        Job and name of each unit that this worker has settled as done, in order.
    """
    store, dice, done = Store.open(url), random.Random(seed), []
    while store.jobs(status=JobStatus.RUNNING).items or store.jobs(status=JobStatus.ACCEPTED).items:
        lease = store.claim(worker, CLASS_A, lease_s=30)
        if lease is None:
            time.sleep(0.01)
            continue
        for unit in lease.units:
            event = dice.random()
            try:
                if event < chaos / 3:
                    store.fail_unit(lease, unit.id, "boom")
                elif event < chaos * 2 / 3:
                    store.lapse_worker(worker)  # as its parent does when it has died
                    break
                elif event < chaos:
                    store.give_back(lease)
                    break
                else:
                    store.finish_unit(lease, unit.id)
                    done.append((lease.job_id, f"{unit.kind} {unit.name}"))
            except LeaseLost:
                break
            store.extend(lease, lease_s=30)
    store.close()
    return done


def url_of(store) -> str:
    return store.database.engine.url.render_as_string(hide_password=False)


def check_all_done_once(store, jobs, done) -> None:
    check_counters(store)
    for job in jobs:
        found = store.job(job.id)
        assert found.status == JobStatus.SUCCESSFUL
        assert sum(entry.text == "successful" for entry in store.log(job.id)) == 1
        seqs = [unit.seq for unit in store.units(job.id)]
        assert len(set(seqs)) == len(seqs)
        assert sum(job_id == job.id for job_id, _ in done) == len(seqs)
    assert set(Counter(done).values()) == {1}


@on_both
def test_threads_share_one_store(store):
    jobs = [store.create_job(make_job(make_planned(num_sheets=2, rows=4))) for _ in range(2)]
    with ThreadPoolExecutor(6) as pool:
        worked = list(pool.map(lambda number: work(url_of(store), f"w{number}"), range(6)))
    check_all_done_once(store, jobs, [settled for part in worked for settled in part])


@pytest.mark.slow
def test_processes_share_one_store_whatever_happens(store):
    planned = make_planned(num_sheets=3, rows=8, cols=8)
    jobs = [
        store.create_job(make_job(planned, owner=owner, max_failed_share=1.0, has_pictures=True))
        for owner in ("ann", "bob")
    ]
    quiet = store.create_job(make_job(make_planned(rows=8, cols=8), owner="eve"))
    arguments = [(url_of(store), f"w{number}", number) for number in range(4)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        worked = pool.starmap(_work_in_chaos, arguments)
    done = Counter(settled for part in worked for settled in part)
    assert set(done.values()) == {1}
    check_counters(store)
    for job in (*jobs, quiet):
        found = store.job(job.id)
        assert found.status.is_terminal
        ends = {str(status) for status in JobStatus if status.is_terminal}
        assert sum(entry.text.split(":")[0] in ends for entry in store.log(job.id)) == 1
        finished = store.units(job.id, status=UnitStatus.DONE)
        assert {(job.id, f"{unit.kind} {unit.name}") for unit in finished} == {
            settled for settled in done if settled[0] == job.id
        }
        assert all(unit.attempts <= 3 for unit in store.units(job.id))


def _work_in_chaos(url: str, worker: str, seed: int) -> list[tuple[str, str]]:
    return work(url, worker, chaos=0.08, seed=seed)


@pytest.mark.slow
def test_settling_blocks_of_one_job_together_never_deadlocks(store):
    """Each thread settles, fails, extends, dismisses and resumes the same job as fast as it can."""
    job = store.create_job(make_job(make_planned(rows=16, cols=16), max_failed_share=1.0))
    interpreter_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    until = time.monotonic() + 4

    def disturb(number: int) -> int:
        num_settled, dice = 0, random.Random(number)
        while time.monotonic() < until:
            lease = store.claim(f"w{number}", CLASS_A, lease_s=dice.choice([-1, 30]))
            if lease is None:
                continue
            for unit in dice.sample(lease.units, len(lease.units)):
                try:
                    store.extend(lease, lease_s=dice.choice([-1, 30]))
                    store.finish_unit(lease, unit.id) if dice.random() < 0.3 else store.give_back(lease)
                    num_settled += 1
                except LeaseLost:
                    break
            if dice.random() < 0.02:
                store.dismiss(job.id)
                if store.job(job.id).status == JobStatus.DISMISSED:
                    _resume(store, job.id)
            store.reap()
        return num_settled

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(disturb, range(8))) > 0  # what deadlocks raises StoreUnavailable
    sys.setswitchinterval(interpreter_s)
    check_counters(store)


def _resume(store, job_id: str) -> None:
    from service.jobs.errors import JobNotResumable  # noqa: PLC0415

    try:
        store.resume(job_id)
    except JobNotResumable:
        assert store.job(job_id).status != JobStatus.FAILED

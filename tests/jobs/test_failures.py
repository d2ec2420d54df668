"""What becomes of units that cannot be made, and of their jobs."""

import pytest

from service.jobs.records import JobStatus, LogLevel, UnitKind, UnitStatus
from service.jobs.schema import jobs, units
from service.jobs.settling import LOSSES_AN_ATTEMPT
from service.jobs.store import Store
from tests.jobs.plans import CLASS_A, make_job, make_planned
from tests.jobs.working import check_counters, finish, finish_all, leases, names, on_both


def fail(store, lease, name: str, error: str = "boom") -> None:
    """Fail one unit of a lease, finish the others."""
    for unit in sorted(lease.units, key=lambda unit: unit.name == name):
        if unit.name == name:
            store.fail_unit(lease, unit.id, error)
        else:
            store.finish_unit(lease, unit.id)


def fail_always(store, name: str) -> list[list[str]]:
    """Work until there is nothing, failing one unit each time it comes."""
    worked = []
    for lease in leases(store):
        worked.append(names(lease))
        fail(store, lease, name)
        check_counters(store)
    return worked


def test_a_block_that_failed_is_tried_again_alone(store):
    job = store.create_job(make_job(make_planned(rows=1)))
    first = store.claim("w", CLASS_A, lease_s=60)
    fail(store, first, "r0_c2")
    again = store.claim("w", CLASS_A, lease_s=60)
    assert (names(again), again.units[0].attempts, again.units[0].error) == (["r0_c2"], 2, "boom")
    finish(store, again)
    finish_all(store)
    job = store.job(job.id)
    assert (job.status, job.blocks_done, job.blocks_failed) == (JobStatus.SUCCESSFUL, 4, 0)
    assert store.units(job.id, kind=UnitKind.BLOCK)[-1].error is None


def test_a_block_that_always_fails_ends_its_job_by_name(store):
    job = store.create_job(make_job())
    worked = fail_always(store, "r0_c2")
    assert worked == [["r0_c0", "r0_c1", "r0_c2", "r0_c3"], ["r0_c2"], ["r0_c2"]]
    job = store.job(job.id)
    assert job.status == JobStatus.FAILED
    assert job.message == job.error == "block r0_c2 of sheet town_c0 failed in attempt 3, the last: boom"
    assert (job.blocks_done, job.blocks_failed) == (3, 1)
    assert [entry.level for entry in store.log(job.id)][-2:] == [LogLevel.ERROR] * 2
    assert store.claim("w", CLASS_A, lease_s=60) is None


def test_a_failed_job_voids_what_others_hold(store):
    job = store.create_job(make_job())
    killer, other = (store.claim(worker, CLASS_A, lease_s=60) for worker in ("k", "o"))
    for _ in range(3):
        store.fail_unit(killer, killer.units[0].id, "boom")
        killer = store.claim("k", CLASS_A, lease_s=60) or killer
    assert store.job(job.id).status == JobStatus.FAILED
    assert not store.extend(other, lease_s=60)
    check_counters(store)


def test_a_block_that_takes_every_worker_with_it_is_found_while_others_go_on(store, lapse):
    job = store.create_job(make_job(make_planned(rows=2), max_failed_share=0.2))
    for lease in leases(store):
        killer = [unit for unit in lease.units if unit.name == "r0_c2"]
        if killer:
            for unit in lease.units[: lease.units.index(killer[0])]:
                store.finish_unit(lease, unit.id)
            lapse()
        else:
            finish(store, lease)
        check_counters(store)
    job = store.job(job.id)
    assert (job.status, job.blocks_done, job.blocks_failed) == (JobStatus.SUCCESSFUL, 7, 1)
    (failed,) = store.units(job.id, status=UnitStatus.FAILED)
    assert (failed.name, failed.attempts) == ("r0_c2", 3 * LOSSES_AN_ATTEMPT)
    assert job.message == "finished with 1 of 8 blocks missing"


def test_reaping_ends_attempts_that_nobody_takes_over(store, lapse):
    job = store.create_job(make_job(make_planned(rows=1, cols=1), priority=1))
    still = store.create_job(make_job())
    for _ in range(3 * LOSSES_AN_ATTEMPT - 1):
        store.claim("w", CLASS_A, lease_s=60)
        lapse()
        assert job.id in store.reap()
    store.claim("w", CLASS_A, lease_s=60)
    assert store.reap() == []
    lapse()
    assert job.id in store.reap()
    assert store.reap() == []
    assert store.job(job.id).status == JobStatus.FAILED
    assert "was not heard of" in store.job(job.id).message
    assert not store.job(still.id).status.is_terminal
    check_counters(store)


def test_workers_that_are_taken_away_do_not_count_against_a_block(store, lapse):
    """Nobody fails a country because its machines were cheap."""
    job = store.create_job(make_job(make_planned(rows=1, cols=1)))
    for number in range(8):
        store.claim(f"w{number}", CLASS_A, lease_s=60)
        if number % 2:
            store.lapse_worker(f"w{number}", is_loss=True)
        else:
            lapse()
    for _ in range(2):
        lease = store.claim("w", CLASS_A, lease_s=60)
        store.fail_unit(lease, lease.units[0].id, "boom")
    assert "attempt 2 of 3: boom" in store.log(job.id)[-1].text
    finish(store, store.claim("w", CLASS_A, lease_s=60))
    check_counters(store)


def test_children_that_die_at_a_block_do(store):
    job = store.create_job(make_job(make_planned(rows=1, cols=1)))
    for _ in range(3):
        store.claim("w", CLASS_A, lease_s=60)
        store.lapse_worker("w")
    assert store.job(job.id).status == JobStatus.FAILED
    check_counters(store)


def test_a_job_resumed_has_forgotten_its_losses(store, lapse):
    job = store.create_job(make_job(make_planned(rows=1, cols=1)))
    for _ in range(3 * LOSSES_AN_ATTEMPT):
        store.claim("w", CLASS_A, lease_s=60)
        lapse()
        store.reap()
    store.resume(job.id)
    store.claim("w", CLASS_A, lease_s=60)
    lapse()
    store.reap()
    assert store.job(job.id).status == JobStatus.RUNNING


@pytest.mark.parametrize(("share", "status"), [(0.24, JobStatus.FAILED), (0.25, JobStatus.SUCCESSFUL)])
def test_a_job_goes_on_while_few_blocks_fail(store, share, status):
    job = store.create_job(make_job(max_failed_share=share))
    for lease in leases(store):
        for unit in lease.units:
            if unit.name in ("r0_c1", "r1_c3"):
                store.fail_unit(lease, unit.id, "boom")
            elif store.job(job.id).status == JobStatus.RUNNING:
                store.finish_unit(lease, unit.id)
    job = store.job(job.id)
    assert (job.status, job.blocks_failed) == (status, 2)
    assert job.sheets_done == (status == JobStatus.SUCCESSFUL)
    check_counters(store)


def test_a_sheet_that_fails_ends_its_job(store):
    job = store.create_job(make_job(max_failed_share=1.0))
    fail_always(store, "town_c0")
    assert store.job(job.id).error == "sheet town_c0 failed in attempt 3, the last: boom"


def test_a_picture_that_fails_ends_nothing(store):
    job = store.create_job(make_job(has_pictures=True))
    for lease in leases(store):
        if lease.kind == UnitKind.PICTURE:
            store.fail_unit(lease, lease.units[0].id, "boom")
        else:
            finish(store, lease)
    assert store.job(job.id).status == JobStatus.SUCCESSFUL
    (failed,) = store.units(job.id, status=UnitStatus.FAILED)
    assert failed.kind == UnitKind.PICTURE


@on_both
def test_resuming_gives_what_failed_fresh_attempts(store):
    job = store.create_job(make_job(make_planned(num_sheets=2, rows=1)))
    fail_always(store, "r0_c2")
    failed = store.job(job.id)
    resumed = store.resume(job.id)
    assert (resumed.status, resumed.error, resumed.blocks_failed) == (JobStatus.ACCEPTED, None, 0)
    assert resumed.seq > failed.seq
    (changed,) = store.units(job.id, since_seq=failed.seq)  # who follows the job sees it
    assert (changed.name, changed.status, changed.attempts) == ("r0_c2", UnitStatus.READY, 0)
    check_counters(store)
    again = [name for lease in finish_all(store) for name in names(lease)]
    assert again[:2] == ["r0_c2", "town_c0"]
    assert len(again) == 1 + 4 + 2
    assert store.job(job.id).status == JobStatus.SUCCESSFUL
    assert store.job(job.id).started == failed.started


def test_resuming_makes_no_sheet_twice(store):
    job = store.create_job(make_job(make_planned(num_sheets=3, rows=1), max_failed_share=0.1))
    for lease in leases(store):
        hole = [unit for unit in lease.units if unit.name in ("r0_c1", "r0_c5")]
        for unit in lease.units:
            if unit in hole:
                store.fail_unit(lease, unit.id, "boom")
            elif store.job(job.id).status == JobStatus.RUNNING:
                store.finish_unit(lease, unit.id)
    assert store.job(job.id).status == JobStatus.FAILED
    assert [unit.sheet for unit in store.units(job.id, kind="sheet", status="done")] == ["town_c0"]
    store.resume(job.id)
    check_counters(store)
    again = [name for lease in finish_all(store) for name in names(lease)]
    assert "r0_c5" in again
    assert not {"r0_c1", "town_c0"} & set(again)
    job = store.job(job.id)
    assert (job.status, job.blocks_failed) == (JobStatus.SUCCESSFUL, 1)


def test_a_sheet_that_failed_is_made_after_resuming(store):
    job = store.create_job(make_job())
    fail_always(store, "town_c0")
    store.resume(job.id)
    assert [lease.kind for lease in finish_all(store)] == [UnitKind.SHEET]
    assert store.job(job.id).status == JobStatus.SUCCESSFUL


def test_attempts_are_as_many_as_the_store_was_opened_with(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}", max_attempts=1)
    job = store.create_job(make_job())
    assert len(fail_always(store, "r0_c2")) == 1
    assert store.job(job.id).error == "block r0_c2 of sheet town_c0 failed in attempt 1, the last: boom"
    store.close()


def test_a_job_of_which_nothing_is_open_is_ended(store):
    job = store.create_job(make_job())
    with store.begin() as connection:  # as after a repair by hand
        connection.execute(units.update().values(status="done"))
        connection.execute(jobs.update().values(units_open=0, units_ready=0))
    assert store.reap() == [job.id]
    assert store.job(job.id).status == JobStatus.SUCCESSFUL

"""Who gets what, and whose it is."""

import time
from collections import Counter

import pytest

from service.jobs.errors import JobUnknown, LeaseLost, ProfileMismatch
from service.jobs.records import JobStatus, UnitKind, UnitStatus, WorkerInfo
from tests.jobs.plans import CLASS_A, CLASS_B, make_job, make_planned, make_profile
from tests.jobs.working import check_counters, finish, finish_all, leases, names, on_both


def test_nothing_is_claimed_from_an_empty_store(store):
    assert store.claim("w", CLASS_A, lease_s=60) is None
    assert store.num_claimable(CLASS_A) == 0


def test_a_lease_is_one_run_under_a_fresh_token(store):
    job = store.create_job(make_job())
    first, second = (store.claim("w", CLASS_A, lease_s=60) for _ in range(2))
    assert (first.job_id, first.map_id, first.sheet) == (job.id, job.map_id, "town_c0")
    assert names(first) == ["r0_c0", "r0_c1", "r0_c2", "r0_c3"]
    assert names(second) == ["r1_c0", "r1_c1", "r1_c2", "r1_c3"]
    assert first.token != second.token
    assert {unit.run for unit in first.units} != {unit.run for unit in second.units}
    assert all(unit.attempts == 1 for unit in first.units)
    assert store.claim("w", CLASS_A, lease_s=60) is None


def test_a_run_keeps_to_its_sheet(store):
    store.create_job(make_job(make_planned(num_sheets=3, rows=1, cols=3)))
    assert [{unit.sheet for unit in lease.units} for lease in finish_all(store) if lease.kind == "block"] == [
        {"town_c0"},
        {"town_c1"},
        {"town_c2"},
    ]


def test_the_first_claim_pins_the_profile_class(store):
    job = store.create_job(make_job())
    assert store.num_claimable(CLASS_B) == 2
    lease = store.claim("a", CLASS_A, lease_s=60)
    assert store.job(job.id).profile_class == CLASS_A
    assert store.claim("b", CLASS_B, lease_s=60) is None
    assert (store.num_claimable(CLASS_B), store.num_claimable(CLASS_A)) == (0, 1)
    finish(store, lease)
    assert store.claim("b", CLASS_B, lease_s=60) is None
    assert store.claim("c", CLASS_A, lease_s=60) is not None


def test_a_job_of_a_class_is_for_that_class(store):
    store.create_job(make_job(profile_class=CLASS_B))
    assert store.claim("a", CLASS_A, lease_s=60) is None
    assert store.claim("b", CLASS_B, lease_s=60) is not None


def test_the_first_run_pins_the_profile(store):
    job = store.create_job(make_job())
    store.claim("a", CLASS_A, lease_s=60)
    store.pin_profile(job.id, make_profile())
    store.pin_profile(job.id, make_profile())
    assert store.job(job.id).profile["engine_version"] == "1.0"
    with pytest.raises(ProfileMismatch, match="artefact_digest"):
        store.pin_profile(job.id, make_profile(digest="e" * 64))
    with pytest.raises(JobUnknown):
        store.pin_profile("nobody", make_profile())


def test_a_profile_of_another_class_is_not_pinned(store):
    job = store.create_job(make_job(profile_class=CLASS_A))
    with pytest.raises(ProfileMismatch, match="profile_class"):
        store.pin_profile(job.id, make_profile("cuda"))
    assert store.job(job.id).profile is None


@on_both
def test_a_worker_is_not_given_what_it_refused(store):
    first, second = (store.create_job(make_job()) for _ in range(2))
    lease = store.claim("w", CLASS_A, lease_s=60, refused=(first.id, "another digest"))
    assert lease.job_id == second.id
    assert store.claim("w", CLASS_A, lease_s=60, refused=(first.model_digest,)) is None
    store.give_back(lease, reason="no model")
    assert store.job(second.id).message.endswith("is given back: no model")
    assert names(store.claim("w", CLASS_A, lease_s=60, refused=(first.id,))) == names(lease)
    assert "given back" not in store.job(second.id).message
    check_counters(store)


@on_both
def test_jobs_of_two_owners_share(store):
    for owner in ("ann", "bob"):
        store.create_job(make_job(make_planned(rows=4), owner=owner))
    owners = [store.job(store.claim("w", CLASS_A, lease_s=60).job_id).owner for _ in range(6)]
    assert owners == ["ann", "bob"] * 3


def test_an_owner_with_many_jobs_gets_no_more_than_one_with_one(store):
    for owner in ("ann", "ann", "ann", "bob"):
        store.create_job(make_job(make_planned(rows=6), owner=owner))
    leased = [store.job(store.claim("w", CLASS_A, lease_s=60).job_id) for _ in range(12)]
    assert Counter(job.owner for job in leased) == {"ann": 6, "bob": 6}
    assert set(Counter(job.id for job in leased if job.owner == "ann").values()) == {2}


def test_priority_goes_first(store):
    low, normal, high = (store.create_job(make_job(priority=priority)).id for priority in (-1, 0, 1))
    order = [lease.job_id for lease in finish_all(store)]
    assert order == [high] * 3 + [normal] * 3 + [low] * 3


@on_both
def test_priority_counts_among_the_jobs_of_one_owner_only(store):
    """Whoever calls all jobs urgent, with many or fresh ones, takes nothing from others."""
    planned = make_planned(rows=6)
    quiet = store.create_job(make_job(planned, owner="bob"))
    urgent = [store.create_job(make_job(planned, owner="ann", priority=1)) for _ in range(3)]
    unhurried = store.create_job(make_job(planned, owner="ann", priority=-1))
    leased = [store.job(store.claim("w", CLASS_A, lease_s=60).job_id) for _ in range(12)]
    assert [job.owner for job in leased] == ["bob", "ann"] * 6, "of equals the one who waits longest"
    assert {job.id for job in leased} == {quiet.id} | {job.id for job in urgent}
    assert unhurried.id not in {job.id for job in leased}


def test_owners_go_on_together_while_one_calls_everything_urgent(store):
    """One worker that finishes each lease: both maps grow alike."""
    for owner, priority in (("ann", 1), ("bob", 0)):
        store.create_job(make_job(make_planned(rows=6), owner=owner, priority=priority))
    owners = []
    for lease, _ in zip(leases(store), range(8), strict=False):
        owners.append(store.job(lease.job_id).owner)
        finish(store, lease)
        time.sleep(0.002)  # the store's clock may tick in milliseconds
    assert owners == ["ann", "bob"] * 4


@pytest.mark.parametrize("owners", [("ann", "ann"), ("ann", "bob")])
def test_one_worker_serves_jobs_in_turn_the_oldest_first(store, owners):
    first, second = (store.create_job(make_job(owner=owner)).id for owner in owners)
    leased = []
    for lease in leases(store):
        leased.append(lease.job_id)
        finish(store, lease)
        time.sleep(0.002)  # the store's clock may tick in milliseconds
    assert leased == [first, second] * 3


@on_both
def test_a_lapsed_lease_is_taken_over(store, lapse):
    job = store.create_job(make_job(make_planned(rows=1)))
    old = store.claim("old", CLASS_A, lease_s=60)
    assert store.claim("new", CLASS_A, lease_s=60) is None
    lapse()
    assert store.num_claimable(CLASS_A) == 4
    new = store.claim("new", CLASS_A, lease_s=60)
    assert (names(new), new.units[0].attempts) == (["r0_c0"], 2)
    assert new.token != old.token
    for unit in old.units:
        with pytest.raises(LeaseLost):
            store.finish_unit(old, unit.id)
        with pytest.raises(LeaseLost):
            store.fail_unit(old, unit.id, "late")
    store.give_back(old)
    assert not store.extend(old, lease_s=60)
    assert store.extend(new, lease_s=60)
    finish(store, new)
    assert [unit.name for unit in store.units(job.id, status=UnitStatus.DONE)] == ["r0_c0"]
    check_counters(store)


def test_a_lease_lapses_by_itself(store):
    store.create_job(make_job(make_planned(rows=1)))
    store.claim("old", CLASS_A, lease_s=-1)
    assert store.claim("new", CLASS_A, lease_s=60) is not None


def test_who_is_late_but_not_replaced_still_counts(store, lapse):
    store.create_job(make_job())
    lease = store.claim("w", CLASS_A, lease_s=60)
    lapse()
    assert store.extend(lease, lease_s=60)
    lapse()
    finish(store, lease)
    check_counters(store)


def test_extending_keeps_a_lease(store):
    store.create_job(make_job(make_planned(rows=1)))
    lease = store.claim("w", CLASS_A, lease_s=-1)
    assert store.extend(lease, lease_s=60)
    assert store.claim("new", CLASS_A, lease_s=60) is None
    for unit in lease.units:
        assert store.extend(lease, lease_s=60)
        store.finish_unit(lease, unit.id)
    assert store.extend(lease, lease_s=60)  # at its end, not lost


def test_what_is_given_back_was_never_tried(store):
    store.create_job(make_job())
    lease = store.claim("w", CLASS_A, lease_s=60)
    store.finish_unit(lease, lease.units[1].id)
    store.give_back(lease)
    check_counters(store)
    again = store.claim("w", CLASS_A, lease_s=60)
    assert names(again) == ["r0_c0", "r0_c2", "r0_c3"]
    assert {unit.attempts for unit in again.units} == {1}


def test_the_leases_of_a_dead_worker_are_void(store):
    job = store.create_job(make_job(make_planned(rows=3)))
    mine, other = (store.claim(worker, CLASS_A, lease_s=60) for worker in ("dead", "alive"))
    assert store.lapse_worker("dead") == 4
    assert store.lapse_worker("dead") == 0
    assert not store.extend(mine, lease_s=60)
    assert store.extend(other, lease_s=60)
    assert any("the child of worker dead died" in entry.text for entry in store.log(job.id))
    assert store.num_claimable(CLASS_A) == 5  # a fresh run, and four blocks alone
    check_counters(store)


def test_claimable_leases_are_counted(store):
    store.create_job(make_job(make_planned(num_sheets=2, rows=3, cols=5), has_pictures=True))
    expected = 2 + 2 * 3 * 2
    for _ in range(expected):
        assert store.num_claimable(CLASS_A) == expected
        assert store.claim("w", CLASS_A, lease_s=60) is not None
        expected -= 1
    assert store.num_claimable(CLASS_A) == 0


def test_claimable_leases_of_a_large_job_are_counted_at_least(store, monkeypatch):
    monkeypatch.setattr("service.jobs.claiming.EXACT_BELOW", 10)
    store.create_job(make_job(make_planned(rows=3, cols=5)))
    assert store.num_claimable(CLASS_A) == 4


def test_a_sheet_is_ready_exactly_once(store):
    job = store.create_job(make_job(make_planned(num_sheets=2, rows=1, cols=3)))
    blocks = [store.claim("w", CLASS_A, lease_s=60) for _ in range(2)]
    assert store.claim("w", CLASS_A, lease_s=60) is None
    for lease in blocks:
        finish(store, lease)
    sheets = [store.claim("w", CLASS_A, lease_s=60) for _ in range(2)]
    assert [lease.kind for lease in sheets] == [UnitKind.SHEET] * 2
    assert [lease.sheet for lease in sheets] == ["town_c0", "town_c1"]
    assert store.claim("w", CLASS_A, lease_s=60) is None
    for lease in sheets:
        finish(store, lease)
    assert store.job(job.id).status == JobStatus.SUCCESSFUL


def test_workers_are_known_while_they_are_heard_of(store):
    info = WorkerInfo(id="w", profile_class=CLASS_A, host="h", pid=7, mpx_per_s=2.5)
    store.fleet.register(info)
    store.fleet.register(info)
    (found,) = store.fleet.workers()
    assert (found.id, found.profile_class, found.pid, found.mpx_per_s) == ("w", CLASS_A, 7, 2.5)
    assert found.last_seen > 1e9
    assert store.fleet.workers(alive_s=-1) == []
    store.fleet.forget("w")
    assert store.fleet.workers() == []


def test_a_duty_is_one_holders(store):
    assert store.fleet.hold("reconciler", "a", lease_s=60)
    assert store.fleet.hold("reconciler", "a", lease_s=60)
    assert not store.fleet.hold("reconciler", "b", lease_s=60)
    assert store.fleet.hold("other", "b", lease_s=60)
    assert store.fleet.hold("reconciler", "a", lease_s=-1)
    assert store.fleet.hold("reconciler", "b", lease_s=60)
    assert not store.fleet.hold("reconciler", "a", lease_s=60)

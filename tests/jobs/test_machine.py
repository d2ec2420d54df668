"""Any sequence of what workers and users do keeps the store consistent, and work can always be finished."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from service.jobs.errors import JobNotResumable, LeaseLost
from service.jobs.records import JobStatus, UnitStatus
from service.jobs.schema import units
from service.jobs.store import Store
from tests.jobs.conftest import empty
from tests.jobs.plans import CLASS_A, CLASS_B, make_job, make_planned
from tests.jobs.working import check_counters, finish

PLANS = [make_planned(num_sheets=sheets, rows=rows, cols=3) for sheets, rows in ((1, 1), (2, 2), (3, 1))]
CLASSES = st.sampled_from([CLASS_A, CLASS_B])


class StoreMachine(RuleBasedStateMachine):
    """Workers that come, finish, fail, vanish; users that send, dismiss, resume, delete."""

    store: Store
    leases = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        empty(self.store)
        self.done: set[tuple[str, int]] = set()
        self.seqs: dict[str, int] = {}
        self.numbers = itertools.count()

    def jobs(self) -> list:
        return self.store.jobs(limit=1000).items

    @rule(plan=st.sampled_from(PLANS), share=st.sampled_from([0.0, 0.4, 1.0]), has_pictures=st.booleans())
    def send(self, plan, share, has_pictures) -> None:
        if len(self.seqs) < 4:
            self.store.create_job(make_job(plan, max_failed_share=share, has_pictures=has_pictures))

    @rule(target=leases, profile_class=CLASSES, lease_s=st.sampled_from([-1.0, 60.0]))
    def claim(self, profile_class, lease_s):
        claimable = self.store.num_claimable(profile_class)
        lease = self.store.claim(f"w{next(self.numbers)}", profile_class, lease_s=lease_s)
        if lease is None:
            return multiple()
        assert claimable > 0
        assert len({(unit.kind, unit.sheet, unit.run) for unit in lease.units}) == 1
        assert len(lease.units) == 1 or {unit.attempts for unit in lease.units} == {1}
        assert not {(lease.job_id, unit.id) for unit in lease.units} & self.done
        return lease

    @rule(lease=leases, position=st.integers(0, 3))
    def finish(self, lease, position) -> None:
        unit = lease.units[position % len(lease.units)]
        try:
            self.store.finish_unit(lease, unit.id)
        except LeaseLost:
            return
        self.done.add((lease.job_id, unit.id))

    @rule(lease=leases, position=st.integers(0, 3))
    def fail(self, lease, position) -> None:
        unit = lease.units[position % len(lease.units)]
        try:
            self.store.fail_unit(lease, unit.id, "boom")
        except LeaseLost:
            return
        assert (lease.job_id, unit.id) not in self.done

    @rule(lease=leases)
    def give_back(self, lease) -> None:
        self.store.give_back(lease)

    @rule(lease=leases)
    def lose_worker(self, lease) -> None:
        self.store.lapse_worker(lease.worker_id)
        if any((lease.job_id, unit.id) not in self.done for unit in lease.units):
            assert not self.store.extend(lease, lease_s=60)

    @rule(lease=leases, lease_s=st.sampled_from([-1.0, 60.0]))
    def extend(self, lease, lease_s) -> None:
        self.store.extend(lease, lease_s=lease_s)

    @rule()
    def reap(self) -> None:
        self.store.reap()

    @rule(position=st.integers(0, 9))
    def dismiss(self, position) -> None:
        if found := self.jobs():
            assert self.store.dismiss(found[position % len(found)].id).status.is_terminal

    @rule(position=st.integers(0, 9))
    def resume(self, position) -> None:
        if found := self.jobs():
            job = found[position % len(found)]
            try:
                self.store.resume(job.id)
            except JobNotResumable:
                assert job.status not in (JobStatus.FAILED, JobStatus.DISMISSED)

    @invariant()
    def nothing_that_is_done_is_undone(self) -> None:
        check_counters(self.store)
        for job in self.jobs():
            assert job.seq >= self.seqs.get(job.id, 0)
            self.seqs[job.id] = job.seq
            done = {(job.id, unit.id) for unit in self.store.units(job.id, status=UnitStatus.DONE)}
            assert done == {settled for settled in self.done if settled[0] == job.id}
            assert (job.finished is not None) == job.status.is_terminal
            assert (job.error is not None) == (job.status == JobStatus.FAILED)

    def teardown(self) -> None:
        """Whatever happened, workers that do their work bring every live job to its end."""
        with self.store.begin() as connection:
            held = units.c.status == "leased"
            connection.execute(units.update().where(held).values(lease_until=0.0))
        for profile_class in (CLASS_A, CLASS_B):
            while lease := self.store.claim("last", profile_class, lease_s=60):
                finish(self.store, lease)
        self.store.reap()
        assert all(job.status.is_terminal for job in self.jobs())
        check_counters(self.store)


@pytest.mark.parametrize(
    ("backend", "max_examples"),
    [
        ("sqlite", 5),
        pytest.param("sqlite", 25, marks=pytest.mark.slow),
        pytest.param("postgresql", 10, marks=pytest.mark.slow),
    ],
)
def test_any_sequence_of_events_keeps_the_store_consistent(backend, store, max_examples):  # noqa: ARG001
    class Machine(StoreMachine):
        pass

    Machine.store = store
    run_state_machine_as_test(Machine, settings=settings(max_examples=max_examples, stateful_step_count=20))

"""Claiming: which units a worker gets, and for how long they are its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.ending import lock_job
from service.jobs.ids import new_token
from service.jobs.journal import write_log
from service.jobs.reading import lease_of
from service.jobs.records import JobStatus, UnitStatus
from service.jobs.schema import HAS_LAPSED, IS_LEASED, IS_LIVE, IS_READY, jobs, units

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from service.jobs.records import Lease

EXACT_BELOW = 4096
"""Ready units of a job up to which its claimable leases are counted one by one."""

# Statements that run for every lease are made once: to make one takes longer than SQLite takes to run it.

_IS_FOR_CLASS = sa.or_(jobs.c.profile_class.is_(None), jobs.c.profile_class == sa.bindparam("by_class"))

_HELD = (
    sa.select(
        jobs.c.owner,
        sa.func.sum(jobs.c.units_leased).label("by_owner"),
        sa.func.max(sa.func.coalesce(jobs.c.served, 0.0)).label("owner_served"),
        sa.func.min(jobs.c.created).label("owner_since"),
    )
    .where(IS_LIVE)
    .group_by(jobs.c.owner)
    .subquery()
)

# The owner is chosen before any priority is looked at, ties included: who asks for more than others is served
# no sooner for it.

# Whoever waits for the row finds it as it has become: all conditions are on the row itself, so that a job
# of which nothing is left by then is passed over.
_NEXT_JOB = (
    sa.select(jobs.c.id, jobs.c.status, jobs.c.map_id)
    .join(_HELD, _HELD.c.owner == jobs.c.owner)
    .where(IS_LIVE, jobs.c.units_ready > 0, _IS_FOR_CLASS)
    .order_by(
        *(_HELD.c.by_owner, _HELD.c.owner_served, _HELD.c.owner_since, jobs.c.owner),
        jobs.c.priority.desc(),
        *(jobs.c.units_leased, sa.func.coalesce(jobs.c.served, 0.0)),
        *(jobs.c.created, jobs.c.id),
    )
    .limit(1)
    .with_for_update(of=jobs)
)

_REFUSED: sa.BindParameter[Any] = sa.bindparam("refused", expanding=True)
_NEXT_JOB_BUT_REFUSED = _NEXT_JOB.where(jobs.c.id.not_in(_REFUSED), jobs.c.model_digest.not_in(_REFUSED))

_IS_READY_OF_JOB = sa.and_(units.c.job_id == sa.bindparam("of_job"), IS_READY)
_ORDER = (units.c.turn, units.c.attempts, units.c.id)
_FIRST_UNIT = sa.select(*_ORDER).where(_IS_READY_OF_JOB).order_by(*_ORDER).limit(1)

_LEASE = (
    units.update()
    .values(
        status=UnitStatus.LEASED.value,
        attempts=units.c.attempts + 1,
        lease_token=sa.bindparam("with_token"),
        lease_worker=sa.bindparam("by_worker"),
        lease_until=now() + sa.bindparam("for_s", type_=sa.Double()),
    )
    .returning(*units.c)
)
_LEASE_ONE = _LEASE.where(units.c.id == sa.bindparam("of_unit"))
_LEASE_RUN = _LEASE.where(_IS_READY_OF_JOB, units.c.turn == sa.bindparam("at_turn"), units.c.attempts == 0)

_COUNT_LEASED = (
    jobs.update()
    .where(jobs.c.id == sa.bindparam("of_job"))
    .values(
        profile_class=sa.bindparam("by_class"),
        status=JobStatus.RUNNING.value,
        seq=jobs.c.seq + sa.case((jobs.c.status == JobStatus.ACCEPTED.value, 1), else_=0),
        started=sa.func.coalesce(jobs.c.started, now()),
        served=now(),
        updated=now(),
        units_ready=jobs.c.units_ready - sa.bindparam("num"),
        units_leased=jobs.c.units_leased + sa.bindparam("num"),
    )
)

_IS_OWN = sa.and_(
    units.c.id.in_(sa.bindparam("of_units", expanding=True)),
    units.c.lease_token == sa.bindparam("with_token"),
)
_EXTEND = (
    units.update()
    .where(_IS_OWN, IS_LEASED)
    .values(lease_until=now() + sa.bindparam("for_s", type_=sa.Double()))
)
_NUM_OWN = sa.select(sa.func.count()).select_from(units).where(_IS_OWN)


def claim(
    connection: sa.Connection,
    worker_id: str,
    profile_class: str,
    *,
    lease_s: float,
    refused: Collection[str] = (),
) -> Lease | None:
    """Lease what is next to be done by a worker of this class.

    First the owner who holds the fewest units; then, of that owner's jobs, those of the highest priority; of
    these the one of which the fewest units are held. Of equals the one that was served longest ago, so that
    one worker alone serves all in turn. Within a job: its units' turns. A unit that was tried before is
    leased alone, after those of its run that were not.

    Args:
        connection: In a writing transaction.
        worker_id: Who asks.
        profile_class: What it offers; a job of no class takes this one.
        lease_s: How long the units stay its own without being extended, in seconds.
        refused: Ids of jobs, and digests of models, that this worker cannot work on.

    Returns:
        The lease, or None when nothing is to be done.
    """
    asked = {"by_class": profile_class}
    if refused:
        job = connection.execute(_NEXT_JOB_BUT_REFUSED, asked | {"refused": list(refused)}).one_or_none()
    else:
        job = connection.execute(_NEXT_JOB, asked).one_or_none()
    if job is None:
        return None
    token = new_token()
    told = {"with_token": token, "by_worker": worker_id, "for_s": lease_s}
    leased = _lease_units(connection, job.id, told)
    connection.execute(_COUNT_LEASED, {"of_job": job.id, "by_class": profile_class, "num": len(leased)})
    if job.status == JobStatus.ACCEPTED:
        write_log(connection, job.id, f"running on {profile_class}, first by worker {worker_id}")
    return lease_of(leased, token=token, worker_id=worker_id, map_id=job.map_id)


def _lease_units(
    connection: sa.Connection, job_id: str, told: dict[str, Any]
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Lease the next units of a job, which has some that are ready."""
    first = connection.execute(_FIRST_UNIT, {"of_job": job_id}).one()
    if first.attempts:
        return connection.execute(_LEASE_ONE, told | {"of_unit": first.id}).all()
    return connection.execute(_LEASE_RUN, told | {"of_job": job_id, "at_turn": first.turn}).all()


def extend(connection: sa.Connection, lease: Lease, *, lease_s: float) -> bool:
    """Keep a lease for longer.

    Returns:
        False when it is lost, or the job over before its time.
    """
    # Several rows at once: under the job's lock, or two transactions could wait for each other.
    if lock_job(connection, lease.job_id) is None:
        return False
    own = {"of_units": [unit.id for unit in lease.units], "with_token": lease.token}
    if connection.execute(_EXTEND, own | {"for_s": lease_s}).rowcount:
        return True
    # Nothing is left to extend where the lease is at its end and all its units are done.
    return connection.execute(_NUM_OWN, own).scalar_one() == len(lease.units)


def num_claimable(connection: sa.Connection, profile_class: str) -> int:
    """Leases that workers of a class could be given now; at least, for jobs with very many."""
    live = sa.select(jobs.c.id, jobs.c.units_ready, jobs.c.run_blocks).where(IS_LIVE, _IS_FOR_CLASS)
    found = connection.execute(live, {"by_class": profile_class}).all()
    num_ready = sum(_num_leases(connection, row) for row in found if row.units_ready)
    lapsed = connection.execute(sa.select(units.c.job_id).where(HAS_LAPSED)).scalars()
    ids = {row.id for row in found}
    return num_ready + sum(job_id in ids for job_id in lapsed)


def _num_leases(connection: sa.Connection, job: sa.Row[*tuple[Any, ...]]) -> int:
    if job.units_ready > EXACT_BELOW:
        return math.ceil(int(job.units_ready) / int(job.run_blocks))
    alone = sa.case((units.c.attempts > 0, units.c.id), else_=None)
    leases = sa.select(units.c.turn, alone).where(units.c.job_id == job.id, IS_READY).distinct().subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(leases)).scalar_one())

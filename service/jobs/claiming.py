"""Claiming: which units a worker gets, and for how long they are its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs.clock import now
from service.jobs.ids import new_token
from service.jobs.journal import write_log
from service.jobs.reading import lease_of
from service.jobs.records import JobStatus, UnitStatus
from service.jobs.schema import IS_LEASED, IS_LIVE, IS_READY, jobs, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.jobs.records import Lease

EXACT_BELOW = 4096
"""Ready units of a job up to which its claimable leases are counted one by one."""


def claim(connection: sa.Connection, worker_id: str, profile_class: str, *, lease_s: float) -> Lease | None:
    """Lease what is next to be done by a worker of this class.

    Between jobs: priority, then the owner who holds the fewest units, then the job of which the fewest are
    held, then the oldest. Within a job: its units' turns. A unit that was tried before is leased alone, after
    those of its run that were not.

    Args:
        connection: In a writing transaction.
        worker_id: Who asks.
        profile_class: What it offers; a job of no class takes this one.
        lease_s: How long the units stay its own without being extended, in seconds.

    Returns:
        The lease, or None when nothing is to be done.
    """
    job = connection.execute(_next_job(profile_class)).one_or_none()
    if job is None:
        return None
    token = new_token()
    leased = _lease_units(connection, job.id, worker_id, token, lease_s)
    values = {"profile_class": profile_class, "status": JobStatus.RUNNING.value, "updated": now()}
    if job.status == JobStatus.ACCEPTED:
        values |= {"started": sa.func.coalesce(jobs.c.started, now()), "seq": jobs.c.seq + 1}
        write_log(connection, job.id, f"running on {profile_class}, first by worker {worker_id}")
    values |= {
        "units_ready": jobs.c.units_ready - len(leased),
        "units_leased": jobs.c.units_leased + len(leased),
    }
    connection.execute(jobs.update().where(jobs.c.id == job.id).values(values))
    return lease_of(leased, token=token, worker_id=worker_id, map_id=job.map_id)


def _next_job(profile_class: str) -> sa.Select[tuple[str, str, str]]:
    """The job whose turn it is, its row locked.

    Whoever waits for the row finds it as it has become: all conditions are on the row itself, so that a job
    that has nothing left by then is passed over.
    """
    held = (
        sa.select(jobs.c.owner, sa.func.sum(jobs.c.units_leased).label("by_owner"))
        .where(IS_LIVE)
        .group_by(jobs.c.owner)
        .subquery()
    )
    return (
        sa.select(jobs.c.id, jobs.c.status, jobs.c.map_id)
        .join(held, held.c.owner == jobs.c.owner)
        .where(IS_LIVE, jobs.c.units_ready > 0, _is_for(profile_class))
        .order_by(jobs.c.priority.desc(), held.c.by_owner, jobs.c.units_leased, jobs.c.created, jobs.c.id)
        .limit(1)
        .with_for_update(of=jobs)
    )


def _is_for(profile_class: str) -> sa.ColumnElement[bool]:
    return sa.or_(jobs.c.profile_class.is_(None), jobs.c.profile_class == profile_class)


def _lease_units(
    connection: sa.Connection, job_id: str, worker_id: str, token: str, lease_s: float
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """Lease the next units of a job, which has some that are ready."""
    ready = (units.c.job_id == job_id, IS_READY)
    order = (units.c.turn, units.c.attempts, units.c.id)
    first = connection.execute(sa.select(*order).where(*ready).order_by(*order).limit(1)).one()
    if first.attempts == 0:
        chosen = sa.and_(*ready, units.c.turn == first.turn, units.c.attempts == 0)
    else:
        chosen = units.c.id == first.id
    leased = connection.execute(
        units.update()
        .where(chosen)
        .values(
            status=UnitStatus.LEASED.value,
            attempts=units.c.attempts + 1,
            lease_token=token,
            lease_worker=worker_id,
            lease_until=now() + lease_s,
        )
        .returning(units)
    )
    return leased.all()


def extend(connection: sa.Connection, lease: Lease, *, lease_s: float) -> bool:
    """Keep a lease for longer.

    Returns:
        False when it is lost, or the job over before its time.
    """
    # Several rows at once: under the job's lock, or two transactions could wait for each other.
    connection.execute(sa.select(jobs.c.id).where(jobs.c.id == lease.job_id).with_for_update())
    ids = [unit.id for unit in lease.units]
    own = (units.c.id.in_(ids), units.c.lease_token == lease.token)
    extended = connection.execute(units.update().where(*own, IS_LEASED).values(lease_until=now() + lease_s))
    if extended.rowcount:
        return True
    # Nothing is left to extend where the lease is at its end and all its units are done.
    num_done: int = connection.execute(sa.select(sa.func.count()).select_from(units).where(*own)).scalar_one()
    return num_done == len(ids)


def num_claimable(connection: sa.Connection, profile_class: str) -> int:
    """Leases that workers of a class could be given now; at least, for jobs with very many."""
    live = sa.select(jobs.c.id, jobs.c.units_ready, jobs.c.run_blocks).where(IS_LIVE, _is_for(profile_class))
    found = connection.execute(live).all()
    num_ready = sum(_num_leases(connection, row) for row in found if row.units_ready)
    lapsed = sa.select(sa.func.count()).select_from(units).where(IS_LEASED, units.c.lease_until < now())
    of_found = lapsed.where(units.c.job_id.in_([row.id for row in found]))
    return num_ready + int(connection.execute(of_found).scalar_one())


def _num_leases(connection: sa.Connection, job: sa.Row[*tuple[Any, ...]]) -> int:
    if job.units_ready > EXACT_BELOW:
        return math.ceil(int(job.units_ready) / int(job.run_blocks))
    alone = sa.case((units.c.attempts > 0, units.c.id), else_=None)
    leases = sa.select(units.c.turn, alone).where(units.c.job_id == job.id, IS_READY).distinct().subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(leases)).scalar_one())

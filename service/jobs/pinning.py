"""Pinning how a job is executed: its first run decides, all others comply."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from service.jobs.clock import now
from service.jobs.ending import lock_job
from service.jobs.errors import JobUnknown, ProfileMismatch
from service.jobs.journal import write_log
from service.jobs.schema import jobs

if TYPE_CHECKING:
    import sqlalchemy as sa

    from service.planning.profile import ExecutionProfile


def pin_profile(connection: sa.Connection, job_id: str, profile: ExecutionProfile) -> None:
    """Write down a job's execution profile, or compare it with the one that is there.

    Raises:
        JobUnknown: There is no such job.
        ProfileMismatch: The job is executed otherwise.
    """
    job = lock_job(connection, job_id)
    if job is None:
        raise JobUnknown(f"there is no job {job_id!r}")
    told = asdict(profile)
    if job.profile is None and job.profile_class in (None, profile.profile_class):
        values = {"profile": told, "profile_class": profile.profile_class, "updated": now()}
        connection.execute(jobs.update().where(jobs.c.id == job_id).values(values))
        write_log(connection, job_id, f"executed with {profile}")
    elif job.profile != told:
        pinned = job.profile or {"profile_class": job.profile_class}
        differing = {name: value for name, value in pinned.items() if told.get(name) != value}
        raise ProfileMismatch(
            f"job {job_id} is executed with {differing}, this worker has {profile}",
            remedy="start a worker of the job's profile, or dismiss the job and send it again",
        )

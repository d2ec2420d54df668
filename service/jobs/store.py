"""The job store: the truth of what is to be done, by whom, and what is done.

One object per process, used by all its threads. Every method is one transaction, or several that leave a
consistent state between them; each may raise `StoreUnavailable`, after which the same call may be repeated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from service.jobs import (
    claiming,
    ending,
    finding,
    journal,
    lapsing,
    pinning,
    reading,
    removing,
    resuming,
    settling,
)
from service.jobs.creating import SameJobThere, create
from service.jobs.engine import Database
from service.jobs.errors import JobUnknown, StoreUnavailable
from service.jobs.fleet import Fleet
from service.jobs.migrating import migrate
from service.jobs.packing import unpack
from service.jobs.records import UnitKind
from service.jobs.requests import Requests
from service.jobs.schema import plans

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from service.intake.planned import PlannedMap
    from service.jobs.records import (
        Job,
        JobStatus,
        Lease,
        LogEntry,
        MapRecord,
        NewJob,
        Page,
        Unit,
        UnitStatus,
    )
    from service.planning.profile import ExecutionProfile


class Store:
    """Jobs, their units of work and their maps, in SQLite or PostgreSQL."""

    def __init__(self, database: Database, *, max_attempts: int) -> None:
        self.database = database
        self.fleet = Fleet(database)
        self.requests = Requests(database)
        """Those that came with an Idempotency-Key."""
        self._max_attempts = max_attempts

    @classmethod
    def open(cls, url: str, *, max_attempts: int = 3) -> Store:
        """Open a store, and bring its tables to this version's state; many processes may do so at once.

        Args:
            url: ``sqlite:////absolute/path.sqlite`` or ``postgresql://user:password@host/name``.
            max_attempts: Times that a unit may fail, or end its child, before it is given up.

        Raises:
            StoreUrlInvalid: The address names no database that is known here.
            StoreNewer: The store was migrated by a newer version.
            StoreUnavailable: It cannot be reached, or cannot be written.
        """
        database = Database.at(url)
        try:
            migrate(database)
        except BaseException:
            database.close()
            raise
        return cls(database, max_attempts=max_attempts)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def is_reachable(self) -> bool:
        """Whether the store answers now."""
        try:
            with self.database.reading() as connection:
                connection.execute(sa.select(1))
        except StoreUnavailable:
            return False
        return True

    def begin(self) -> AbstractContextManager[sa.Connection]:
        """A writing transaction, for whoever looks at the tables themselves, such as tests and repairs."""
        return self.database.writing()

    # Jobs

    def create_job(self, new: NewJob) -> Job:
        """Accept a job, with its map and all its units."""
        return self.job(create(self.database, new))

    def create_unless_same(self, new: NewJob, *, is_same: Callable[[Job], bool]) -> tuple[Job, bool]:
        """Accept a job, unless the same one is there by then, however many ask at once.

        Args:
            new: The job.
            is_same: Asked of what `same_job` finds, whether that is as good.

        Returns:
            The job, and whether it is the new one.
        """
        try:
            return self.job(create(self.database, new, is_same=is_same)), True
        except SameJobThere as there:
            removing.remove_draft(self.database, there.draft_id)
            return there.job, False

    def job(self, job_id: str, *, owner: str | None = None) -> Job:
        """One job; without an owner, whosever it is.

        Raises:
            JobUnknown: There is none, or it is another owner's.
        """
        with self.database.reading() as connection:
            return finding.find_job(connection, job_id, owner=owner)

    def jobs(
        self,
        *,
        owner: str | None = None,
        status: JobStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Job]:
        """Jobs, newest first.

        Raises:
            CursorInvalid: The cursor did not come from here.
        """
        with self.database.reading() as connection:
            return finding.list_jobs(connection, owner=owner, status=status, limit=limit, cursor=cursor)

    def planned(self, job_id: str) -> PlannedMap:
        """The plan of a job; of a country it takes a moment to read, so keep it.

        Raises:
            JobUnknown: There is none, or its map is deleted.
        """
        query = sa.select(plans.c.packed).where(plans.c.job_id == job_id)
        with self.database.reading() as connection:
            packed = connection.execute(query).scalar()
        if packed is None:
            raise JobUnknown(f"there is no plan of a job {job_id!r}")
        return unpack(packed)

    def same_job(self, *, owner: str, content_key: str) -> Job | None:
        """A job of this owner that makes the same map, which is not deleted.

        A successful one before a live one before one that stopped; of several the newest.
        """
        with self.database.reading() as connection:
            return finding.find_same_job(connection, owner=owner, content_key=content_key)

    def dismiss(self, job_id: str) -> Job:
        """End a job; its leases are void at once. Nothing happens to one that is over.

        Raises:
            JobUnknown: There is none.
        """
        with self.database.writing() as connection:
            ending.dismiss(connection, job_id)
            return finding.find_job(connection, job_id)

    def resume(self, job_id: str) -> Job:
        """Accept a failed or dismissed job again: what is done stays done, what failed has fresh attempts.

        Raises:
            JobUnknown: There is none.
            JobNotResumable: It did not stop, or its map is deleted.
        """
        with self.database.writing() as connection:
            resuming.resume(connection, job_id)
            return finding.find_job(connection, job_id)

    def delete_job(self, job_id: str) -> None:
        """Delete a job that is over, and its map with it; the map's files are the caller's to remove.

        Raises:
            JobUnknown: There is none.
            JobUnderWay: It is not over.
        """
        if not removing.remove_job(self.database, job_id):
            raise JobUnknown(f"there is no job {job_id!r}")

    def units(
        self,
        job_id: str,
        *,
        kind: UnitKind | None = None,
        status: UnitStatus | None = None,
        since_seq: int = -1,
        limit: int = 10_000,
    ) -> list[Unit]:
        """Units of a job in the order in which they settled; those that have not come first.

        Args:
            job_id: The job; one that is unknown has none.
            kind: Only of this kind.
            status: Only of this status.
            since_seq: Only those whose ``seq`` is greater; 0 leaves out those that never settled. With the
                last ``seq`` seen, it gives what has changed since.
            limit: Most units.
        """
        with self.database.reading() as connection:
            return reading.find_units(
                connection, job_id, kind=kind, status=status, since_seq=since_seq, limit=limit
            )

    def log(self, job_id: str, *, limit: int = 1000) -> list[LogEntry]:
        """The last entries of a job's log, oldest first."""
        with self.database.reading() as connection:
            return journal.read_log(connection, job_id, limit=limit)

    # Maps

    def map(self, map_id: str, *, owner: str | None = None) -> MapRecord:
        """One map; without an owner, whosever it is.

        Raises:
            MapUnknown: There is none, or it is another owner's.
        """
        with self.database.reading() as connection:
            return finding.find_map(connection, map_id, owner=owner)

    def maps(
        self,
        *,
        owner: str | None = None,
        name: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[MapRecord]:
        """Maps, newest first.

        Raises:
            CursorInvalid: The cursor did not come from here.
        """
        with self.database.reading() as connection:
            return finding.list_maps(connection, owner=owner, name=name, limit=limit, cursor=cursor)

    def latest_map(self, name: str, *, owner: str | None = None) -> MapRecord:
        """The newest finished map of a name; the newest of all when none is finished.

        Raises:
            MapUnknown: No map has this name.
        """
        with self.database.reading() as connection:
            return finding.find_latest_map(connection, name, owner=owner)

    def delete_map(self, map_id: str) -> None:
        """Delete a map whose job is over, with all units; the job stays, as history.

        Raises:
            MapUnknown: There is none.
            JobUnderWay: Its job is not over.
        """
        removing.remove_map(self.database, self.map(map_id).job_id)

    def maps_over_for(self, at_least_s: float) -> list[str]:
        """Ids of the maps whose jobs have been over for so long, in seconds."""
        with self.database.reading() as connection:
            return finding.find_maps_over(connection, at_least_s=at_least_s)

    # Work

    def claim(
        self, worker_id: str, profile_class: str, *, lease_s: float, refused: Collection[str] = ()
    ) -> Lease | None:
        """Lease what is next to be done by a worker of this class; see `service.jobs.claiming`.

        Returns:
            None when there is nothing for it now.
        """
        while True:
            with self.database.writing(is_durable=False) as connection:
                if not lapsing.has_lapsed(connection):
                    return claiming.claim(
                        connection, worker_id, profile_class, lease_s=lease_s, refused=refused
                    )
            lapsing.release_lapsed(self.database, max_attempts=self._max_attempts)

    def extend(self, lease: Lease, *, lease_s: float) -> bool:
        """Keep a lease for ``lease_s`` seconds from now.

        Returns:
            False when it is lost, or its job over before its time: stop working on it.
        """
        with self.database.writing(is_durable=False) as connection:
            return claiming.extend(connection, lease, lease_s=lease_s)

    def pin_profile(self, job_id: str, profile: ExecutionProfile) -> None:
        """Write down how a job is executed, or check that it is executed so.

        Raises:
            JobUnknown: There is no such job.
            ProfileMismatch: It is executed otherwise.
        """
        with self.database.writing() as connection:
            pinning.pin_profile(connection, job_id, profile)

    def finish_unit(
        self,
        lease: Lease,
        unit_id: int,
        *,
        figures: dict[str, Any] | None = None,
        engine_s: float | None = None,
    ) -> None:
        """Settle a unit as done; to repeat it under the same lease changes nothing.

        Args:
            lease: Under which it was made.
            unit_id: One of the lease's.
            figures: What was found out; a sheet's ``pixel_counts`` are added to its map's.
            engine_s: Of a block, the time that the engine took, in seconds; None where it is not known, or
                there was nothing to segment.

        Raises:
            LeaseLost: The unit is not this lease's any more.
        """
        # A block that is forgotten with a power cut is made again. A sheet could not be: its blocks go.
        with self.database.writing(is_durable=lease.kind != UnitKind.BLOCK) as connection:
            settling.finish_unit(connection, lease, unit_id, figures, engine_s=engine_s)

    def fail_unit(self, lease: Lease, unit_id: int, error: str) -> None:
        """Put back a unit that could not be made; after the last attempt it has failed, and perhaps the job.

        Raises:
            LeaseLost: The unit is not this lease's any more.
        """
        with self.database.writing() as connection:
            settling.fail_unit(connection, lease, unit_id, error, max_attempts=self._max_attempts)

    def give_back(self, lease: Lease, *, reason: str | None = None) -> None:
        """Make what is not done of a lease ready again, as if it had never been leased.

        Args:
            lease: All of it, or what is left.
            reason: For the job's log, where its owner should know.
        """
        with self.database.writing(is_durable=False) as connection:
            settling.give_back(connection, lease, reason=reason)

    def lapse_worker(self, worker_id: str, *, is_loss: bool = False) -> int:
        """End all attempts of a worker whose child has died; they stay counted.

        Args:
            worker_id: Whose.
            is_loss: Whether the whole worker died, and what it held is hardly to blame.

        Returns:
            Units that it held.
        """
        return lapsing.release_worker(
            self.database, worker_id, max_attempts=self._max_attempts, is_loss=is_loss
        )

    def num_claimable(self, profile_class: str) -> int:
        """Leases that workers of a class could be given now; at least, where a job has thousands."""
        with self.database.reading() as connection:
            return claiming.num_claimable(connection, profile_class)

    def reap(self) -> list[str]:
        """End attempts whose leases have lapsed and jobs of which nothing is open; remove what is left over.

        Returns:
            Ids of the jobs that changed.
        """
        changed = lapsing.release_lapsed(self.database, max_attempts=self._max_attempts)
        changed += lapsing.end_settled(self.database)
        removing.sweep(self.database)
        return sorted(set(changed))

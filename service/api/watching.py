"""Watching jobs: however many listen to one, the store is asked once."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from service.errors import NotFound, Unavailable
from service.jobs.records import UnitKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import TaskGroup

    from service.jobs.records import Job, Unit
    from service.jobs.store import Store

POLL_S = 0.5
"""The store is asked this often about a job that somebody watches."""

PAGE_UNITS = 1000
"""Most blocks told at once."""

_KEPT_UNITS = 20_000
"""Settled blocks that a watch remembers; who is further behind asks the store."""

_log = logging.getLogger(__name__)


class Watch:
    """One job, as it changes, for all who listen in this process."""

    def __init__(self, job: Job, store: Store) -> None:
        """Begin with a job as it stands."""
        self.job: Job | None = job
        """As it stands; None once it is deleted."""
        self.num_listeners = 0
        self.scope = anyio.CancelScope()
        """Cancelled when nobody listens any more."""
        self.is_let_go = False
        """Whether the server ends, or watching has failed: listeners are to go, and to come back."""
        self._store = store
        self._units: list[Unit] = []
        self._known_seq = job.seq
        self._floor_seq = job.seq
        self._changed = anyio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.job is None or self.job.status.is_terminal

    async def change(self, seen: Job | None) -> Job | None:
        """Wait until the job is not as it was seen, or listeners are let go.

        Returns:
            The job as it stands then; None once it is deleted.
        """
        while (
            not self.is_let_go
            and self.job is not None
            and seen is not None
            and _state(self.job) == _state(seen)
        ):
            await self._changed.wait()
        return self.job

    def let_go(self) -> None:
        """Have all who wait wait no more."""
        self.is_let_go = True
        self._changed.set()

    async def settled(self, since_seq: int) -> list[Unit]:
        """Blocks that settled after ``since_seq``, in that order; at most a thousand, so ask again."""
        if self.job is None:
            return []
        if since_seq >= self._floor_seq:
            return [unit for unit in self._units if unit.seq > since_seq][:PAGE_UNITS]
        return await anyio.to_thread.run_sync(
            lambda job_id: self._store.units(
                job_id, kind=UnitKind.BLOCK, since_seq=max(since_seq, 0), limit=PAGE_UNITS
            ),
            self.job.id,
        )

    async def follow(self) -> None:
        """Ask the store again and again, until the job is over and nothing can change any more.

        An error that nobody foresaw ends this watch alone: it shares its tasks with the whole process.
        """
        job_id = self.job.id if self.job is not None else None
        with self.scope:
            try:
                while not self.is_over:
                    await anyio.sleep(POLL_S)
                    await self.look()
            except Exception:  # noqa: BLE001  see above
                _log.exception("a job is not watched any more", extra={"job_id": job_id})
                self.let_go()

    async def look(self) -> None:
        """Ask the store once, and tell all who wait if something has changed."""
        assert self.job is not None, "a deleted job is not looked at"
        seen, job_id = self.job, self.job.id
        try:
            job = await anyio.to_thread.run_sync(self._store.job, job_id)
            if job.seq > self._known_seq:
                await self._collect(job)
        except NotFound:
            self.job = None
        except Unavailable as error:
            _log.warning("a watched job was not read: %s", error, extra={"job_id": job_id})
            return
        else:
            self.job = job
        if self.job is None or _state(self.job) != _state(seen):
            self._changed.set()
            self._changed = anyio.Event()

    async def _collect(self, job: Job) -> None:
        """Remember the blocks that have settled since the last look."""
        units = await anyio.to_thread.run_sync(
            lambda: self._store.units(job.id, kind=UnitKind.BLOCK, since_seq=self._known_seq)
        )
        self._units += units
        self._known_seq = max([job.seq, *(unit.seq for unit in units)])
        if len(self._units) > _KEPT_UNITS:
            self._floor_seq = self._units[-_KEPT_UNITS - 1].seq
            self._units = self._units[-_KEPT_UNITS:]


class Watches:
    """The jobs that are watched in this process."""

    def __init__(self, store: Store, tasks: TaskGroup) -> None:
        """Watch nothing yet.

        Args:
            store: The truth.
            tasks: Where watching runs; it ends with the process.
        """
        self._store = store
        self._tasks = tasks
        self._watches: dict[str, Watch] = {}
        self._is_let_go = False

    def __len__(self) -> int:
        return len(self._watches)

    @asynccontextmanager
    async def of(self, job: Job) -> AsyncIterator[Watch]:
        """Listen to a job; with the last who leaves, watching it ends."""
        watch = self._watches.get(job.id)
        if watch is None or watch.is_over or watch.is_let_go:
            watch = self._watches[job.id] = Watch(job, self._store)
            self._tasks.start_soon(watch.follow)
        if self._is_let_go:
            watch.let_go()
        watch.num_listeners += 1
        try:
            yield watch
        finally:
            watch.num_listeners -= 1
            if not watch.num_listeners:
                watch.scope.cancel()
                if self._watches.get(job.id) is watch:
                    del self._watches[job.id]

    def let_go(self) -> None:
        """End all listening, from now on at once: the server was asked to end. In the thread of its loop."""
        self._is_let_go = True
        for watch in self._watches.values():
            watch.let_go()

    async def until_over(self, job: Job, *, timeout_s: float) -> Job:
        """Wait until a job is over, or the time is, or the server ends."""
        latest = job
        with anyio.move_on_after(timeout_s):
            async with self.of(job) as watch:
                while not latest.status.is_terminal and not watch.is_let_go:
                    changed = await watch.change(latest)
                    if changed is None:
                        break
                    latest = changed
        return latest


def _state(job: Job) -> tuple[object, ...]:
    """What listeners are told of."""
    return job.seq, job.status, job.message, job.px_done, job.sheets_done

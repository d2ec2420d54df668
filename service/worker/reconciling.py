"""What a worker does beside its work: it says that it is there, and one of all of them keeps watch.

The watch ends attempts whose leases have lapsed and rings for everything that should run and does not. It
is a lease of its own in the store, so there is always one, and it needs no process.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from service.jobs.errors import StoreUnavailable

if TYPE_CHECKING:
    from service.jobs.bell import Bell
    from service.jobs.records import WorkerInfo
    from service.jobs.store import Store
    from service.worker.pace import Pace

WATCH = "reconciler"
"""Name of the lease."""
_WATCH_S = 2.0
"""Between two looks, in seconds."""
_PRESENCE_LOOKS = 3
"""Each so many looks the worker tells that it is there."""

_log = logging.getLogger(__name__)


class Presence:
    """The thread that does it; a context manager for as long as the worker is there."""

    def __init__(self, store: Store, bell: Bell, worker: WorkerInfo, pace: Pace) -> None:
        self._store, self._bell, self._worker, self._pace = store, bell, worker, pace
        self._is_left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def _run(self) -> None:
        looks = 0
        while True:
            try:
                if looks % _PRESENCE_LOOKS == 0:
                    self._store.fleet.register(replace(self._worker, mpx_per_s=self._pace.mpx_per_s))
                if self._store.fleet.hold(WATCH, self._worker.id, lease_s=4 * _WATCH_S):
                    self._reconcile()
            except StoreUnavailable as error:
                _log.warning("the store is away: %s", error.message)
            except Exception:  # noqa: BLE001  who works and is not heard of would be taken for dead
                _log.exception("the watch was not kept")
            looks += 1
            if self._is_left.wait(_WATCH_S):
                return

    def _reconcile(self) -> None:
        for job_id in self._store.reap():
            _log.warning("took over what was left of a job", extra={"job_id": job_id})
        for profile_class in {worker.profile_class for worker in self._store.fleet.workers()}:
            if self._store.num_claimable(profile_class):
                self._bell.ring(profile_class)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left.set()
        self._thread.join(timeout=10)
        try:
            self._store.fleet.forget(self._worker.id)
        except StoreUnavailable as error:
            _log.warning("left without a word, the store is away: %s", error.message)

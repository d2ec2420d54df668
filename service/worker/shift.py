"""The child of a worker: from its start to its end it works off what the store has for it."""

from __future__ import annotations

import logging
import os
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from service.jobs.bell import CeleryBell
from service.jobs.records import WorkerInfo
from service.jobs.store import Store
from service.worker.leaving import WorkerLeaving
from service.worker.pace import Pace
from service.worker.patience import patiently
from service.worker.processing import Processor
from service.worker.reconciling import Presence
from service.worker.shelf import Shelf
from service.worker.watchdog import Watchdog

if TYPE_CHECKING:
    from service.jobs.records import Lease
    from service.settings import Settings
    from service.worker.leaving import StopLine

_log = logging.getLogger(__name__)


class Shift:
    """Opened in the child after the fork: the store and its threads must not be shared with the parent."""

    def __init__(self, settings: Settings, *, name: str, profile_class: str, stop: StopLine) -> None:
        """Open the store and say that this worker is there.

        What a child of the same worker held, and died over, is anyone's again at once.

        Raises:
            ServiceError: The store cannot be used.
        """
        self._settings, self._name, self._class, self._stop = settings, name, profile_class, stop
        self._stack = ExitStack()
        self._store = patiently(
            lambda: Store.open(settings.resolved_store_url, max_attempts=settings.max_attempts),
            check=stop.check,
        )
        self._stack.callback(self._store.close)
        lapsed = patiently(lambda: self._store.lapse_worker(name), check=stop.check)
        if lapsed:
            _log.warning("a child before this one died at work", extra={"num_units": lapsed})
        self._bell = CeleryBell(settings)
        pace = Pace()
        worker = WorkerInfo(id=name, profile_class=profile_class, host=socket.gethostname(), pid=os.getpid())
        self._stack.enter_context(Presence(self._store, self._bell, worker, pace))
        watchdog = Watchdog(settings.block_timeout_s)
        self._shelf = Shelf(settings, on_progress=watchdog.feed)
        self._stack.callback(self._shelf.close_sources)
        self._processor = Processor(
            settings, store=self._store, shelf=self._shelf, pace=pace, watchdog=watchdog, stop=stop
        )

    def come(self) -> None:
        """Work until nothing is left for this worker; who was idle wakes the next, while there is more."""
        has_woken = False
        try:
            while True:
                self._stop.check()
                lease = patiently(self._claim, check=self._stop.check)
                if lease is None:
                    break
                if not has_woken:
                    has_woken = True
                    self._wake_next()
                self._processor.process(lease)
        except WorkerLeaving:
            _log.info("leaving")
        finally:
            self._shelf.close_sources()

    def _claim(self) -> Lease | None:
        return self._store.claim(self._name, self._class, lease_s=self._settings.lease_s)

    def _wake_next(self) -> None:
        if patiently(lambda: self._store.num_claimable(self._class), check=self._stop.check):
            self._bell.ring(self._class)

    def end(self) -> None:
        """Close everything and say that this worker is gone."""
        self._stack.close()

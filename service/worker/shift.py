"""The child of a worker: from its start to its end it works off what the store has for it."""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from service.jobs.bell import CeleryBell
from service.jobs.records import WorkerInfo
from service.jobs.store import Store
from service.room import Room
from service.worker.fitness import Refusals, WorkerUnfit
from service.worker.leaving import WorkerLeaving
from service.worker.pace import Pace
from service.worker.patience import patiently
from service.worker.processing import Processor
from service.worker.reconciling import Presence
from service.worker.shelf import Shelf
from service.worker.waiting import NoRoom, RoomWatch
from service.worker.watchdog import Watchdog

if TYPE_CHECKING:
    from service.jobs.records import Lease
    from service.settings import Settings
    from service.worker.leaving import StopLine

_LOOK_S = 3.0
"""Who is idle looks for work this often, bell or not."""
BROKEN = 70
"""Exit code of a child that met a mistake of ours (EX_SOFTWARE)."""

_log = logging.getLogger(__name__)


class Shift:
    """Opened in the child after the fork: the store and its threads must not be shared with the parent.

    Work is done in a thread of its own, not in Celery's task: whatever becomes of messages when brokers and
    children come and go, a child that is there works.
    """

    def __init__(
        self, settings: Settings, *, name: str, profile_class: str, stop: StopLine, is_first: bool
    ) -> None:
        """Open the store and say that this worker is there.

        What a child of the same worker held, and died over, is anyone's again at once.

        Args:
            settings: Of this machine.
            name: Of the worker.
            profile_class: What it offers.
            stop: Where it is told to leave.
            is_first: Whether this is the first child of its main process: what an earlier one held was lost
                with the whole worker.

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
        lapsed = patiently(lambda: self._store.lapse_worker(name, is_loss=is_first), check=stop.check)
        if lapsed:
            died = "a worker of this name" if is_first else "a child before this one"
            _log.warning("%s died at work", died, extra={"num_units": lapsed})
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
        self._room = RoomWatch(
            Room(folder=settings.maps_folder, kept_free_bytes=settings.disk_kept_free_bytes)
        )
        self._refusals = Refusals()
        self._is_called, self._is_idle, self._is_ending = threading.Event(), threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="work", daemon=True)

    def begin(self) -> None:
        """Start to work: at once, whenever the bell is heard, and every few seconds anyway."""
        self._thread.start()

    def come(self) -> None:
        """The bell: work, and return when nothing is left, so that other bells go to whoever is idle."""
        self._is_idle.clear()
        self._is_called.set()
        while self._thread.is_alive() and not self._is_idle.wait(_LOOK_S):
            pass

    def end(self) -> None:
        """Leave off within a core, close everything and say that this worker is gone."""
        self._is_ending = True
        self._is_called.set()
        self._thread.join()
        self._stack.close()

    def _run(self) -> None:
        try:
            while not self._is_ending and not self._stop.is_asked:
                self._is_called.clear()
                self._work()
                if not self._is_called.is_set():
                    self._is_idle.set()
                self._is_called.wait(_LOOK_S)
        except WorkerLeaving:
            _log.info("leaving")
        except BaseException:  # noqa: BLE001  there and doing nothing is worse than gone: a new child begins
            _log.exception("this child cannot go on")
            os._exit(BROKEN)
        finally:
            self._is_idle.set()

    def _work(self) -> None:
        """Work until nothing is left for this worker; who was idle wakes the next, while there is more."""
        has_woken = False
        while (lease := patiently(self._claim, check=self._stop.check)) is not None:
            if not has_woken:
                has_woken = True
                self._wake_next()
            self._make(lease)
            self._stop.check()
        self._shelf.close_sources()

    def _make(self, lease: Lease) -> None:
        try:
            self._processor.process(lease)
        except NoRoom:
            self._room.note_full()
        except WorkerUnfit as unfit:
            self._refusals.note(unfit)
        else:
            self._room.note_well()

    def _claim(self) -> Lease | None:
        if not self._room.is_open():
            return None
        return self._store.claim(
            self._name, self._class, lease_s=self._settings.lease_s, refused=self._refusals.now()
        )

    def _wake_next(self) -> None:
        if patiently(lambda: self._store.num_claimable(self._class), check=self._stop.check):
            self._bell.ring(self._class)

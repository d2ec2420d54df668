"""The main process of a worker: Celery, one child, and nothing that must not be forked."""

from __future__ import annotations

import logging
import mmap
import os
import signal
import sys
import warnings
from typing import TYPE_CHECKING, Any

from celery import signals
from celery.exceptions import SecurityWarning

from models.errors import RemediedError
from service.inference.offering import offered_class
from service.jobs.bell import ANY_CLASS, COME, celery_app, queue_of
from service.worker.leaving import StopLine, WorkerLeaving
from service.worker.lines import told
from service.worker.shift import BROKEN, Shift

if TYPE_CHECKING:
    from celery import Celery

    from service.settings import Settings

_log = logging.getLogger(__name__)


class Crew:
    """What both processes of a worker know: made in the main one, inherited by the child."""

    def __init__(self, settings: Settings, *, name: str) -> None:
        """Find out what this machine offers.

        Raises:
            EngineError: The engine that the settings name is not installed, or does not compute in their
                precision.
        """
        self._settings, self._name = settings, name
        self._class = offered_class(settings.engine, settings.precision)
        self._stop = StopLine()
        self._has_begun = mmap.mmap(-1, 1)  # shared by all children: whether one has begun before
        self._shift: Shift | None = None

    def app(self) -> Celery:
        """Celery with the one task, listening to the bells that are for this machine."""
        app = celery_app(self._settings.broker_url)
        app.conf.update(
            # A child may be ended at any moment by what it reads or by the watchdog, and is forked anew; the
            # main process holds no model, no pixels and no connection to the store.
            worker_pool="service.worker.pool:QuickPool",
            worker_concurrency=1,
            worker_proc_alive_timeout=120.0,  # until the store is open; it may have to be migrated
            task_time_limit=None,  # a child works as long as there is work: leases and watchdog keep time
        )
        app.task(self.come, name=COME)
        # Logs are set up already; a receiver keeps Celery from doing it again. (Weak references would be
        # gone with this call.)
        signals.setup_logging.connect(self._leave_logs_alone, weak=False)
        signals.worker_process_init.connect(self._begin, weak=False)
        signals.worker_process_shutdown.connect(self._end, weak=False)
        signals.worker_shutting_down.connect(self._ask_to_leave, weak=False)
        return app

    def come(self) -> None:
        """The task: whoever hears the bell works until nothing is left. It holds no logic."""
        if self._shift is not None:
            self._shift.come()

    @property
    def queues(self) -> list[str]:
        """Those that this worker listens to."""
        return [queue_of(self._class), ANY_CLASS]

    def _open(self) -> Shift:
        is_first, self._has_begun[0] = not self._has_begun[0], 1
        return Shift(
            self._settings, name=self._name, profile_class=self._class, stop=self._stop, is_first=is_first
        )

    def _begin(self, **_: Any) -> None:  # noqa: ANN401  Celery's signal
        self._stop.hold()
        try:
            self._shift = self._open()
            self._shift.begin()
        except WorkerLeaving:
            _log.info("left before it began")
        except RemediedError as error:  # a new child would fare no better: the worker ends
            _log.error("cannot work: %s", told(error))
            os.kill(os.getppid(), signal.SIGTERM)
        except BaseException:  # noqa: BLE001  Celery would swallow it, and keep a child that only eats bells
            _log.exception("this child cannot begin")
            os._exit(BROKEN)

    def _leave_logs_alone(self, **_: Any) -> None:  # noqa: ANN401  Celery's signal
        """Nothing to do: that it is called is all that Celery asks."""

    def _end(self, **_: Any) -> None:  # noqa: ANN401  Celery's signal
        if self._shift is not None:
            self._shift.end()

    def _ask_to_leave(self, **_: Any) -> None:  # noqa: ANN401  Celery's signal
        self._stop.ask()


def run_worker(settings: Settings, *, name: str) -> None:
    """Run a worker until it is told to leave by SIGTERM; it finishes the core at hand.

    Args:
        settings: Of this machine.
        name: Tells this worker from all others; a worker started again under the same name takes up at
            once what it held.

    Raises:
        EngineError: The engine that the settings name is not installed.
    """
    for chatty in ("celery.worker.strategy", "celery.app.trace", "celery.utils"):  # they tell of each bell
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("celery.worker.request").setLevel(
        logging.CRITICAL
    )  # the next child tells what was lost
    # To warn of root is right where messages may carry code; these carry nothing.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    crew = Crew(settings, name=name)
    worker = crew.app().Worker(
        hostname=name,
        queues=crew.queues,
        loglevel=None,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    worker.start()
    sys.exit(worker.exitcode)

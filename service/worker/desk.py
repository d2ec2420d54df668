"""What is at hand while a lease is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from service.room import is_full
from service.worker.lines import told
from service.worker.patience import patiently
from service.worker.waiting import NoRoom

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.jobs.store import Store
    from service.room import Room
    from service.settings import Settings
    from service.worker.heartbeat import Heartbeat
    from service.worker.leaving import StopLine
    from service.worker.pace import Pace
    from service.worker.shelf import Shelf
    from service.worker.watchdog import Watchdog

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that making blocks, sheets and pictures needs of its worker."""

    settings: Settings
    store: Store
    shelf: Shelf
    pace: Pace
    watchdog: Watchdog
    heartbeat: Heartbeat
    stop: StopLine
    room: Room
    """Of the maps."""

    def alive(self) -> None:
        """Say that work moves on; to be called at least each ``block_timeout_s``.

        Raises:
            LeaseLost: The lease lapsed, or the job was dismissed.
        """
        self.watchdog.feed()
        self.heartbeat.check()

    def raise_if_full(self, error: Exception) -> None:
        """Tell a disk without room from what is a block's own fault.

        What fails while the disk is below its mark failed for that, whatever it says of itself: libraries
        that write do not always say why they could not.

        Raises:
            NoRoom: The disk is full.
        """
        if isinstance(error, NoRoom):
            raise error
        if is_full(error) or self.room.num_bytes < 0:
            raise NoRoom(told(error)) from error

    def alive_and_free(self) -> None:
        """Say that work moves on and could stop here.

        Raises:
            LeaseLost: The lease lapsed, or the job was dismissed.
            WorkerLeaving: This worker was asked to leave.
        """
        self.alive()
        self.stop.check()

    def patiently(self, call: Callable[[], T]) -> T:
        """Call the store until it answers; `alive_and_free` tells what ends that."""
        return patiently(call, check=self.alive_and_free)

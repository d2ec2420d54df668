"""Keeping a lease while its units are worked on."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Self

from service.jobs.errors import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from service.jobs.records import Lease
    from service.jobs.store import Store

_BEATS_A_LEASE = 4
"""Three may be missed."""

_log = logging.getLogger(__name__)


class Heartbeat:
    """A thread that extends a lease until it is left; a context manager."""

    def __init__(self, store: Store, lease: Lease, *, lease_s: float) -> None:
        """Prepare the thread.

        Args:
            store: Of the lease.
            lease: Just claimed.
            lease_s: What each beat extends it to, in seconds.
        """
        self._store, self._lease, self._lease_s = store, lease, lease_s
        self._is_left, self._is_lost = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def check(self) -> None:
        """See whether the lease is still held, as far as the last beat knows.

        Raises:
            LeaseLost: It lapsed and somebody else may have it, or the job was dismissed.
        """
        if self._is_lost.is_set():
            raise LeaseLost(f"the lease on {self._lease.kind} {self._lease.units[0].name} is lost")

    def _beat(self) -> None:
        while not self._is_left.wait(self._lease_s / _BEATS_A_LEASE):
            try:
                if not self._store.extend(self._lease, lease_s=self._lease_s):
                    self._is_lost.set()
                    return
            except StoreUnavailable as error:
                _log.warning("the lease was not extended: %s", error, extra={"job_id": self._lease.job_id})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left.set()
        self._thread.join()

"""The workers that are alive: what they offer, how fast they are."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from service.planning.profile import computes_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from models.manifest import Manifest, Precision
    from service.jobs.records import WorkerInfo
    from service.jobs.store import Store

_FRESH_S = 2.0
"""The store is asked again after this long."""

_GPU_PROVIDERS = ("-cuda-", "-tensorrt-")

NOBODY = "no worker is connected; start one: orthoscape worker (with the server's ORTHOSCAPE_* settings)"
"""What a job that waits says."""


class Crew:
    """Live workers, read from the store at most every two seconds, by any thread."""

    def __init__(self, store: Store) -> None:
        """Ask nobody yet.

        Args:
            store: Where workers tell of themselves.
        """
        self._store = store
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._alive: list[WorkerInfo] = []

    def alive(self) -> list[WorkerInfo]:
        """Who was heard of lately."""
        with self._lock:
            if time.monotonic() - self._read_at > _FRESH_S:
                self._alive = self._store.fleet.workers()
                self._read_at = time.monotonic()
            return self._alive

    def profile_class(self, precisions: Collection[Precision]) -> str | None:
        """What a new job is pinned to: GPUs first, then what most offer; None when nobody is there.

        Args:
            precisions: What its model has graphs in; who computes in another is passed over.
        """
        alive = [worker.profile_class for worker in self.alive()]
        offers = Counter(offer for offer in alive if computes_in(offer, precisions))
        return max(offers, key=lambda offer: (is_gpu(offer), offers[offer], offer), default=None)

    def lacks(self, manifest: Manifest) -> str | None:
        """Why nobody who is there can run a model, or None if somebody can or nobody is there."""
        offers = {worker.profile_class for worker in self.alive()}
        if not offers or self.profile_class(manifest.precisions) is not None:
            return None
        return (
            f"{manifest.key} has graphs in {', '.join(manifest.precisions)}, the workers that are connected"
            f" offer {', '.join(sorted(offers))}"
        )

    def mpx_per_s(self, profile_class: str | None) -> float | None:
        """How fast the workers of a class are together, in megapixels of map a second; None if not known."""
        rates = [
            worker.mpx_per_s
            for worker in self.alive()
            if worker.profile_class == profile_class and worker.mpx_per_s
        ]
        return sum(rates) or None

    def word_on(self, profile_class: str | None) -> str | None:
        """Why a job of this class has to wait, or None if somebody is there to do it."""
        offers = {worker.profile_class for worker in self.alive()}
        if not offers:
            return NOBODY
        if profile_class is not None and profile_class not in offers:
            there = ", ".join(sorted(offers))
            return f"no worker that offers {profile_class} is connected; those that are offer {there}"
        return None


def is_gpu(profile_class: str) -> bool:
    """Whether machines of a profile class compute on a GPU."""
    return any(provider in profile_class for provider in _GPU_PROVIDERS)

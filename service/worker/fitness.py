"""What a worker cannot do as it is: that is no fault of the job's, and others may be able to."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from service.worker.lines import told

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST_S, _LONGEST_S = 30.0, 600.0
"""Pauses before a worker tries again what it could not do, each twice the one before: somebody may have
installed the model meanwhile."""

_log = logging.getLogger(__name__)


class WorkerUnfit(Exception):
    """This worker, as it is, cannot make what it has leased; the lease is given back.

    Args:
        reason: Why, in one line.
        refused: What it cannot work on: the digest of a model, or the id of a job.
    """

    def __init__(self, reason: str, *, refused: str) -> None:
        super().__init__(reason)
        self.reason, self.refused = reason, refused


@contextlib.contextmanager
def own_fault(refused: str, kind: type[Exception] = Exception) -> Iterator[None]:
    """Whatever goes wrong inside is the worker's fault; see `WorkerUnfit`.

    Args:
        refused: What it then cannot work on.
        kind: Of errors that count as that.

    Raises:
        WorkerUnfit: Something went wrong.
    """
    try:
        yield
    except kind as error:
        raise WorkerUnfit(told(error), refused=refused) from error


class _Refusal(NamedTuple):
    pause_s: float
    until: float
    """On this process's clock."""


class Refusals:
    """What this worker leaves to others for a while."""

    def __init__(self) -> None:
        self._found: dict[str, _Refusal] = {}

    def note(self, unfit: WorkerUnfit) -> None:
        """Leave something to others: for longer, where it was found so the last time too."""
        now, last = time.monotonic(), self._found.get(unfit.refused)
        pause_s = _FIRST_S if last is None else min(2 * last.pause_s, _LONGEST_S)
        self._found[unfit.refused] = _Refusal(pause_s, now + pause_s)
        _log.error("left to other workers, for %.0f s: %s", pause_s, unfit.reason)

    def now(self) -> tuple[str, ...]:
        """Digests of models and ids of jobs that are left to others at this moment."""
        now = time.monotonic()
        # What was not tried again for long is no longer asked for, or can be done now.
        self._found = {key: found for key, found in self._found.items() if now < found.until + _LONGEST_S}
        return tuple(key for key, found in self._found.items() if now < found.until)

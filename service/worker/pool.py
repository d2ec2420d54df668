"""Celery's pool of processes, made to notice within half a second that a child has died.

It is told of a child's end by a pipe that closes a moment before the child can be waited for. When it looks
too early it finds a living child, and by default looks again only five seconds later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery.concurrency.asynpool import AsynPool
from celery.concurrency.prefork import TaskPool

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 0.5


class _Processes(AsynPool):  # type: ignore[misc]  # Celery has no types
    """The processes themselves."""

    @property
    def timers(self) -> dict[Callable[[], None], float]:
        """What is called at regular intervals, in seconds."""
        return {self.maintain_pool: _LOOK_S}


class QuickPool(TaskPool):  # type: ignore[misc]  # Celery has no types
    """The pool as Celery uses it."""

    Pool = _Processes

"""Values kept for the next tile, as many as may cost so much together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values used last, up to a bound; safe to use from any thread.

    Two threads that miss the same value both make it: none waits for another's disk.
    """

    def __init__(self, *, max_cost: int, cost: Callable[[Value], int]) -> None:
        self._max_cost = max_cost
        self._cost = cost
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._total = 0

    @property
    def total_cost(self) -> int:
        """Of what is kept."""
        return self._total

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key; made where it is not kept. What the making raises is kept by none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        with self._lock:
            if key in self._values:  # another thread was faster: all are to have the same
                return self._values[key]
            self._values[key] = made
            self._total += self._cost(made)
            while self._total > self._max_cost and len(self._values) > 1:
                _, dropped = self._values.popitem(last=False)
                self._total -= self._cost(dropped)
        return made

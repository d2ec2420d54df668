"""Two bounded threads beside the engine: one reads ahead of it, one works behind it."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from types import TracebackType

T = TypeVar("T")

_POLL_S = 0.2


class _End:
    """The mark after the last item; carries what ended the thread."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def read_ahead(items: Iterable[T], *, max_items: int) -> Generator[T, None, None]:
    """Yield the items of an iterable that is run in a thread of its own, at most ``max_items`` ahead.

    What the iterable raises is raised here. When the consumer stops early, so does the thread, after the
    item at hand.
    """
    ready: queue.Queue[T | _End] = queue.Queue(maxsize=max_items)
    stop = threading.Event()

    def produce() -> None:
        end = _End()
        try:
            for item in items:
                if not _put(ready, item, stop):
                    return
        except BaseException as error:  # noqa: BLE001  raised again in the consumer's thread
            end = _End(error)
        _put(ready, end, stop)

    thread = threading.Thread(target=produce, name="read-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop.set()
        thread.join()


def _put(waiting: queue.Queue[T], item: T, stop: threading.Event) -> bool:
    """Put an item into a bounded queue, unless told to stop first; returns whether it is in."""
    while not stop.is_set():
        try:
            waiting.put(item, timeout=_POLL_S)
        except queue.Full:
            continue
        return True
    return False


class WriteBehind(Generic[T]):
    """Calls a function on items in a thread of its own, in order, at most ``max_items`` behind.

    A context manager: leaving it waits for what was handed over; leaving it by an exception drops what has
    not been begun. What the function raises is raised by the next ``submit``, or on leaving.
    """

    def __init__(self, function: Callable[[T], None], *, max_items: int) -> None:
        self._function = function
        self._waiting: queue.Queue[T | _End] = queue.Queue(maxsize=max_items)
        self._drop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="write-behind", daemon=True)

    def _work(self) -> None:
        while not isinstance(item := self._waiting.get(), _End):
            if self._drop.is_set():
                continue
            try:
                self._function(item)
            except BaseException as error:  # noqa: BLE001  raised again in the owner's thread
                self._error = error
                self._drop.set()  # keep draining, so that the owner never waits on a full queue

    def submit(self, item: T) -> None:
        """Hand over one item; waits while the queue is full."""
        self._raise_error()
        self._waiting.put(item)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._drop.set()
        self._waiting.put(_End())
        self._thread.join()
        if kind is None:
            self._raise_error()

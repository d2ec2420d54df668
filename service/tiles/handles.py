"""Open datasets kept for the next tile, each used by one thread at a time."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rasterio
from rasterio.errors import RasterioIOError

from service.tiles.errors import PieceGone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_Key = tuple["Path", int]
_Identity = tuple[int, int, int]


IDLE_S = 60.0
"""How long an unused dataset stays open, in seconds; a deleted file keeps its disk as long as it is open."""


@dataclass(slots=True, eq=False)
class _Handle:
    """An open dataset and the file that it was opened from: a name may come to mean another file."""

    dataset: Any
    identity: _Identity
    idle_since: float = 0.0
    """Of the monotonic clock."""


class Handles:
    """A bounded pool of open datasets, by path and overview; safe to use from any thread.

    GDAL's datasets are not: a thread takes one out of the pool for as long as it reads. Two threads that
    want the same file get a handle each. What lies idle longest is closed first, and nothing lies idle for
    much longer than its time.
    """

    def __init__(self, *, max_idle: int, idle_s: float = IDLE_S) -> None:
        """Begin with none.

        Args:
            max_idle: Most datasets that are open and unused.
            idle_s: How long each stays so.
        """
        self._max_idle = max_idle
        self._idle_s = idle_s
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._idle: OrderedDict[_Key, list[_Handle]] = OrderedDict()
        self._num_idle = 0

    @contextlib.contextmanager
    def borrowed(self, path: Path, *, level: int = 0) -> Iterator[Any]:
        """A dataset to read from until the block ends.

        Args:
            path: Of the raster.
            level: 0 for its own pixels, 1 for its first overview, and so on.

        Raises:
            PieceGone: There is no such file, or no longer.
        """
        key = (path, level)
        identity = _identity(path)
        handle = self._take(key, identity) or _opened(path, level, identity)
        try:
            yield handle.dataset
        except BaseException:
            handle.dataset.close()  # whatever state it is in
            raise
        self._give(key, handle)

    def close(self) -> None:
        """Close what lies idle."""
        with self._lock:
            handles = [handle for idle in self._idle.values() for handle in idle]
            self._idle.clear()
            self._num_idle = 0
        for handle in handles:
            handle.dataset.close()

    def drop(self, folder: Path) -> None:
        """Close what lies idle of a folder whose files are to go."""
        self._close_where(lambda key, _: key[0].is_relative_to(folder))

    def _close_old(self) -> None:
        """Close what has lain idle for its time; look again later, while anything is open."""
        with self._lock:
            self._timer = None
        before = time.monotonic() - self._idle_s
        self._close_where(lambda _, handle: handle.idle_since <= before)
        self._see_to_the_old()

    def _see_to_the_old(self) -> None:
        with self._lock:
            if self._timer is None and self._num_idle:
                self._timer = threading.Timer(self._idle_s, self._close_old)
                self._timer.daemon = True
                self._timer.start()

    def _close_where(self, is_wanted: Callable[[_Key, _Handle], bool]) -> None:
        with self._lock:
            closed = []
            for key, idle in list(self._idle.items()):
                wanted = [handle for handle in idle if is_wanted(key, handle)]
                kept = [handle for handle in idle if not is_wanted(key, handle)]
                closed += wanted
                if kept:
                    self._idle[key] = kept
                else:
                    del self._idle[key]
            self._num_idle -= len(closed)
        for handle in closed:
            handle.dataset.close()

    @property
    def num_idle(self) -> int:
        """Datasets that are open and unused."""
        return self._num_idle

    def _take(self, key: _Key, identity: _Identity) -> _Handle | None:
        with self._lock:
            idle = self._idle.pop(key, [])
            found = idle.pop() if idle and idle[-1].identity == identity else None
            stale = [handle for handle in idle if handle.identity != identity]
            kept = [handle for handle in idle if handle.identity == identity]
            if kept:
                self._idle[key] = kept
            self._num_idle -= len(stale) + (found is not None)
        for handle in stale:
            handle.dataset.close()
        return found

    def _give(self, key: _Key, handle: _Handle) -> None:
        handle.idle_since = time.monotonic()
        with self._lock:
            self._idle.setdefault(key, []).append(handle)
            self._idle.move_to_end(key)
            self._num_idle += 1
            surplus = [self._drop_oldest() for _ in range(self._num_idle - self._max_idle)]
        for handle_ in surplus:
            handle_.dataset.close()
        if self._timer is None:
            self._see_to_the_old()

    def _drop_oldest(self) -> _Handle:
        key, idle = next(iter(self._idle.items()))
        handle = idle.pop(0)
        if not idle:
            del self._idle[key]
        self._num_idle -= 1
        return handle


HANDLES = Handles(max_idle=256)
"""The pool of this process: what it bounds, open files, belongs to the process too."""


def _identity(path: Path) -> _Identity:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PieceGone(f"{path} is not there") from error
    return status.st_ino, status.st_mtime_ns, status.st_size


def _opened(path: Path, level: int, identity: _Identity) -> _Handle:
    options = {} if level == 0 else {"overview_level": level - 1}
    try:
        with rasterio.Env(
            GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"
        ):  # no look around in folders of many files
            dataset = rasterio.open(path, driver="GTiff", **options)
    except RasterioIOError as error:
        if not path.exists():
            raise PieceGone(f"{path} is gone") from error
        raise
    # A file replaced since it was looked at is opened again next time: its identity is the earlier one.
    return _Handle(dataset, identity)

"""Open datasets kept for the next tile, each used by one thread at a time."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rasterio
from rasterio.errors import RasterioIOError

from service.tiles.errors import PieceGone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_Key = tuple["Path", int]
_Identity = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Handle:
    """An open dataset and the file that it was opened from: a name may come to mean another file."""

    dataset: Any
    identity: _Identity


class Handles:
    """A bounded pool of open datasets, by path and overview; safe to use from any thread.

    GDAL's datasets are not: a thread takes one out of the pool for as long as it reads. Two threads that
    want the same file get a handle each. What lies idle longest is closed first.
    """

    def __init__(self, *, max_idle: int) -> None:
        self._max_idle = max_idle
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
        with self._lock:
            self._idle.setdefault(key, []).append(handle)
            self._idle.move_to_end(key)
            self._num_idle += 1
            surplus = [self._drop_oldest() for _ in range(self._num_idle - self._max_idle)]
        for handle_ in surplus:
            handle_.dataset.close()

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

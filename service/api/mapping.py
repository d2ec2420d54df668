"""The maps that this process serves: their records, kept for a moment; their plans, read once.

A tile costs no question to the store and no listing of a folder: names of files follow from the lattice, and
whether one is there is asked of the file system. What a map's plan says never changes; what its record says
is read again after `FRESH_S`, so that blocks appear and deleted maps vanish in every process.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.api.mapindex import FoundFiles, Frame, MapIndex
from service.jobs.ids import new_token
from service.jobs.records import JobStatus
from service.maps.layout import MapFolder
from service.tiles.handles import HANDLES

if TYPE_CHECKING:
    from pathlib import Path

    from service.jobs.records import MapRecord
    from service.jobs.store import Store

FRESH_S = 1.0
"""How long a record is good for, in seconds."""
MAX_KEPT = 256
"""Maps whose plans are kept; those not asked for longest go first. More than one document of /wmts lists."""
_DISCARDED = ".deleted"
"""Ends the name of a folder whose map is deleted."""


@dataclass(frozen=True, kw_only=True)
class OpenMap:
    """A map as it stands, ready to be drawn and told of."""

    record: MapRecord
    frame: Frame
    folder: MapFolder
    index: MapIndex


@dataclass(kw_only=True)
class _Kept:
    """What is kept of a map; under ``lock`` while it is read."""

    lock: threading.Lock
    opened: OpenMap | None = None
    read_at: float = -FRESH_S


class OpenMaps:
    """The maps of one process; safe to use from any thread."""

    def __init__(self, store: Store, folder: Path, *, fresh_s: float = FRESH_S) -> None:
        """Begin with none.

        Args:
            store: Of jobs and maps.
            folder: Of maps, each in a folder of its own.
            fresh_s: How long a record is good for.
        """
        self._store = store
        self.folder = folder
        """Of maps, each in a folder of its own."""
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def open(self, map_id: str, *, owner: str | None) -> OpenMap:
        """A map as it stands, or stood a moment ago.

        Args:
            map_id: Of the map.
            owner: Who may see it; None sees all.

        Raises:
            MapUnknown: There is none, or it is another owner's.
        """
        # Another owner's map, as one that is not there, is the store's to refuse.
        return self.peek(map_id, owner=owner) or self.read(map_id, owner=owner)

    def read(self, map_id: str, *, owner: str | None) -> OpenMap:
        """A map as it stands now: what is told of it agrees with what its job said a moment ago.

        Raises:
            MapUnknown: There is none, or it is another owner's.
        """
        return self.of(self._store.map(map_id, owner=owner))

    def of(self, record: MapRecord) -> OpenMap:
        """The map of a record that was just read."""
        kept = self._entry(record.id)
        with kept.lock:
            before = kept.opened
            if before is None:
                kept.opened = self._opened(record, frame=None, found=FoundFiles())
            elif before.record != record and before.record.seq <= record.seq:  # else read before that one
                kept.opened = self._opened(record, frame=before.frame, found=before.index.found)
            kept.read_at = time.monotonic()
            assert kept.opened is not None, "opened above"
            return kept.opened

    def peek(self, map_id: str, *, owner: str | None) -> OpenMap | None:
        """A map that was read a moment ago, without asking anybody; None when the store must be asked."""
        kept = self._kept.get(map_id)
        if kept is None or kept.opened is None or time.monotonic() - kept.read_at > self._fresh_s:
            return None
        is_visible = owner is None or kept.opened.record.owner == owner
        return kept.opened if is_visible else None

    def forget(self, map_id: str) -> None:
        """Keep nothing of a map that was changed or deleted here."""
        with self._lock:
            self._kept.pop(map_id, None)
        HANDLES.drop(self.folder / map_id)

    def discard(self, map_id: str) -> None:
        """Remove the files of a map that was deleted from the store."""
        self.forget(map_id)
        folder = self.folder / map_id
        # At once, however long its files take, and never onto what is left of an earlier removal.
        gone = folder.with_name(f".{map_id}.{new_token()}{_DISCARDED}")
        try:
            folder.rename(gone)
        except FileNotFoundError:
            return
        shutil.rmtree(gone, ignore_errors=True)

    @staticmethod
    def is_discarded(folder: Path) -> bool:
        """Whether a folder beside those of the maps is what is left of a removal."""
        return folder.name.startswith(".") and folder.name.endswith(_DISCARDED)

    def _entry(self, map_id: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(map_id, _Kept(lock=threading.Lock()))
            self._kept.move_to_end(map_id)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return kept

    def _opened(self, record: MapRecord, *, frame: Frame | None, found: FoundFiles) -> OpenMap:
        folder = MapFolder(self.folder / record.id)
        frame = frame or Frame(self._store.planned(record.job_id).plan)
        index = MapIndex(
            frame,
            folder,
            found=found,
            version=str(record.seq),
            is_final=record.status == JobStatus.SUCCESSFUL,
            renew=lambda: self._looked_at_anew(record.id).index,
        )
        return OpenMap(record=record, frame=frame, folder=folder, index=index)

    def _looked_at_anew(self, map_id: str) -> OpenMap:
        """A map of which a file is not where it was."""
        record = self._store.map(map_id)
        kept = self._entry(map_id)
        with kept.lock:
            frame = kept.opened.frame if kept.opened is not None else None
            kept.opened = self._opened(record, frame=frame, found=FoundFiles())
            kept.read_at = time.monotonic()
            return kept.opened

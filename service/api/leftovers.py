"""Folders of maps that nobody owns any more: left by deletions that were cut off, or by late writers."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import time
from typing import TYPE_CHECKING

from service.jobs.errors import MapUnknown
from service.jobs.ids import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from service.api.mapping import OpenMaps
    from service.jobs.store import Store

UNTOUCHED_S = 600.0
"""A folder whose map is not known is left alone for this long after something changed in it, in seconds."""

_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")
_MARK = ".store-"
"""Begins the name of the empty file that says whose maps these are; a token that the store knows follows."""
_FOR_EVER_S = 1e11

_log = logging.getLogger(__name__)


def sweep_leftovers(maps: OpenMaps, store: Store, *, untouched_s: float = UNTOUCHED_S) -> int:
    """Remove folders of maps that the store does not know; several processes may do so at once.

    The folder of a map is made by the worker that leases first from its job, so neither a job that is being
    written nor one that waits for its turn has one yet; drafts need no care here.

    Args:
        maps: Of this process.
        store: Knows which maps there are.
        untouched_s: How long such a folder is left alone after something changed in it.

    Returns:
        How many were removed.
    """
    num_removed, is_ours = 0, adopt(maps.folder, store)
    for folder in maps.folder.iterdir():
        if maps.is_discarded(folder):
            shutil.rmtree(folder, ignore_errors=True)  # a removal that was interrupted
            num_removed += 1
        elif _ID.fullmatch(folder.name) and not _is_known(store, folder.name):
            if not is_ours:
                _log.warning("%s is no map of this store, but the folder is another store's", folder)
            elif time.time() - _last_change(folder) > untouched_s:
                maps.discard(folder.name)
                num_removed += 1
    return num_removed


def adopt(folder: Path, store: Store) -> bool:
    """Say whose the maps in a folder are, where nothing says so yet.

    A server that is started with the address of another store, by mistake or to move, knows none of the maps
    in its home. They are not to be taken for what deletions have left.

    Returns:
        Whether they are this store's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marks = [path.name for path in folder.glob(f"{_MARK}*")]
    if not marks:
        token = new_id()
        store.fleet.hold(f"{_MARK}{token}", token, lease_s=_FOR_EVER_S)
        (folder / f"{_MARK}{token}").touch()
        return True
    return all(store.fleet.holder(mark) is not None for mark in marks)


def _is_known(store: Store, map_id: str) -> bool:
    try:
        store.map(map_id)
    except MapUnknown:
        return False
    return True


def _last_change(folder: Path) -> float:
    """When something was last written in the folder of a map, in seconds since 1970; now, if it vanishes."""
    last = 0.0
    with contextlib.suppress(FileNotFoundError):
        for path in (folder, *folder.glob("*"), *folder.glob("*/*")):
            last = max(last, path.stat().st_mtime)
        return last
    return time.time()

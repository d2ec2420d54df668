"""A bounded cache of tiled copies of rasters that are slow to read in windows."""

import contextlib
import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from service.rasters.client import ReaderChild
from service.rasters.facts import RasterFacts
from service.rasters.hashing import sha256_of
from service.rasters.limits import Limits
from service.rasters.sources import Layer, SourceSpec
from service.room import full_disk_told

if sys.platform != "win32":
    import fcntl

AnyLayer = TypeVar("AnyLayer", Layer, SourceSpec)

_SMALL_BYTES = 64 * 2**20
"""Decoded size up to which GDAL's block cache serves any raster."""
_ABANDONED_S = 24 * 3600
_VERSION = 1
"""Raised when copies are written differently."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StagingCache:
    """A folder of copies."""

    folder: Path
    """Made when missing."""
    max_bytes: int = 20 * 2**30
    """Most bytes that copies may take together."""


def needs_staging(facts: RasterFacts) -> bool:
    """Whether reading windows would decode the same bytes many times."""
    if facts.decoded_bytes <= _SMALL_BYTES:
        return False
    return facts.driver == "JP2OpenJPEG" or not facts.is_tiled


def stage(
    layer: AnyLayer,
    cache: StagingCache,
    *,
    limits: Limits | None = None,
    content_sha256: str | None = None,
    in_use: Collection[str] = (),
    progress: Callable[[float], None] | None = None,
) -> AnyLayer:
    """Copy a layer's bands and validity once to a tiled GeoTIFF, or find the copy made earlier.

    Args:
        layer: What to copy; its place on the grid stays.
        cache: Where copies live; the longest unused make room for this one.
        limits: Of the child that copies.
        content_sha256: Hash of the source, if known.
        in_use: Paths of other copies that must stay, even if the cache then passes its bound.
        progress: Called with the share done.

    Returns:
        The layer reading from its copy.

    Raises:
        RasterError: The source is damaged.
        OSError: The disk is full.
    """
    cache.folder.mkdir(parents=True, exist_ok=True)
    target = cache.folder / f"{_key(layer, content_sha256 or sha256_of(layer.path))}.tif"
    if not _is_there(target):
        part = target.with_suffix(f".{uuid.uuid4().hex}.part")
        try:
            with full_disk_told(cache.folder), ReaderChild(limits or Limits()) as child:
                bare = Layer(**{name: getattr(layer, name) for name in Layer.model_fields})
                child.request(
                    "copy",
                    about=layer.path,
                    progress=progress,
                    layer=bare.model_dump(mode="json"),
                    target=str(part.resolve()),
                )
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    evict(cache, keep={str(target.resolve()), *in_use})
    return layer.model_copy(
        update={
            "path": str(target.resolve()),
            "driver": "GTiff",
            "bands": {role: number for number, role in enumerate(layer.bands, start=1)},
            "is_south_up": False,
            "nodata": None,
            "alpha_band": len(layer.bands) + 1,
            "has_internal_mask": False,
            "pixel_scale": None,
        }
    )


@contextlib.contextmanager
def held_copies(paths: Iterable[str]) -> Iterator[None]:
    """Keep staged copies from being evicted, by whatever process of this machine.

    The system lets go of them when this process ends, however it ends. Windows has no such locks: there a
    file that is open cannot be deleted anyway.
    """
    with contextlib.ExitStack() as stack:
        if sys.platform != "win32":
            for path in paths:
                fcntl.flock(stack.enter_context(Path(path).open("rb")), fcntl.LOCK_SH)
        yield


def evict(cache: StagingCache, *, keep: Collection[str]) -> None:
    """Delete the longest unused copies until the rest fits, and what killed copies left behind.

    What any process of this machine holds stays, even if the cache then passes its bound.
    """
    now = time.time()
    for stat, path in _found(cache, "*.part"):
        if now - stat.st_mtime > _ABANDONED_S:
            path.unlink(missing_ok=True)
    copies = _found(cache, "*.tif")
    held = sum(stat.st_size for stat, _ in copies)
    for stat, path in sorted(copies, key=lambda copy: copy[0].st_mtime):
        if held <= cache.max_bytes:
            return
        if str(path.resolve()) not in keep and _delete_unheld(path):
            held -= stat.st_size


def _delete_unheld(path: Path) -> bool:
    """Delete a copy unless a process holds it; returns whether it is gone."""
    try:
        if sys.platform == "win32":
            path.unlink()
        else:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
    except (BlockingIOError, PermissionError):
        return False
    except FileNotFoundError:
        pass
    return True


def _is_there(copy: Path) -> bool:
    """Whether a copy is there; if so, it counts as used now."""
    try:
        os.utime(copy)
    except FileNotFoundError:
        return False
    return True


def _found(cache: StagingCache, pattern: str) -> list[tuple[os.stat_result, Path]]:
    """Files of the cache; another process may take some away meanwhile."""
    found = []
    for path in cache.folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            found.append((path.stat(), path))
    return found


def _key(layer: Layer, content_sha256: str) -> str:
    how = {
        "version": _VERSION,
        "content": content_sha256,
        "bands": list(layer.bands.values()),
        "is_south_up": layer.is_south_up,
        "nodata": repr(layer.nodata),
        "alpha_band": layer.alpha_band,
        "has_internal_mask": layer.has_internal_mask,
        "pixel_scale": layer.pixel_scale,
    }
    return hashlib.sha256(json.dumps(how, sort_keys=True).encode()).hexdigest()[:40]

"""Write class rasters: block files, the mosaic under way, the finished COG.

Nodata is 255 throughout. Every file appears under its name complete or not at all.
"""

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.shutil import copy as copy_raster
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from service.rasters.facts import Transform
from service.rasters.growing import nothing, watched
from service.rasters.overviews import Halver, halve, halve_mean, overviews_beside
from service.rasters.windows import Window
from service.room import full_disk_told

NODATA = 255
TILE_PX = 512
_COG_LEVEL = 5
"""Of DEFLATE: classes take 2.5 times less time than at 6, the default, and 8 % more bytes."""
_HALVERS: dict[str, Halver] = {"MODE": halve, "AVERAGE": halve_mean}
Palette = Mapping[int, tuple[int, int, int, int]]
"""Class value -> red, green, blue, opacity."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RasterInfo:
    """What a class raster carries beside its pixels."""

    crs_wkt: str
    transform: Transform
    palette: Palette | None = None
    """Colours of the classes; None for values such as confidence."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Provenance and whatever else is to be kept in the file."""


@contextlib.contextmanager
def appearing(path: Path, *, token: str | None = None) -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success flush it to disk and rename, else delete it.

    Args:
        path: Where the file appears.
        token: Part of the temporary name, so that two writers never share one; random when None.

    Raises:
        OSError: ENOSPC where the disk is full, whatever the writer says of it.
    """
    part = path.with_name(f".{path.stem}.{token or uuid.uuid4().hex}.part{path.suffix}")
    try:
        with full_disk_told(path.parent):
            yield part
            _flush(part)
        part.replace(path)
        flush_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def write_block(
    path: Path,
    classes_HW: NDArray[np.uint8],
    confidence_HW: NDArray[np.uint8],
    *,
    info: RasterInfo,
    token: str | None = None,
) -> None:
    """Write one block: classes and confidence (0-100), 255 where there is no data.

    It has no overviews: those to look at while the map is under way lie beside it, see
    `service.rasters.levels`.

    Args:
        path: Where it appears.
        classes_HW: Class values.
        confidence_HW: Percent.
        info: Of the block.
        token: Of the writer's lease.
    """
    height, width = classes_HW.shape
    profile = _profile(width=width, height=height, count=2, info=info)
    profile |= {"compress": "DEFLATE", "zlevel": 1, "interleave": "band"}
    with rasterio.MemoryFile() as memory:
        with memory.open(**profile) as block:
            _describe(block, info, ("class", "confidence"))
            block.write(np.stack([classes_HW, confidence_HW]))
        with appearing(path, token=token) as part:  # GDAL would not say that the disk filled up as it closed
            part.write_bytes(memory.getbuffer())


class MosaicWriter:
    """A tiled, sparse, uncompressed class raster that windows are written into; all 255 at first.

    A context manager. It lives under ``path`` while under way and is read by ``write_cog``, then deleted
    by its owner. Uncompressed, so that tiles written twice leave no holes.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        info: RasterInfo,
        description: str = "class",
    ) -> None:
        self._file = _open_new(
            path,
            {**_profile(width=width, height=height, count=1, info=info), "sparse_ok": True},
        )
        _describe(self._file, info, (description,))

    def write(self, window: Window, values_HW: NDArray[np.uint8]) -> None:
        """Write a window of the raster; within it."""
        part = RasterioWindow(window.col_off, window.row_off, window.width, window.height)
        self._file.write(values_HW, 1, window=part)

    def close(self) -> None:
        """Write what is pending."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_cog(  # noqa: PLR0913  from what, where, how, and whom it tells
    source: Path,
    path: Path,
    *,
    info: RasterInfo,
    overviews: Literal["MODE", "AVERAGE"] = "MODE",
    threads: int | str = "ALL_CPUS",
    token: str | None = None,
    on_part: Callable[[], object] = nothing,
) -> None:
    """Turn a finished one-band raster into a Cloud Optimized GeoTIFF.

    Args:
        source: What ``MosaicWriter`` wrote.
        path: Where the COG appears.
        info: As given to ``MosaicWriter``; its tags may have grown.
        overviews: What they show of each 2 x 2 pixels: the most frequent class, or the mean.
        threads: Threads that compress.
        token: Part of the temporary name.
        on_part: Called whenever it moves on; what it raises ends the writing, but for the copying.
    """
    with rasterio.open(source, "r+") as mosaic:
        _describe(mosaic, info, mosaic.descriptions)
        num_levels = len(overview_levels(mosaic.width, mosaic.height))
    halver = _HALVERS[overviews]
    beside = overviews_beside(source, num_levels=num_levels, halver=halver, on_part=on_part)
    with appearing(path, token=token) as part, beside, watched(part, on_part):
        copy_raster(
            str(source),
            str(part),
            driver="COG",
            COMPRESS="DEFLATE",
            LEVEL=_COG_LEVEL,
            BLOCKSIZE=TILE_PX,
            OVERVIEWS="AUTO",  # those beside the source
            OVERVIEW_RESAMPLING=overviews,  # what the file says of them
            BIGTIFF="IF_SAFER",
            NUM_THREADS=str(threads),
        )


def bound_gdal_cache(max_bytes: int) -> None:
    """Bound GDAL's block cache of this process (5 % of the machine's memory otherwise).

    At the process's door only: GDAL reads the setting once, when its cache is first used.
    """
    os.environ["GDAL_CACHEMAX"] = f"{max(max_bytes // 2**20, 1)}MB"


def overview_levels(width: int, height: int) -> list[int]:
    """Powers of two down to one internal tile."""
    levels: list[int] = []
    while max(width, height) > TILE_PX << len(levels):
        levels.append(2 << len(levels))
    return levels


def _profile(*, width: int, height: int, count: int, info: RasterInfo) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": count,
        "dtype": "uint8",
        "nodata": NODATA,
        "crs": CRS.from_wkt(info.crs_wkt),
        "transform": Affine(*info.transform),
        "tiled": True,
        "blockxsize": TILE_PX,
        "blockysize": TILE_PX,
        "bigtiff": "IF_SAFER",
    }


def _open_new(path: Path, profile: dict[str, Any]) -> Any:  # noqa: ANN401 - rasterio has no types
    return rasterio.open(path, "w", **profile)


def _describe(
    raster: Any,  # noqa: ANN401 - rasterio has no types
    info: RasterInfo,
    descriptions: tuple[str | None, ...],
) -> None:
    if info.palette is not None and raster.count == 1:
        raster.write_colormap(
            1, {**dict.fromkeys(range(256), (0, 0, 0, 0)), **info.palette, NODATA: (0, 0, 0, 0)}
        )
        raster.colorinterp = [ColorInterp.palette]
    for index, description in enumerate(descriptions, start=1):
        if description:
            raster.set_band_description(index, description)
    raster.update_tags(**info.tags)


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make a rename durable, where folders can be opened."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

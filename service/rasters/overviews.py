"""Overviews, level upon level: of each 2 x 2 pixels the most frequent class, or the mean of a measure.

GDAL's own mode takes three quarters of the time that a COG of classes takes; whole rows at once are many
times faster. By the same rules blocks have theirs, so that a map looks the same while it is under way (see
`service.rasters.levels`). The levels lie in files beside the raster, where GDAL looks for them.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from service.rasters.growing import nothing
from service.room import full_disk_told

NODATA = 255
_BAND_ROWS = 512
"""Rows halved at once; even."""

U8 = NDArray[np.uint8]
Halver = Callable[[U8], U8]


@contextlib.contextmanager
def overviews_beside(
    path: Path, *, num_levels: int, halver: Halver, on_part: Callable[[], object] = nothing
) -> Iterator[None]:
    """Give a one-band raster overviews, each half the size of the one before, removed on leaving.

    Args:
        path: Of a tiled GeoTIFF that nobody has open.
        num_levels: How many.
        halver: What makes one pixel of four: `halve` or `halve_mean`.
        on_part: Called after each band of rows; what it raises ends the making.
    """
    levels = [path]
    try:
        with full_disk_told(path.parent):
            for _ in range(num_levels):
                levels.append(levels[-1].with_name(f"{levels[-1].name}.ovr"))  # GDAL's name for it
                _write_half(levels[-2], levels[-1], halver, on_part)
        yield
    finally:
        for level in levels[1:]:
            level.unlink(missing_ok=True)


def _write_half(source: Path, target: Path, halver: Halver, on_part: Callable[[], object]) -> None:
    with rasterio.open(source) as fine:
        a, b, c, d, e, f, *_ = fine.transform
        profile = {
            **{key: fine.profile[key] for key in ("driver", "count", "dtype", "nodata", "tiled")},
            **{key: fine.profile[key] for key in ("blockxsize", "blockysize")},
            "crs": fine.crs,
            "transform": Affine(2 * a, 2 * b, c, 2 * d, 2 * e, f),
            "width": -(-fine.width // 2),
            "height": -(-fine.height // 2),
            "bigtiff": "IF_SAFER",
            "sparse_ok": True,
        }
        with rasterio.open(target, "w", **profile) as coarse:
            for row in range(0, fine.height, _BAND_ROWS):
                rows = min(_BAND_ROWS, fine.height - row)
                half_HW = halver(fine.read(1, window=RasterioWindow(0, row, fine.width, rows)))
                coarse.write(
                    half_HW, 1, window=RasterioWindow(0, row // 2, half_HW.shape[1], half_HW.shape[0])
                )
                on_part()


def halve(values_HW: U8) -> U8:
    """The most frequent value of each 2 x 2 pixels; of equally frequent ones the first, row by row.

    Nodata has no voice: it is the answer only where all four are nodata. So are pixels beyond an odd edge.
    """
    four_4HW = _fours(values_HW)
    a, b, c, d = four_4HW
    half_HW: U8 = np.where((c == d) & (a != b), c, a)
    half_HW = np.where(((b == c) | (b == d)) & (a != c) & (a != d), b, half_HW)
    has_gap_HW = four_4HW.max(axis=0) == NODATA
    if has_gap_HW.any():
        half_HW[has_gap_HW] = _most_frequent(four_4HW[:, has_gap_HW])
    return half_HW


def halve_mean(values_HW: U8) -> U8:
    """The mean of each 2 x 2 values, halves rounded up.

    Nodata has no voice, as in `halve`.
    """
    four_4HW = _fours(values_HW)
    total_HW = four_4HW.sum(axis=0, dtype=np.uint16)
    mean_HW: U8 = ((total_HW + 2) >> 2).astype(np.uint8)
    has_gap_HW = four_4HW.max(axis=0) == NODATA
    if has_gap_HW.any():
        gaps_4N = four_4HW[:, has_gap_HW]
        num_N = np.count_nonzero(gaps_4N != NODATA, axis=0)
        total_N = total_HW[has_gap_HW] - NODATA * (4 - num_N)
        mean_N = (total_N + num_N // 2) // np.maximum(num_N, 1)
        mean_HW[has_gap_HW] = np.where(num_N == 0, NODATA, mean_N)
    return mean_HW


def _fours(values_HW: U8) -> U8:
    """The four pixels of each 2 x 2, row by row, along a new first axis; beyond an odd edge lies nodata."""
    height, width = values_HW.shape
    if height % 2 or width % 2:
        values_HW = np.pad(values_HW, ((0, height % 2), (0, width % 2)), constant_values=NODATA)
    return np.stack([values_HW[row::2, col::2] for row in (0, 1) for col in (0, 1)])


def _most_frequent(values_4N: U8) -> U8:
    """The most frequent value of each column that is not nodata, the first of equals; nodata if all are."""
    votes_4N = (values_4N[:, None] == values_4N[None]).sum(axis=1) * (values_4N != NODATA)
    winner_N = votes_4N.argmax(axis=0)
    winning_N: U8 = np.take_along_axis(values_4N, winner_N[None], axis=0)[0]
    return winning_N

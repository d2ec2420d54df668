"""Nearest lookup: the value under each pixel of a tile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.tiles.palette import Product
    from service.tiles.views import SheetView
    from service.tiles.warping import F64, Positions

I32 = np.typing.NDArray[np.int32]
U8 = np.typing.NDArray[np.uint8]
NODATA = 255
_OVERSAMPLING = 1.2
"""A level is read while its cells are no larger than this many pixels of the tile: GDAL's own rule for
nearest (``GDALBandGetBestOverviewLevel2``)."""
_ROUNDING = 1e-7
"""Of a cell: nodes and what is interpolated between them agree to this; less than what settles ties."""


def level_for(scale: float) -> int:
    """The level to read for this many grid pixels to a pixel of a tile."""
    return max(0, math.floor(math.log2(max(scale, 1e-9) * _OVERSAMPLING)))


def sample(views: Sequence[SheetView], positions: Positions, product: Product) -> U8:
    """The value under each position, 255 where there is none.

    Raises:
        PieceGone: A file is no longer there.
    """
    values_HW = np.full((positions.height, positions.width), NODATA, dtype=np.uint8)
    level = level_for(positions.scale)
    for view in views:
        met = positions.meeting(view.window)
        if met is not None:
            part, inside = met
            found_HW = _sample_sheet(view, inside, min(level, view.num_levels), product)
            np.minimum(
                values_HW[part], found_HW, out=values_HW[part]
            )  # sheets do not overlap; 255 is nothing
    return values_HW


def _sample_sheet(view: SheetView, positions: Positions, level: int, product: Product) -> U8:
    """The values of one sheet where positions lie inside it, 255 elsewhere."""
    cells = positions.in_cells(view.window, level)
    width, height = view.window.width / (1 << level), view.window.height / (1 << level)
    wanted = _window_of(cells)
    held = wanted.intersection(Window(0, 0, math.ceil(width), math.ceil(height)))
    if held.is_empty:
        return np.full((positions.height, positions.width), NODATA, dtype=np.uint8)
    values_HW = view.read(level, held, product)
    rows_HW, cols_HW = cells.dense_rows() - held.row_off, cells.dense_cols() - held.col_off
    if held != wanted or wanted.col_end > width or wanted.row_end > height:
        values_HW = np.pad(values_HW, 1, constant_values=NODATA)
        cols_HW = _ringed(cols_HW, end=width - held.col_off, last=held.width)
        rows_HW = _ringed(rows_HW, end=height - held.row_off, last=held.height)
    return _taken(values_HW, rows_HW.astype(np.int32), cols_HW.astype(np.int32))


def _window_of(cells: Positions) -> Window:
    """The cells that hold all positions; those on a border, but for rounding, with both sides."""
    return Window.between(
        row_off=math.floor(cells.rows_YX.min() - _ROUNDING),
        col_off=math.floor(cells.cols_YX.min() - _ROUNDING),
        row_end=math.floor(cells.rows_YX.max() + _ROUNDING) + 1,
        col_end=math.floor(cells.cols_YX.max() + _ROUNDING) + 1,
    )


def _ringed(cells_HW: F64, *, end: float, last: int) -> F64:
    """Positions along one axis of an array that a ring was laid around; what lies outside falls on the ring.

    Args:
        cells_HW: In the array without the ring.
        end: Where the data ends; it may be amid the last cell.
        last: Cells of the array without the ring.
    """
    ringed_HW = np.clip(cells_HW + 1, 0, last + 1)
    ringed_HW[cells_HW >= end] = last + 1
    return ringed_HW


def _taken(values_HW: U8, rows_HW: I32, cols_HW: I32) -> U8:
    if cols_HW.shape[0] == 1 and rows_HW.shape[1] == 1:
        apart_HW: U8 = values_HW.take(rows_HW[:, 0], axis=0).take(cols_HW[0], axis=1)
        return apart_HW
    found_HW: U8 = values_HW.reshape(-1).take(rows_HW * np.int32(values_HW.shape[1]) + cols_HW)
    return found_HW

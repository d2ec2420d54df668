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


def level_for(scale: float) -> int:
    """The level to read for this many grid pixels to a pixel of a tile."""
    return max(0, math.floor(math.log2(max(scale, 1e-9) * _OVERSAMPLING)))


def sample(views: Sequence[SheetView], positions: Positions, product: Product) -> U8:
    """The value under each position, 255 where there is none.

    Raises:
        PieceGone: A file is no longer there.
    """
    values_HW = np.full(positions.shape, NODATA, dtype=np.uint8)
    level = level_for(positions.scale)
    for view in views:
        part = positions.part_in(view.window)
        if part is not None:
            _sample_sheet(view, positions, part, values_HW[part], min(level, view.num_levels), product)
    return values_HW


def _sample_sheet(
    view: SheetView,
    positions: Positions,
    part: tuple[slice, slice],
    target_HW: U8,
    level: int,
    product: Product,
) -> None:
    """Write the values of one sheet where positions lie inside it."""
    y, x = part
    at_cols_HW = positions.cols_HW[:, x] if positions.is_parallel else positions.cols_HW[part]
    at_rows_HW = positions.rows_HW[y] if positions.is_parallel else positions.rows_HW[part]
    cols_HW, is_inside_cols = _cells_of(at_cols_HW, view.window.col_off, view.window.width, level)
    rows_HW, is_inside_rows = _cells_of(at_rows_HW, view.window.row_off, view.window.height, level)
    if is_inside_cols is None and is_inside_rows is None:
        target_HW[:] = _looked_up(view, cols_HW, rows_HW, level, product)
        return
    inside_HW = np.ones(target_HW.shape, dtype=bool)
    for is_inside in (is_inside_cols, is_inside_rows):
        if is_inside is not None:
            inside_HW &= is_inside
    if inside_HW.any():
        found_HW = _looked_up(view, cols_HW, rows_HW, level, product)
        np.copyto(target_HW, found_HW, where=inside_HW)


def _cells_of(
    positions_HW: F64, offset: int, size_px: int, level: int
) -> tuple[I32, np.typing.NDArray[np.bool_] | None]:
    """Cells of one axis, and which of them lie inside the sheet; None when all do."""
    cells_HW = positions_HW - offset
    is_inside = None
    if cells_HW.min() < 0 or cells_HW.max() >= size_px:
        is_inside = (cells_HW >= 0) & (cells_HW < size_px)
        np.clip(cells_HW, 0, size_px - 1, out=cells_HW)
    whole_HW = cells_HW.astype(np.int32)
    return whole_HW >> level, is_inside


def _looked_up(
    view: SheetView,
    cols_HW: I32,
    rows_HW: I32,
    level: int,
    product: Product,
) -> U8:
    """Read the one window that holds all cells and take them from it."""
    left, top = int(cols_HW.min()), int(rows_HW.min())
    cells = Window(left, top, int(cols_HW.max()) - left + 1, int(rows_HW.max()) - top + 1)
    values_HW = view.read(level, cells, product)
    if cols_HW.shape[0] == 1 and rows_HW.shape[1] == 1:
        taken_HW: U8 = values_HW.take(rows_HW[:, 0] - top, axis=0).take(cols_HW[0] - left, axis=1)
        return taken_HW
    flat_HW = (rows_HW - top) * cells.width + (cols_HW - left)
    found_HW: U8 = values_HW.reshape(-1).take(flat_HW)
    return found_HW

"""Sheets that are under way: the levels that their products will have, from the blocks that are done.

The cells of a level that lie inside a block are in its ``.levels`` file. Those that lie across blocks are
worked out from the cells of the level below, of which again some lie across: down to the pixels, but only
along the borders, whose cells the file keeps apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from service.rasters.levels import (
    LAYERS,
    LEVELS_SUFFIX,
    num_stored_levels,
    read_edges,
    read_level,
    whole_cells,
)
from service.tiles.errors import PieceGone
from service.tiles.keeping import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from service.rasters.levels import Edges
    from service.rasters.windows import Window
    from service.tiles.palette import Product

U8 = np.typing.NDArray[np.uint8]
I64 = np.typing.NDArray[np.int64]
Found = TypeVar("Found")
NODATA = 255

_EDGES: Kept[list[Edges]] = Kept(
    max_cost=32 * 2**20, cost=lambda levels: sum(edges.num_bytes for edges in levels)
)
_LEVELS: Kept[U8] = Kept(max_cost=64 * 2**20, cost=lambda values_HW: values_HW.nbytes)
"""What was read of blocks by this process; a block's pixels never change. Bounds are in bytes."""


@dataclass(frozen=True)
class LiveBlock:
    """One block that is done."""

    path: Path
    window: Window
    sheet: Window

    @cached_property
    def wholes(self) -> tuple[Window, ...]:
        """The cells of each stored level that lie wholly inside, counted from the sheet's corner."""
        levels = range(num_stored_levels(self.sheet) + 1)
        return tuple(whole_cells(self.window, self.sheet, level) for level in levels)

    @property
    def rows(self) -> tuple[int, int]:
        """First row and the one after the last, counted from the sheet's corner."""
        return self.wholes[0].row_off, self.wholes[0].row_end

    @property
    def cols(self) -> tuple[int, int]:
        """First column and the one after the last, counted from the sheet's corner."""
        return self.wholes[0].col_off, self.wholes[0].col_end

    def values(self, level: int, rows_N: I64, cols_N: I64, layer: Product) -> U8:
        """Values of whole cells: of neighbouring ones, or along the block's border of any.

        Args:
            level: At most the last stored.
            rows_N: Sorted, counted from the first whole row.
            cols_N: Sorted, counted from the first whole column.
            layer: Which.
        """
        whole = self.wholes[level]
        if _are_outermost(cols_N, whole.width):
            edges = self._edges(layer)[level]  # a level's own cells need not be unpacked for them
            return np.stack([(edges.right if col else edges.left)[rows_N] for col in cols_N], axis=1)
        if _are_outermost(rows_N, whole.height):
            edges = self._edges(layer)[level]
            return np.stack([(edges.bottom if row else edges.top)[cols_N] for row in rows_N])
        return self._level(level, layer)[rows_N[0] : rows_N[-1] + 1, cols_N[0] : cols_N[-1] + 1]

    def _edges(self, layer: Product) -> list[Edges]:
        def read() -> list[Edges]:
            return self._read(lambda path: read_edges(path, layer, block=self.window, sheet=self.sheet))

        return _EDGES.get((self.path, layer), read)

    def _level(self, level: int, layer: Product) -> U8:
        def read() -> U8:
            return self._read(
                lambda path: read_level(path, layer, level, block=self.window, sheet=self.sheet)
            )

        return _LEVELS.get((self.path, layer, level), read)

    def _read(self, read: Callable[[Path], Found]) -> Found:
        path = self.path.with_suffix(LEVELS_SUFFIX)
        try:
            return read(path)
        except FileNotFoundError as error:
            raise PieceGone(f"{path} is gone") from error


def put_together(blocks: Sequence[LiveBlock], level: int, rows_N: I64, cols_N: I64, layer: Product) -> U8:
    """The cells of a stored level at some rows and columns, 255 where no block has a pixel.

    Args:
        blocks: Of one sheet; what they lack is taken for not done.
        level: At most the last stored.
        rows_N: Sorted, counted from the sheet's corner.
        cols_N: Sorted, counted from the sheet's corner.
        layer: Which.

    Raises:
        PieceGone: A file is no longer there.
    """
    values_HW = np.full((rows_N.size, cols_N.size), NODATA, dtype=np.uint8)
    for block in blocks:
        whole = block.wholes[level]
        top, bottom = np.searchsorted(rows_N, (whole.row_off, whole.row_end))
        left, right = np.searchsorted(cols_N, (whole.col_off, whole.col_end))
        if top < bottom and left < right:
            values_HW[top:bottom, left:right] = block.values(
                level, rows_N[top:bottom] - whole.row_off, cols_N[left:right] - whole.col_off, layer
            )
    if level:
        _fill_across(values_HW, blocks, level, rows_N, cols_N, layer)
    return values_HW


def _fill_across(
    values_HW: U8, blocks: Sequence[LiveBlock], level: int, rows_N: I64, cols_N: I64, layer: Product
) -> None:
    """Work out the cells that lie across blocks from the level below, all columns of them, then all rows."""
    across_rows = {cell for block in blocks for cell in _across(block.rows, block.sheet.height, level)}
    across_cols = {cell for block in blocks for cell in _across(block.cols, block.sheet.width, level)}
    is_row_N = np.isin(rows_N, list(across_rows))
    is_col_N = np.isin(cols_N, list(across_cols))
    halver = LAYERS[layer]
    if is_col_N.any():
        values_HW[:, is_col_N] = halver(
            put_together(blocks, level - 1, _halves(rows_N), _halves(cols_N[is_col_N]), layer)
        )
    if is_row_N.any() and not is_col_N.all():
        values_HW[np.ix_(is_row_N, ~is_col_N)] = halver(
            put_together(blocks, level - 1, _halves(rows_N[is_row_N]), _halves(cols_N[~is_col_N]), layer)
        )


def _across(span: tuple[int, int], size_px: int, level: int) -> list[int]:
    """The cells of one axis that the ends of a block cut, but for the sheet's own end."""
    return [end >> level for end in span if end % (1 << level) and end != size_px]


def _halves(cells_N: I64) -> I64:
    """The cells of the level below, two for each."""
    return (2 * cells_N[:, None] + np.arange(2)).reshape(-1)


def _are_outermost(positions_N: I64, size: int) -> bool:
    return positions_N.size <= 2 and all(position in (0, size - 1) for position in positions_N.tolist())

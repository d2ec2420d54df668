"""Progress, where a tile shows too many blocks to look into each: a hatched veil over those that are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.rasters.windows import Window
    from service.tiles.index import Piece
    from service.tiles.warping import F64, Positions

U8 = np.typing.NDArray[np.uint8]
MAX_BLOCKS = 1024
"""Blocks of sheets under way that one tile looks into: four sheets of 32 768 px with blocks of 2 048 px."""
VEIL = 254
"""Value of a pixel that is done but not looked at; no class and no percentage has it."""
_HATCH_PX, _LINE_PX = 8, 3
_EMPTY = 255


def veil(values_HW: U8, blocks: Sequence[Piece], positions: Positions) -> None:
    """Hatch the pixels of done blocks that have no value.

    Args:
        values_HW: Of a part of a tile; 255 where there is none. Written to.
        blocks: That are done.
        positions: Of the part.
    """
    height, width = values_HW.shape
    lines_HW = (np.arange(height)[:, None] + np.arange(width)) % _HATCH_PX < _LINE_PX
    sheets: dict[Window, list[Window]] = {}
    for piece in blocks:
        sheets.setdefault(piece.sheet, []).append(piece.window)
    for sheet, windows in sheets.items():
        met = positions.meeting(sheet)
        if met is not None:
            part, inside = met
            is_veiled_HW = _is_done(windows, inside) & lines_HW[part] & (values_HW[part] == _EMPTY)
            values_HW[part][is_veiled_HW] = VEIL


def _is_done(windows: Sequence[Window], positions: Positions) -> np.typing.NDArray[np.bool_]:
    """Whether each position lies in one of these blocks of one sheet; they lie on a lattice."""
    row_edges = sorted({edge for window in windows for edge in (window.row_off, window.row_end)})
    col_edges = sorted({edge for window in windows for edge in (window.col_off, window.col_end)})
    is_done_YX = np.zeros((len(row_edges) + 1, len(col_edges) + 1), dtype=bool)
    for window in windows:
        is_done_YX[row_edges.index(window.row_off) + 1, col_edges.index(window.col_off) + 1] = True
    rows_HW = _cell(positions.dense_rows(), row_edges)
    cols_HW = _cell(positions.dense_cols(), col_edges)
    return is_done_YX[rows_HW, cols_HW]


def _cell(positions_HW: F64, edges: Sequence[int]) -> np.typing.NDArray[np.intp]:
    """How many edges lie before each position."""
    return np.searchsorted(np.array(edges), positions_HW, side="right")

"""The anchored lattice: cells of one side that start at the origin of the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable


def bounding_window(windows: Iterable[Window]) -> Window:
    """The smallest window that holds all of these.

    Raises:
        ValueError: There is none.
    """
    filled = [window for window in windows if not window.is_empty]
    if not filled:
        raise ValueError("no window holds a pixel")
    return Window.between(
        row_off=min(window.row_off for window in filled),
        col_off=min(window.col_off for window in filled),
        row_end=max(window.row_end for window in filled),
        col_end=max(window.col_end for window in filled),
    )


def split_on_lattice(window: Window, *, cell_px: int) -> list[tuple[int, int, Window]]:
    """Cut a window along the lattice of ``cell_px`` that starts at the grid's origin, row by row.

    Args:
        window: What to cut.
        cell_px: Side of a cell, in pixels.

    Returns:
        Row and column of each cell (they may be negative) and the part of the window inside it, never empty;
        together the parts hold each pixel of the window once.

    Raises:
        ValueError: The side is not positive.
    """
    if cell_px <= 0:
        raise ValueError(f"a cell needs a side of at least 1 px, got {cell_px}")
    if window.is_empty:
        return []
    return [
        (row, col, lattice_cell(row, col, cell_px=cell_px).intersection(window))
        for row in range(window.row_off // cell_px, (window.row_end - 1) // cell_px + 1)
        for col in range(window.col_off // cell_px, (window.col_end - 1) // cell_px + 1)
    ]


def lattice_cell(row: int, col: int, *, cell_px: int) -> Window:
    """The whole cell of this row and column of the lattice, whatever lies in it."""
    return Window(row_off=row * cell_px, col_off=col * cell_px, height=cell_px, width=cell_px)

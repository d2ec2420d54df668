"""Rectangles of whole pixels on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True, order=True)
class PixelWindow:
    """A half-open rectangle of pixels: rows ``[row_off, row_end)``, columns ``[col_off, col_end)``.

    Offsets may be negative: they count from the origin of a grid, not of a file.
    """

    row_off: int
    """First row, in pixels of the grid."""
    col_off: int
    """First column, in pixels of the grid."""
    height: int
    """Rows; 0 is empty."""
    width: int
    """Columns; 0 is empty."""

    def __post_init__(self) -> None:
        if self.height < 0 or self.width < 0:
            raise ValueError(f"a window cannot be {self.width} x {self.height} px")

    @classmethod
    def between(cls, *, row_off: int, col_off: int, row_end: int, col_end: int) -> PixelWindow:
        """Make the window of these half-open ranges; empty where an end lies before its offset."""
        return cls(
            row_off=row_off,
            col_off=col_off,
            height=max(0, row_end - row_off),
            width=max(0, col_end - col_off),
        )

    @property
    def row_end(self) -> int:
        """The row after the last."""
        return self.row_off + self.height

    @property
    def col_end(self) -> int:
        """The column after the last."""
        return self.col_off + self.width

    @property
    def is_empty(self) -> bool:
        """Whether the window holds no pixel."""
        return self.height == 0 or self.width == 0

    @property
    def num_px(self) -> int:
        """Pixels inside."""
        return self.height * self.width

    def intersection(self, other: PixelWindow) -> PixelWindow:
        """The pixels in both; empty, at an arbitrary place, where they do not meet."""
        return PixelWindow.between(
            row_off=max(self.row_off, other.row_off),
            col_off=max(self.col_off, other.col_off),
            row_end=min(self.row_end, other.row_end),
            col_end=min(self.col_end, other.col_end),
        )

    def contains(self, other: PixelWindow) -> bool:
        """Whether every pixel of ``other`` is inside."""
        return other.is_empty or self.intersection(other) == other

    def grown(self, margin_px: int) -> PixelWindow:
        """The window with ``margin_px`` more pixels on each side."""
        return PixelWindow.between(
            row_off=self.row_off - margin_px,
            col_off=self.col_off - margin_px,
            row_end=self.row_end + margin_px,
            col_end=self.col_end + margin_px,
        )

    def shifted(self, *, rows: int, cols: int) -> PixelWindow:
        """The same rectangle, moved."""
        return PixelWindow(
            row_off=self.row_off + rows, col_off=self.col_off + cols, height=self.height, width=self.width
        )

    def slices_in(self, outer: PixelWindow) -> tuple[slice, slice]:
        """Row and column slices of this window in an array that holds ``outer``.

        Raises:
            ValueError: Some of this window lies outside ``outer``; slices would wrap silently.
        """
        if not outer.contains(self):
            raise ValueError(f"{self} is not inside {outer}")
        top, left = self.row_off - outer.row_off, self.col_off - outer.col_off
        return slice(top, top + self.height), slice(left, left + self.width)


def bounding_window(windows: Iterable[PixelWindow]) -> PixelWindow:
    """The smallest window that holds all of these.

    Raises:
        ValueError: There is none.
    """
    filled = [window for window in windows if not window.is_empty]
    if not filled:
        raise ValueError("no window holds a pixel")
    return PixelWindow.between(
        row_off=min(window.row_off for window in filled),
        col_off=min(window.col_off for window in filled),
        row_end=max(window.row_end for window in filled),
        col_end=max(window.col_end for window in filled),
    )


def split_on_lattice(window: PixelWindow, *, cell_px: int) -> list[tuple[int, int, PixelWindow]]:
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


def lattice_cell(row: int, col: int, *, cell_px: int) -> PixelWindow:
    """The whole cell of this row and column of the lattice, whatever lies in it."""
    return PixelWindow(row_off=row * cell_px, col_off=col * cell_px, height=cell_px, width=cell_px)

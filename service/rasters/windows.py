"""Rectangles of whole pixels on a grid."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open rectangle of pixels: columns ``[col_off, col_end)``, rows ``[row_off, row_end)``.

    Offsets may be negative: they count from the origin of a grid, not of a file. In the order of rasterio's
    window, whose numbers may be fractions; these are whole.
    """

    col_off: int
    """First column."""
    row_off: int
    """First row."""
    width: int
    """Columns; 0 is empty."""
    height: int
    """Rows; 0 is empty."""

    def __post_init__(self) -> None:
        if self.height < 0 or self.width < 0:
            raise ValueError(f"a window cannot be {self.width} x {self.height} px")

    @classmethod
    def between(cls, *, row_off: int, col_off: int, row_end: int, col_end: int) -> Window:
        """Make the window of these half-open ranges; empty where an end lies before its offset."""
        return cls(
            col_off=col_off,
            row_off=row_off,
            width=max(0, col_end - col_off),
            height=max(0, row_end - row_off),
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

    def intersection(self, other: Window) -> Window:
        """The pixels in both; empty, at an arbitrary place, where they do not meet."""
        return Window.between(
            row_off=max(self.row_off, other.row_off),
            col_off=max(self.col_off, other.col_off),
            row_end=min(self.row_end, other.row_end),
            col_end=min(self.col_end, other.col_end),
        )

    def contains(self, other: Window) -> bool:
        """Whether every pixel of ``other`` is inside."""
        return other.is_empty or self.intersection(other) == other

    def shifted(self, *, cols: int, rows: int) -> Window:
        """The same rectangle, moved."""
        return Window(self.col_off + cols, self.row_off + rows, self.width, self.height)

    def slices_in(self, outer: Window) -> tuple[slice, slice]:
        """Row and column slices of this window in an array that holds ``outer``.

        Raises:
            ValueError: Some of this window lies outside ``outer``; slices would wrap silently.
        """
        if not outer.contains(self):
            raise ValueError(f"{self} is not inside {outer}")
        top, left = self.row_off - outer.row_off, self.col_off - outer.col_off
        return slice(top, top + self.height), slice(left, left + self.width)

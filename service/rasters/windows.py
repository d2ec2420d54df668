"""Windows: half-open rectangles of pixels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Columns ``col_off`` to ``col_end`` (half-open) of some grid, rows alike; offsets may be negative."""

    col_off: int
    row_off: int
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse empty windows.

        Raises:
            ValueError: A side is not positive.
        """
        if self.width <= 0 or self.height <= 0:
            raise ValueError(f"a window needs positive sides, not {self.width} x {self.height}")

    @property
    def col_end(self) -> int:
        """First column right of the window."""
        return self.col_off + self.width

    @property
    def row_end(self) -> int:
        """First row below the window."""
        return self.row_off + self.height

    def shifted(self, cols: int, rows: int) -> "Window":
        """The same size, moved."""
        return Window(self.col_off + cols, self.row_off + rows, self.width, self.height)

    def intersection(self, other: "Window") -> "Window | None":
        """The part that both share, or None."""
        left, top = max(self.col_off, other.col_off), max(self.row_off, other.row_off)
        right, bottom = min(self.col_end, other.col_end), min(self.row_end, other.row_end)
        return Window(left, top, right - left, bottom - top) if left < right and top < bottom else None

    def slices_in(self, outer: "Window") -> tuple[slice, slice]:
        """Rows and columns of this window inside an array that holds ``outer``."""
        row, col = self.row_off - outer.row_off, self.col_off - outer.col_off
        return slice(row, row + self.height), slice(col, col + self.width)

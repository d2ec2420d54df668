"""A band of rows that rolls down a run, so that no row is read twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from service.rasters.windows import Window

if TYPE_CHECKING:
    from service.inference.engine import U8

Mask = np.typing.NDArray[np.bool_]

_ROWS_AT_ONCE = 512
"""Rows asked of the source at once, up to the end of its internal tile: they bound what a read takes."""


class PixelSource(Protocol):
    """Where pixels of the grid come from."""

    @property
    def num_bands(self) -> int:
        """Bands, in the order of the model's input."""
        ...

    def tile_row_end(self, row: int) -> int:
        """The first row at or after ``row`` at which a row of the source's internal tiles ends."""
        ...

    def read(self, window: Window) -> tuple[U8, Mask]:
        """Read a window: pixels (C, H, W) and where they are valid (H, W).

        The window may exceed the data; what lies outside, and all that is not valid, is 0.
        """
        ...


class RollingStrip:
    """The rows of a fixed range of columns that the cores at hand need.

    They lie in one buffer that is kept for the whole run, so what `image` and `valid` give holds only until
    the next `advance`.
    """

    def __init__(self, source: PixelSource, *, col_off: int, col_end: int) -> None:
        """Start empty.

        Args:
            source: Read downwards only.
            col_off: First column held, in pixels of the grid.
            col_end: The column after the last.
        """
        self._source = source
        self._window = Window.between(row_off=0, col_off=col_off, row_end=0, col_end=col_end)
        self._image_CHW: U8 = np.empty((source.num_bands, 0, self._window.width), dtype=np.uint8)
        self._valid_HW: Mask = np.empty((0, self._window.width), dtype=np.bool_)

    def advance(self, *, row_off: int, row_end: int, last_row: int) -> None:
        """Hold at least the rows ``[row_off, row_end)``, reading only those not held yet.

        It reads on to the end of the source's internal tile, so that the tile is decoded once, but not
        beyond ``last_row``, the row after the last that the run will ever need.
        """
        held = self._window
        kept = max(0, held.row_end - row_off) if row_off >= held.row_off else 0
        read_off = row_off + kept
        read_end = read_off
        if read_off < row_end:
            read_end = max(row_end, min(self._source.tile_row_end(row_end), last_row))
        self._roll(kept=kept, of=held.height, num_rows=read_end - row_off)
        self._window = Window.between(
            row_off=row_off, col_off=held.col_off, row_end=read_end, col_end=held.col_end
        )
        while read_off < read_end:
            part_end = min(self._source.tile_row_end(read_off + _ROWS_AT_ONCE), read_end)
            rows = slice(read_off - row_off, part_end - row_off)
            self._image_CHW[:, rows], self._valid_HW[rows] = self._source.read(
                Window.between(row_off=read_off, col_off=held.col_off, row_end=part_end, col_end=held.col_end)
            )
            read_off = part_end

    def _roll(self, *, kept: int, of: int, num_rows: int) -> None:
        """Move the last ``kept`` rows of those held to the top of a buffer of at least ``num_rows``."""
        image_CHW, valid_HW = self._image_CHW, self._valid_HW
        if len(valid_HW) < num_rows:
            width = self._window.width
            self._image_CHW = np.empty((self._source.num_bands, num_rows, width), dtype=np.uint8)
            self._valid_HW = np.empty((num_rows, width), dtype=np.bool_)
        self._image_CHW[:, :kept] = image_CHW[:, of - kept : of]
        self._valid_HW[:kept] = valid_HW[of - kept : of]

    def image(self, window: Window) -> U8:
        """The pixels (C, H, W) of a window that is held; a view."""
        rows, cols = window.slices_in(self._window)
        return self._image_CHW[:, rows, cols]

    def valid(self, window: Window) -> Mask:
        """Where a window that is held is valid (H, W); a view."""
        rows, cols = window.slices_in(self._window)
        return self._valid_HW[rows, cols]

"""Sheets as tiles see them: pixels by level, whether finished or under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from service.rasters.levels import num_levels_of, num_stored_levels
from service.tiles.canvases import canvas_of
from service.tiles.live import LiveBlock, put_together
from service.tiles.reading import read_band

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.rasters.windows import Window
    from service.tiles.handles import Handles
    from service.tiles.index import Piece
    from service.tiles.palette import Product

U8 = np.typing.NDArray[np.uint8]
NODATA = 255
_BANDS: dict[Product, int] = {"classes": 1, "confidence": 2}
"""Of block files."""


class SheetView(Protocol):
    """The pixels of one sheet.

    Level 0 holds its own, level k cells of 2^k x 2^k of them, counted from its corner.
    """

    window: Window
    """Of the sheet, on the grid."""
    num_levels: int
    """Levels beyond its own pixels."""

    def read(self, level: int, cells: Window, product: Product) -> U8:
        """Values of a window of cells of a level, counted from the sheet's corner; within it.

        Raises:
            PieceGone: A file is no longer there.
        """
        ...


def views_of(pieces: Sequence[Piece], handles: Handles) -> list[SheetView]:
    """Put the pieces of a map together to sheets."""
    finished: list[SheetView] = [FinishedSheet(piece, handles) for piece in pieces if piece.kind == "sheet"]
    blocks: dict[Window, list[Piece]] = {}
    for piece in pieces:
        if piece.kind == "block":
            blocks.setdefault(piece.sheet, []).append(piece)
    return finished + [LiveSheet(sheet, found, handles) for sheet, found in blocks.items()]


class FinishedSheet:
    """A sheet whose products are there."""

    def __init__(self, piece: Piece, handles: Handles) -> None:
        self.window = piece.window
        self.num_levels = num_levels_of(piece.window)
        self._piece = piece
        self._handles = handles

    def read(self, level: int, cells: Window, product: Product) -> U8:
        """See `SheetView.read`."""
        path = self._piece.path if product == "classes" else self._piece.confidence
        if path is None:
            return np.full((cells.height, cells.width), NODATA, dtype=np.uint8)
        return read_band(self._handles, path, 1, cells, level=level)


class LiveSheet:
    """A sheet of which some blocks are done."""

    def __init__(self, sheet: Window, pieces: Sequence[Piece], handles: Handles) -> None:
        self.window = sheet
        self.num_levels = num_levels_of(sheet)
        self._blocks = [LiveBlock(piece.path, piece.window, sheet) for piece in pieces]
        self._handles = handles

    def read(self, level: int, cells: Window, product: Product) -> U8:
        """See `SheetView.read`; cells across blocks of which some are not done show those that are."""
        if level == 0:
            return self._pixels(cells, product)
        if level > num_stored_levels(self.window):
            return canvas_of(self._blocks[0], product).read(self._blocks, level, cells)
        rows_N, cols_N = np.arange(cells.row_off, cells.row_end), np.arange(cells.col_off, cells.col_end)
        return put_together(self._blocks, level, rows_N, cols_N, product)

    def _pixels(self, pixels: Window, product: Product) -> U8:
        values_HW = np.full((pixels.height, pixels.width), NODATA, dtype=np.uint8)
        for block in self._blocks:
            inside = block.wholes[0].intersection(pixels)
            if not inside.is_empty:
                part = inside.shifted(cols=-block.wholes[0].col_off, rows=-block.wholes[0].row_off)
                values_HW[inside.slices_in(pixels)] = read_band(
                    self._handles, block.path, _BANDS[product], part
                )
        return values_HW

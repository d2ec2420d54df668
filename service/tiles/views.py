"""Sheets as tiles see them: pixels by level, whether finished or under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
from rasterio.windows import Window as RasterioWindow

from service.rasters.overviews import halve
from service.rasters.windows import Window
from service.rasters.writing import overview_levels
from service.tiles.errors import PieceGone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.tiles.handles import Handles
    from service.tiles.index import Piece
    from service.tiles.palette import Product

U8 = np.typing.NDArray[np.uint8]
NODATA = 255


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

    def __init__(self, sheet: Window, blocks: Sequence[Piece], handles: Handles) -> None:
        self.window = sheet
        self.num_levels = num_levels_of(sheet)
        self._blocks = blocks
        self._handles = handles

    def read(self, level: int, cells: Window, product: Product) -> U8:
        """See `SheetView.read`."""
        side = 1 << level
        pixels = Window(cells.col_off * side, cells.row_off * side, cells.width * side, cells.height * side)
        pixels = pixels.shifted(cols=self.window.col_off, rows=self.window.row_off).intersection(self.window)
        values_HW = np.full((pixels.height, pixels.width), NODATA, dtype=np.uint8)
        band = 1 if product == "classes" else 2
        for block in self._blocks:
            part = block.window.intersection(pixels)
            if not part.is_empty:
                inside = part.shifted(cols=-block.window.col_off, rows=-block.window.row_off)
                values_HW[part.slices_in(pixels)] = read_band(self._handles, block.path, band, inside)
        for _ in range(level):
            values_HW = halve(values_HW)
        return values_HW


def num_levels_of(sheet: Window) -> int:
    """Overviews that the product of a sheet has."""
    return len(overview_levels(sheet.width, sheet.height))


def read_band(handles: Handles, path: Path, band: int, window: Window, *, level: int = 0) -> U8:
    """Read a window of a band of a file of ours.

    Raises:
        PieceGone: The file is not there, or is another than it was.
    """
    with handles.borrowed(path, level=level) as dataset:
        if window.col_end > dataset.width or window.row_end > dataset.height:
            raise PieceGone(f"{path} is {dataset.width} x {dataset.height} px, not as large as its map")
        part = RasterioWindow(window.col_off, window.row_off, window.width, window.height)
        values_HW: U8 = dataset.read(band, window=part)
    return values_HW

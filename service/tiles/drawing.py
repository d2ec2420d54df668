"""Tiles of classes and of confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from service.rasters.windows import Window
from service.tiles.coverage import MAX_BLOCKS, veil
from service.tiles.errors import PieceGone
from service.tiles.handles import HANDLES
from service.tiles.matrices import WEB_MERCATOR, check_tile, find_tile_matrix_set
from service.tiles.palette import TileStyle, colour_table
from service.tiles.png import empty_png, encode_png
from service.tiles.sampling import level_for, sample
from service.tiles.views import views_of
from service.tiles.warping import TileFrame, locate, part_of_tile

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.nomenclature import Nomenclature
    from service.tiles.index import BlockIndex
    from service.tiles.warping import Positions

U8 = np.typing.NDArray[np.uint8]
Answer = TypeVar("Answer")

NODATA = 255
_MAX_LOOKS = 4
"""A piece may go once when its sheet is finished; more often only when a map is deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile, drawn."""

    png: bytes
    is_empty: bool
    """Whether it is wholly transparent."""
    is_final: bool
    """Whether it will never look otherwise."""


def draw_tile(  # noqa: PLR0913  an address has four parts
    index: BlockIndex,
    z: int,
    x: int,
    y: int,
    *,
    nomenclature: Nomenclature,
    style: TileStyle | None = None,
    tms: str = WEB_MERCATOR,
    size_px: int = 256,
) -> Tile:
    """Draw a tile of a map: from its blocks where they are done, from its sheets where they are finished.

    Safe in any thread.

    Args:
        index: The map.
        z: Zoom.
        x: Column.
        y: Row, counted from the top.
        nomenclature: Of the map's classes.
        style: How it is to look; CoSIA's colours by default.
        tms: Name of the tile matrix set.
        size_px: Side of the tile; 512 for ``@2x``.

    Raises:
        TileMatrixSetUnknown: There is no such tile matrix set.
        TileUnknown: It has no such tile.
        TileStyleInvalid: The nomenclature has no such class.
        NomenclatureUnknown: The nomenclature has no such grouping.
    """
    check_tile(find_tile_matrix_set(tms), z, x, y)
    style = style or TileStyle()
    table = colour_table(style, nomenclature)
    frame = TileFrame.of(tms, z, x, y, size_px=size_px)
    part = part_of_tile(frame, index.grid, index.window)
    if part is None:
        return Tile(png=empty_png(size_px, size_px), is_empty=True, is_final=True)
    positions = locate(frame, index.grid, part)
    values_HW, is_final = looked_at(index, lambda look: (_values(look, positions, style), look.is_final))
    if values_HW.shape != (size_px, size_px):
        whole_HW = np.full((size_px, size_px), NODATA, dtype=np.uint8)
        whole_HW[part] = values_HW
        values_HW = whole_HW
    png = encode_png(values_HW, table)
    return Tile(png=png, is_empty=png is empty_png(size_px, size_px), is_final=is_final)


def looked_at(index: BlockIndex, look: Callable[[BlockIndex], Answer]) -> Answer:
    """Look at a map, and again at what it has become whenever a piece is gone.

    Raises:
        PieceGone: Pieces go faster than they can be looked at, or the map is gone.
    """
    for _ in range(_MAX_LOOKS - 1):
        try:
            return look(index)
        except PieceGone:
            index = index.refreshed()
    return look(index)


def _values(index: BlockIndex, positions: Positions, style: TileStyle) -> U8:
    pieces = index.pieces(_seen(index, positions))
    blocks = [piece for piece in pieces if piece.kind == "block"]
    is_veiled = len(blocks) > MAX_BLOCKS
    looked_into = [piece for piece in pieces if piece.kind == "sheet"] if is_veiled else pieces
    views = views_of(looked_into, HANDLES)
    values_HW = sample(views, positions, style.product)
    if style.min_confidence:
        confidence_HW = values_HW
        if style.product == "classes":
            confidence_HW = sample(views, positions, "confidence")
        values_HW[confidence_HW < style.min_confidence] = NODATA
    if is_veiled:
        veil(values_HW, blocks, positions)
    return values_HW


def _seen(index: BlockIndex, positions: Positions) -> Window:
    """The pixels that decide a tile: those of whole cells, since some lie across blocks."""
    window, cell_px = positions.window, 1 << level_for(positions.scale)
    grown = Window.between(
        row_off=window.row_off - cell_px,
        col_off=window.col_off - cell_px,
        row_end=window.row_end + cell_px,
        col_end=window.col_end + cell_px,
    )
    return grown.intersection(index.window)

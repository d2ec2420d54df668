"""The zooms at which a map is worth looking at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from service.tiles.matrices import WEB_MERCATOR, cell_size, find_tile_matrix_set
from service.tiles.warping import extent_in

if TYPE_CHECKING:
    from service.tiles.index import BlockIndex

_ALMOST = 0.05
"""A map whose pixels are finer than a zoom's by up to this share of a zoom is still shown whole by it."""


def zoom_range(index: BlockIndex, tms: str = WEB_MERCATOR) -> tuple[int, int]:
    """The zoom at which a map is about a tile wide, and the least at which all its pixels are seen.

    Raises:
        TileMatrixSetUnknown: There is no such tile matrix set.
    """
    matrix_set = find_tile_matrix_set(tms)
    left, bottom, right, top = extent_in(tms, index.grid, index.window)
    first_cell = cell_size(matrix_set, 0)
    pixel = min((right - left) / index.window.width, (top - bottom) / index.window.height)
    nearest = math.ceil(math.log2(first_cell / pixel) - _ALMOST)
    maxzoom = min(max(nearest, 0), matrix_set.maxzoom)
    side = max(right - left, top - bottom)
    minzoom = min(max(math.floor(math.log2(first_cell * 256 / side)), 0), maxzoom)
    return minzoom, maxzoom

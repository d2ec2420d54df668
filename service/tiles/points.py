"""The class at a point."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pyproj

from service.rasters.windows import Window
from service.tiles.drawing import NODATA, looked_at
from service.tiles.handles import HANDLES
from service.tiles.views import views_of

if TYPE_CHECKING:
    from service.planning.grid import Grid
    from service.tiles.index import BlockIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class PointAnswer:
    """What a map says of a point."""

    class_value: int | None
    """None outside the map, where there is no data, and where it is not done yet."""
    confidence: int | None
    """Percent; None where there is no class."""
    is_inside: bool
    """Whether the map reaches there."""
    is_final: bool
    """Whether it will never be otherwise."""


def query_point(index: BlockIndex, lon: float, lat: float) -> PointAnswer:
    """The class of the pixel under a point, and how sure it is.

    Args:
        index: The map.
        lon: Degrees east, WGS84.
        lat: Degrees north, WGS84.
    """
    pixel = _pixel_at(index.grid, lon, lat)
    if pixel is None or not index.window.contains(pixel):
        return PointAnswer(class_value=None, confidence=None, is_inside=False, is_final=True)
    return looked_at(index, lambda look: _answer(look, pixel))


def _answer(index: BlockIndex, pixel: Window) -> PointAnswer:
    class_value = confidence = None
    for view in views_of(index.pieces(pixel), HANDLES):
        if view.window.contains(pixel):
            inside = pixel.shifted(cols=-view.window.col_off, rows=-view.window.row_off)
            class_value = _known(int(view.read(0, inside, "classes")[0, 0]))
            confidence = _known(int(view.read(0, inside, "confidence")[0, 0]))
    return PointAnswer(
        class_value=class_value, confidence=confidence, is_inside=True, is_final=index.is_final
    )


def _pixel_at(grid: Grid, lon: float, lat: float) -> Window | None:
    """The pixel of a grid that holds a point; None where the point has no place in its CRS."""
    x, y = _from_wgs84(grid.crs_wkt).transform(lon, lat)
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    col, row = (x - grid.x_origin) / grid.x_res, (grid.y_origin - y) / grid.y_res
    return Window(math.floor(col), math.floor(row), 1, 1)


@lru_cache(maxsize=256)
def _from_wgs84(crs_wkt: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs("EPSG:4326", pyproj.CRS.from_wkt(crs_wkt), always_xy=True)


def _known(value: int) -> int | None:
    return None if value == NODATA else value

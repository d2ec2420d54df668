"""The tile matrix sets that maps are served in."""

from __future__ import annotations

import math
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import morecantile
import pyproj

from service.tiles.errors import TileMatrixSetUnknown, TileUnknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from morecantile import TileMatrixSet

WEB_MERCATOR = "WebMercatorQuad"
LAMBERT_93 = "2154_10cm"
_MAX_ZOOM = 24
_LAMBERT_TOP_M = 12_000_000.0
_LAMBERT_CELL_M = 209_715.2


@cache
def tile_matrix_sets() -> Mapping[str, TileMatrixSet]:
    """The tile matrix sets by name: web mercator, and IGN's of Lambert-93.

    In ``2154_10cm`` maps at 0.2 m x 2^k that lie on multiples of it from (0, 12 000 000) are shown pixel for
    pixel: z20 has 0.2 m.
    """
    web = morecantile.tms.get(WEB_MERCATOR)
    return MappingProxyType({WEB_MERCATOR: web, LAMBERT_93: _lambert_93()})


def find_tile_matrix_set(name: str) -> TileMatrixSet:
    """A tile matrix set by its name.

    Raises:
        TileMatrixSetUnknown: There is none of that name.
    """
    sets = tile_matrix_sets()
    if name not in sets:
        raise TileMatrixSetUnknown(f"no tile matrix set {name!r}", remedy=f"There are: {', '.join(sets)}.")
    return sets[name]


def check_tile(tms: TileMatrixSet, z: int, x: int, y: int) -> None:
    """Make sure that a tile exists.

    Raises:
        TileUnknown: Its zoom, column or row lies outside the tile matrix set.
    """
    if not 0 <= z <= tms.maxzoom:
        raise TileUnknown(f"{tms.id} has no zoom {z}", remedy=f"Zooms go from 0 to {tms.maxzoom}.")
    side = 2**z
    if not (0 <= x < side and 0 <= y < side):
        raise TileUnknown(
            f"{tms.id} has no tile {z}/{x}/{y}",
            remedy=f"At zoom {z} columns and rows go from 0 to {side - 1}.",
        )


def cell_size(tms: TileMatrixSet, z: int) -> float:
    """Side of a pixel of a 256 px tile, in units of the set's CRS."""
    return math.ldexp(_first_cell_size(tms.id), -z)


def origin(tms: TileMatrixSet) -> tuple[float, float]:
    """Left and top of the set, in its CRS."""
    return _origin(tms.id)


@cache
def _first_cell_size(name: str) -> float:
    return float(find_tile_matrix_set(name).matrix(0).cellSize)


@cache
def _origin(name: str) -> tuple[float, float]:
    left, top = find_tile_matrix_set(name).matrix(0).pointOfOrigin
    return float(left), float(top)


def _lambert_93() -> TileMatrixSet:
    side_m = _LAMBERT_CELL_M * 256
    assert math.isclose(_LAMBERT_CELL_M / 2**20, 0.2)
    lambert_93: TileMatrixSet = morecantile.TileMatrixSet.custom(
        [0.0, _LAMBERT_TOP_M - side_m, side_m, _LAMBERT_TOP_M],
        pyproj.CRS.from_epsg(2154),
        id=LAMBERT_93,
        title="Lambert-93, 0.2 m at zoom 20 (IGN)",
        minzoom=0,
        maxzoom=_MAX_ZOOM,
    )
    return lambert_93

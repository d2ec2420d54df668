"""Blocks of ground: one lattice over the Earth, whatever reference systems orthophotos are in.

A row is a strip of latitudes, cut into blocks of longitudes that are about as wide as they are high. Each
place lies in exactly one block, so blocks of different splits never share ground.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from service.rasters.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Sequence

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in degrees."""
Block = tuple[int, int]
"""Row (from the equator) and column (from Greenwich)."""

_LEAST_M_PER_DEGREE = 110_574.0
"""Of latitude, at the equator: less than anywhere else, so that a guard is never narrower than asked for."""
_MOST_LATITUDE = 89.0


def boxes(crs_wkt: str, bounds: Sequence[Box]) -> list[Box]:
    """The boxes in degrees that hold some rectangles of a reference system."""
    rings = (np.asarray(ring) for ring in outlines(crs_wkt, bounds))
    return [(*ring.min(axis=0).tolist(), *ring.max(axis=0).tolist()) for ring in rings]


def widened(box: Box, by_m: float) -> Box:
    """A box with at least so many metres more on each side."""
    left, bottom, right, top = box
    lat = by_m / _LEAST_M_PER_DEGREE
    furthest = min(_MOST_LATITUDE, max(abs(bottom), abs(top)) + lat)
    lon = lat / math.cos(math.radians(furthest))
    return left - lon, bottom - lat, right + lon, top + lat


def block_at(lon: float, lat: float, *, side_m: float) -> Block:
    """The block that a place lies in."""
    high = side_m / _LEAST_M_PER_DEGREE
    row = math.floor(lat / high)
    return row, math.floor(lon / _width(row, high))


def blocks_under(box: Box, *, side_m: float) -> list[Block]:
    """All blocks that a box touches."""
    left, bottom, right, top = box
    high = side_m / _LEAST_M_PER_DEGREE
    found = []
    for row in range(math.floor(bottom / high), math.floor(top / high) + 1):
        wide = _width(row, high)
        found += [(row, col) for col in range(math.floor(left / wide), math.floor(right / wide) + 1)]
    return found


def centre_of(box: Box) -> tuple[float, float]:
    """Longitude and latitude of the middle of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _width(row: int, high: float) -> float:
    """Width of the blocks of a row, in degrees of longitude."""
    latitude = min(_MOST_LATITUDE, abs((row + 0.5) * high))
    return high / math.cos(math.radians(latitude))

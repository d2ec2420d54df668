"""Areas on the ellipsoid of what was counted in pixels.

Pixels of a projection are not equally large on the ground: those of Lambert-93 are off by -0.19 to +0.58 %
across France, those of web mercator by a factor of two. Here every sheet's rim is laid out on the WGS84
ellipsoid; its area, divided by its pixels, is the mean area of a pixel of that sheet, and the area of a class
is the sum over sheets of its pixels times that mean. What this leaves out is that pixels differ within a
sheet, too: `Areas.spread` tells by how much at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.crs import CRS

from service.rasters.ground import to_degrees
from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from service.planning.grid import Grid

_A_M, _E2 = 6_378_137.0, 0.006_694_379_990_141_33  # WGS84, EPSG:7030
_RIM_POINTS = 32
"""Points a side of a sheet's rim: between them straight lines stand for the grid's own."""
_CORNER_SHARE = 8
"""A corner of a sheet is this part of its side."""


@dataclass(frozen=True, kw_only=True)
class SheetCounts:
    """What one sheet holds."""

    window: Window
    """Its pixels on the grid."""
    pixel_counts: Mapping[int, int]
    """Pixels by class value."""


@dataclass(frozen=True, kw_only=True)
class Areas:
    """Areas by class."""

    m2_by_value: Mapping[int, float]
    """Square metres on the ellipsoid, by class value."""
    spread: float
    """By how much, at most, the area of a pixel differs from the mean of its sheet: 0.001 is 0.1 %."""


def class_areas(grid: Grid, sheets: Sequence[SheetCounts]) -> Areas:
    """The area of each class.

    Args:
        grid: Of the map.
        sheets: All that hold a pixel of a class.
    """
    totals: dict[int, float] = {}
    spread = 0.0
    for sheet in sheets:
        pixel_m2 = mean_pixel_m2(grid, sheet.window)
        for value, count in sheet.pixel_counts.items():
            totals[value] = totals.get(value, 0.0) + count * pixel_m2
        corners = [mean_pixel_m2(grid, corner) for corner in _corners(sheet.window)]
        spread = max(spread, *(abs(corner / pixel_m2 - 1) for corner in corners))
    return Areas(m2_by_value=dict(sorted(totals.items())), spread=spread)


def mean_pixel_m2(grid: Grid, window: Window) -> float:
    """The mean area of the pixels of a window on the ellipsoid, in square metres.

    Raises:
        UnknownCrs: The window does not map onto the Earth.
    """
    return _area_m2(grid, window) / window.num_px


def _area_m2(grid: Grid, window: Window) -> float:
    """The area inside the rim of a window, by Green's theorem in a plane that keeps areas.

    The plane is the cylindrical equal-area projection of the ellipsoid (Snyder 1987, p. 81 and eq. 3-12).
    """
    left, bottom, right, top = grid.bounds_of(window)
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    steps_N = np.arange(_RIM_POINTS) / _RIM_POINTS
    x_N = np.concatenate([x0 + (x1 - x0) * steps_N for (x0, _), (x1, _) in _sides(corners)])
    y_N = np.concatenate([y0 + (y1 - y0) * steps_N for (_, y0), (_, y1) in _sides(corners)])
    lons, lats = to_degrees(CRS.from_wkt(grid.crs_wkt), list(x_N), list(y_N))
    # Counted from one corner, so that the products below do not swallow a small map's digits.
    east_N = _A_M * np.radians(np.unwrap(np.array(lons), period=360.0) - lons[0])
    north_N = _authalic_m(np.array(lats)) - _authalic_m(np.array(lats[:1]))
    return float(abs(np.dot(east_N, np.roll(north_N, -1)) - np.dot(north_N, np.roll(east_N, -1))) / 2)


def _sides(
    corners: Sequence[tuple[float, float]],
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))


def _authalic_m(lat_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ordinate of latitudes in the equal-area plane, in metres."""
    e = math.sqrt(_E2)
    sin_N = np.sin(np.radians(lat_N))
    q_N = (1 - _E2) * (sin_N / (1 - _E2 * sin_N**2) + np.arctanh(e * sin_N) / e)
    ordinate_N: NDArray[np.float64] = _A_M * q_N / 2
    return ordinate_N


def _corners(window: Window) -> list[Window]:
    height, width = -(-window.height // _CORNER_SHARE), -(-window.width // _CORNER_SHARE)
    rows = (window.row_off, window.row_end - height)
    cols = (window.col_off, window.col_end - width)
    return [Window(col, row, width, height) for row in rows for col in cols]

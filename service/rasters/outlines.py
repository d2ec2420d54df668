"""Outlines of rectangles of a CRS in degrees: true polygons, where boxes in degrees would be larger.

Lines of a grid are turned against meridians, and are not quite straight on a web map: 4 degrees east of its
middle, Lambert-93's are off by almost 3 degrees, and a line of 6.5 km bends by most of a metre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

if TYPE_CHECKING:
    from collections.abc import Sequence

F64 = np.typing.NDArray[np.float64]

Ring = tuple[tuple[float, float], ...]
"""Longitudes and latitudes, counter-clockwise; the last point is the first again, as GeoJSON wants it."""

STEPS = 8
"""Points by which a side that bends is told."""
_STRAIGHT_DEGREES = 5e-7
"""Sides that bend by less, some 5 cm on the ground, are told by their ends alone."""
_DIGITS = 7  # a centimetre


def outlines(crs_wkt: str, bounds_N4: Sequence[tuple[float, float, float, float]] | F64) -> list[Ring]:
    """The outline of each rectangle in degrees (WGS84), to a centimetre.

    Neighbours share their corners exactly.

    Args:
        crs_wkt: The coordinate reference system, as WKT.
        bounds_N4: Left, bottom, right, top of each rectangle, in its coordinates.
    """
    if len(bounds_N4) == 0:
        return []
    left_N, bottom_N, right_N, top_N = np.asarray(bounds_N4, dtype=np.float64).T
    corner_xs_4N = np.stack([left_N, right_N, right_N, left_N])
    corner_ys_4N = np.stack([bottom_N, bottom_N, top_N, top_N])
    part_S11 = (np.arange(STEPS) / STEPS)[:, None, None]
    xs_S4N = corner_xs_4N * (1 - part_S11) + np.roll(corner_xs_4N, -1, axis=0) * part_S11
    ys_S4N = corner_ys_4N * (1 - part_S11) + np.roll(corner_ys_4N, -1, axis=0) * part_S11
    lons, lats = transform(CRS.from_wkt(crs_wkt), "EPSG:4326", xs_S4N.ravel(), ys_S4N.ravel())
    degrees_2S4N = np.array([lons, lats]).reshape(2, *xs_S4N.shape)
    return [_ring(degrees_2S4) for degrees_2S4 in np.moveaxis(degrees_2S4N, -1, 0)]


def _ring(degrees_2S4: F64) -> Ring:
    """A closed ring, with the corners alone where its sides are straight."""
    starts_24 = degrees_2S4[:, 0]
    ends_24 = np.roll(starts_24, -1, axis=1)
    part_S1 = (np.arange(STEPS) / STEPS)[:, None]
    chords_2S4 = starts_24[:, None] * (1 - part_S1) + ends_24[:, None] * part_S1
    is_straight = np.abs(degrees_2S4 - chords_2S4).max() < _STRAIGHT_DEGREES
    told_2SK = degrees_2S4[:, :1] if is_straight else degrees_2S4
    lons_lats = told_2SK.transpose(2, 1, 0).reshape(-1, 2).round(_DIGITS).tolist()
    points = [(lon, lat) for lon, lat in lons_lats]
    return (*points, points[0])

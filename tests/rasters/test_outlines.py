"""Outlines in degrees: polygons that lie on the ground that they tell of."""

import math

import numpy as np
import shapely
from pyproj import Geod
from rasterio.crs import CRS
from rasterio.warp import transform, transform_bounds

from service.rasters.outlines import STEPS, outlines

LAMBERT_93 = CRS.from_epsg(2154).to_wkt()
ALPS = (1_000_000.0, 6_500_000.0)
"""Near 6.9 degrees east, where Lambert-93 is turned by almost 3 degrees."""


def _box(side_m: float, *, cols: int = 0, rows: int = 0) -> tuple[float, float, float, float]:
    left, bottom = ALPS[0] + cols * side_m, ALPS[1] + rows * side_m
    return left, bottom, left + side_m, bottom + side_m


def test_a_block_of_lambert_93_far_east_is_not_its_box_in_degrees():
    (ring,) = outlines(LAMBERT_93, [_box(409.6)])
    block = shapely.Polygon(ring)
    box = shapely.box(*transform_bounds(CRS.from_epsg(2154), "EPSG:4326", *_box(409.6)))
    assert 1.05 < box.area / block.area < 1.2, "a staircase of boxes would overlap by as much"
    (west, south), (east, higher) = ring[:2]
    turned = math.degrees(math.atan2(higher - south, (east - west) * math.cos(math.radians(south))))
    assert -3.2 < turned < -2.6
    assert len(ring) == 5, "its sides are straight enough to be told by their ends"


def test_its_area_is_the_ground_s():
    (ring,) = outlines(LAMBERT_93, [_box(409.6)])
    area_m2, _ = Geod(ellps="WGS84").polygon_area_perimeter(*zip(*ring, strict=True))
    assert area_m2 > 0, "counter-clockwise"
    np.testing.assert_allclose(area_m2, 409.6**2, rtol=0.005)  # Lambert-93's own scale there


def test_neighbours_share_a_side_and_no_ground():
    left, right, above = (
        shapely.Polygon(ring)
        for ring in outlines(LAMBERT_93, [_box(409.6), _box(409.6, cols=1), _box(409.6, rows=1)])
    )
    assert left.intersection(right).area == 0
    assert left.intersection(above).area == 0
    assert len(set(left.exterior.coords) & set(right.exterior.coords)) == 2


def test_the_sides_of_a_sheet_bend():
    (ring,) = outlines(LAMBERT_93, [_box(6553.6)])
    assert len(ring) == 4 * STEPS + 1
    xs, ys = transform("EPSG:4326", CRS.from_epsg(2154), *zip(*ring, strict=True))
    rim = shapely.box(*_box(6553.6)).exterior
    assert max(rim.distance(shapely.Point(x, y)) for x, y in zip(xs, ys, strict=True)) < 0.02, "centimetres"


def test_pixels_of_degrees_and_of_web_mercator_are_boxes():
    (ring,) = outlines(CRS.from_epsg(4326).to_wkt(), [(6.0, 46.0, 6.1, 46.1)])
    assert ring == ((6.0, 46.0), (6.1, 46.0), (6.1, 46.1), (6.0, 46.1), (6.0, 46.0))
    (ring,) = outlines(CRS.from_epsg(3857).to_wkt(), [(667917.0, 5780349.0, 668917.0, 5781349.0)])
    assert len({lon for lon, _ in ring}) == len({lat for _, lat in ring}) == 2


def test_nothing_has_no_outline():
    assert outlines(LAMBERT_93, []) == []

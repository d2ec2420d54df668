"""Areas are those of the ellipsoid, whatever the projection; PROJ's geodesics are the oracle."""

import numpy as np
import pytest
from pyproj import Geod, Transformer
from rasterio.crs import CRS

from service.catalogue.areas import SheetCounts, class_areas, mean_pixel_m2
from service.planning.grid import Grid
from service.rasters.windows import Window

PLACES = {  # EPSG, resolution, somewhere inside
    "Lambert-93, Dunkerque": (2154, 0.2, (655_000.0, 7_105_000.0)),
    "Lambert-93, Corsica": (2154, 0.2, (1_200_000.0, 6_080_000.0)),
    "UTM, Réunion": (2975, 0.5, (340_000.0, 7_660_000.0)),
    "web mercator, Norway": (3857, 1.0, (1_100_000.0, 10_000_000.0)),
    "degrees, Annecy": (4326, 2e-6, (6.1, 45.9)),
}


def grid_of(epsg, res, corner):
    return Grid(
        crs_wkt=CRS.from_epsg(epsg).to_wkt(), x_res=res, y_res=res, x_origin=corner[0], y_origin=corner[1]
    )


def geodesic_m2(epsg, grid, window):
    left, bottom, right, top = grid.bounds_of(window)
    t = np.linspace(0, 1, 400, endpoint=False)
    x = np.concatenate(
        [left + (right - left) * t, np.full(400, right), right - (right - left) * t, np.full(400, left)]
    )
    y = np.concatenate(
        [np.full(400, bottom), bottom + (top - bottom) * t, np.full(400, top), top - (top - bottom) * t]
    )
    lons, lats = Transformer.from_crs(epsg, 4326, always_xy=True).transform(x, y)
    return abs(Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)[0])


@pytest.mark.parametrize("place", PLACES)
def test_a_pixel_is_as_large_as_on_the_ellipsoid(place):
    epsg, res, corner = PLACES[place]
    grid, window = grid_of(epsg, res, corner), Window(100, 200, 9_000, 7_000)
    expected = geodesic_m2(epsg, grid, window) / window.num_px
    assert mean_pixel_m2(grid, window) == pytest.approx(expected, rel=1e-6)


def test_areas_of_sheets_add_up_to_the_area_of_the_map():
    grid = grid_of(*PLACES["web mercator, Norway"])
    sheets = [
        SheetCounts(window=Window(0, row, 20_000, 5_000), pixel_counts={3: 60_000_000, 5: 40_000_000})
        for row in range(0, 20_000, 5_000)
    ]
    whole = geodesic_m2(3857, grid, Window(0, 0, 20_000, 20_000))
    areas = class_areas(grid, sheets)
    assert sum(areas.m2_by_value.values()) == pytest.approx(whole, rel=1e-6)
    assert areas.m2_by_value[3] == pytest.approx(0.6 * whole, rel=1e-6)


def test_the_spread_tells_how_much_pixels_of_a_sheet_differ():
    grid = grid_of(*PLACES["web mercator, Norway"])
    window = Window(0, 0, 2_000, 20_000)
    areas = class_areas(grid, [SheetCounts(window=window, pixel_counts={0: 1})])
    top, bottom = (mean_pixel_m2(grid, Window(0, row, 2_000, 1)) for row in (0, 19_999))
    mean = mean_pixel_m2(grid, window)
    assert areas.spread == pytest.approx(max(abs(top / mean - 1), abs(bottom / mean - 1)), rel=0.2)
    lambert = class_areas(
        grid_of(*PLACES["Lambert-93, Corsica"]), [SheetCounts(window=window, pixel_counts={0: 1})]
    )
    assert lambert.spread < 1e-4

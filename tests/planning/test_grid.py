"""Grids are anchored to the CRS; what shares a grid is told apart from what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.planning.grid import anchored_grid, native_grid
from service.rasters.facts import BandFacts, RasterFacts
from service.rasters.placing import fits_grid, place
from service.rasters.windows import Window


def facts_at(transform, *, width, height):
    return RasterFacts(
        path="",
        driver="GTiff",
        width=width,
        height=height,
        crs_wkt="",
        epsg=None,
        crs_is_geographic=False,
        transform=transform,
        is_rotated=False,
        is_south_up=False,
        bands=(BandFacts(index=1, dtype="uint8", colour="gray", description=None, nodata=None),),
        mask_kind="none",
        internal_tile=(10, 10),
        is_tiled=False,
        compression="none",
        is_lossy=False,
        size_bytes=1,
        gsd_m=None,
        bounds_wgs84=None,
        acquisition_date=None,
        collar="none",
        collar_value=None,
        pixel_is_point=False,
        has_gcps=False,
        has_rpcs=False,
    )


def placed_on(grid, transform, *, width=10, height=10):
    """The window of a raster whose pixels are pixels of the grid."""
    facts = facts_at(transform, width=width, height=height)
    assert fits_grid(facts, grid.spec)
    return place(facts, {}, grid=grid.spec).extent


RESOLUTIONS = [0.1, 0.15, 0.2, 0.25, 0.298582141647617, 0.5, 1.0]


@given(
    res=st.sampled_from(RESOLUTIONS),
    col=st.integers(-60_000_000, 60_000_000),
    row=st.integers(-60_000_000, 60_000_000),
    phase=st.sampled_from([0.0, 0.25, 0.5, 0.9]),
)
def test_a_native_grid_keeps_the_pixels_of_its_raster(res, col, row, phase):
    transform = (res, 0.0, (col + phase) * res, 0.0, -res, -(row + phase) * res)
    grid = native_grid(transform, crs_wkt="", epsg=None)
    window = placed_on(grid, transform, width=100, height=50)
    assert window == Window(row_off=row + (phase > 0.5), col_off=col + (phase > 0.5), height=50, width=100)
    assert grid.transform_of(window) == pytest.approx(transform, abs=res * 1e-6)


@given(
    res=st.sampled_from(RESOLUTIONS),
    phase=st.sampled_from([0.0, 0.25, 0.5, 0.9]),
    cut=st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)),
)
def test_files_cut_from_one_raster_are_counted_from_the_same_corner(res, phase, cut):
    left, top = (3_245_678 + phase) * res, (30_000_123 + phase) * res
    whole = native_grid((res, 0.0, left, 0.0, -res, top), crs_wkt="", epsg=None)
    part = (res, 0.0, left + cut[0] * res, 0.0, -res, top - cut[1] * res)
    placed = placed_on(native_grid(part, crs_wkt="", epsg=None), part)
    assert placed == placed_on(whole, part)


def test_lambert_93_is_anchored_on_the_tile_grid_of_ign():
    grid = anchored_grid(crs_wkt="", epsg=2154, res=0.2)
    tile = grid.window_covering((0.0, 12_000_000.0 - 6553.6, 6553.6, 12_000_000.0))
    assert tile == Window(row_off=0, col_off=0, height=32768, width=32768)


@pytest.mark.parametrize(
    "transform",
    [
        (0.2, 0.0, 0.1, 0.0, -0.2, 0.0),
        (0.2001, 0.0, 0.0, 0.0, -0.2, 0.0),
        (0.2000016, 0.0, 0.0016, 0.0, -0.2, 0.0),
    ],
    ids=["half a pixel off", "another pixel size", "a little of both"],
)
def test_rasters_whose_pixels_do_not_coincide_share_no_grid(transform):
    grid = anchored_grid(crs_wkt="", epsg=None, res=0.2)
    assert not fits_grid(facts_at(transform, width=1000, height=1000), grid.spec)


def test_bounds_and_windows_go_round_trip():
    grid = anchored_grid(crs_wkt="", epsg=2154, res=0.2)
    window = Window(row_off=12, col_off=3_000_001, height=7, width=9)
    assert grid.window_covering(grid.bounds_of(window)) == window

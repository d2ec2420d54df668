import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject

from service.rasters.limits import Limits
from service.rasters.placing import place
from service.rasters.reader import SceneReader
from service.rasters.sources import Grid
from service.rasters.windows import Window

RGB = ("red", "green", "blue")
BANDS = {"red": 1, "green": 2, "blue": 3}
LAMBERT_93 = CRS.from_epsg(2154).to_wkt()
ANCHORED = Grid(crs_wkt=LAMBERT_93, transform=(0.2, 0.0, 0.0, 0.0, -0.2, 0.0))


def smooth(height, width, seed=0):
    """An image whose neighbouring pixels are alike, so that a shift shows and resampling hardly does."""
    rows, cols = np.indices((height, width))
    waves = [np.sin(cols / 31 + i) + np.cos(rows / 23 - i + seed) for i in range(3)]
    return np.stack([(wave * 50 + 128) for wave in waves]).astype(np.uint8)


KINDS = {
    "coarser": {"gsd": 0.31},
    "finer": {"gsd": 0.1},
    "much finer": {"gsd": 0.05},
    "half a pixel off": {"origin": (700_000.1, 6_600_000.1)},
    "rotated": {"rotation_deg": 20},
    "south-up": {"south_up": True, "gsd": 0.25},
    "utm": {"crs": "EPSG:32631", "origin": (500_000.0, 5_150_000.0)},
    "degrees": {"crs": "EPSG:4326", "gsd": (2.6e-6, 1.8e-6), "origin": (3.0, 46.5)},
    "web mercator": {"crs": "EPSG:3857", "gsd": 0.3, "origin": (333_958.5, 5_860_000.0)},
}


@pytest.fixture(scope="module", params=sorted(KINDS))
def warped(request, tmp_path_factory, write_raster, facts_of):
    """A source that does not fit the grid, an open reader of it, and all its pixels read at once."""
    path = tmp_path_factory.mktemp("warp") / "a.tif"
    write_raster(path, pixels=smooth(900, 1000), tiled=True, **KINDS[request.param])
    source = place(facts_of(path), BANDS, grid=ANCHORED)
    with SceneReader([source], roles=RGB) as reader:
        yield source, reader, reader.read(source.extent)


def test_resampled_pixels_are_where_gdal_puts_them(warped):
    source, _, (image, valid) = warped
    assert source.warp is not None
    expected = np.zeros_like(image)
    window = source.extent
    with rasterio.open(source.path) as raster:
        pixels = raster.read()
        reproject(
            pixels,
            expected,
            src_transform=raster.transform,
            src_crs=raster.crs,
            dst_transform=Affine(0.2, 0, window.col_off * 0.2, 0, -0.2, window.row_off * -0.2),
            dst_crs=CRS.from_epsg(2154),
            resampling=Resampling[source.warp.resampling],
        )
    assert 0.5 < valid.mean() <= 1.0
    both = valid & (expected != 0).any(axis=0)
    assert both.sum() > 0.98 * valid.sum()
    difference = np.abs(image.astype(int) - expected)[:, both]
    assert difference.mean() < 0.6
    assert np.quantile(difference, 0.99) <= 3


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_pixel_never_depends_on_the_window_asked_for(warped, data):
    source, reader, (image, valid) = warped
    extent = source.extent
    col = data.draw(st.integers(0, extent.width - 1))
    row = data.draw(st.integers(0, extent.height - 1))
    width = data.draw(st.integers(1, extent.width - col))
    height = data.draw(st.integers(1, extent.height - row))
    part, part_valid = reader.read(Window(extent.col_off + col, extent.row_off + row, width, height))
    assert np.array_equal(part, image[:, row : row + height, col : col + width])
    assert np.array_equal(part_valid, valid[row : row + height, col : col + width])


def test_a_fresh_reader_and_a_small_cache_give_the_same_pixels(warped):
    source, _, (image, _) = warped
    extent = source.extent
    with SceneReader([source], roles=RGB, limits=Limits(chunk_cache_bytes=1)) as reader:
        top = extent.height // 2
        lower = Window(extent.col_off, extent.row_off + top, extent.width, extent.height - top)
        assert np.array_equal(reader.read(lower)[0], image[:, top:])


def test_the_grids_origin_does_not_matter(warped, facts_of):
    source, _, (image, valid) = warped
    shift = (source.col_off - 37, source.row_off - 1001)
    moved = Grid(crs_wkt=LAMBERT_93, transform=(0.2, 0.0, shift[0] * 0.2, 0.0, -0.2, shift[1] * -0.2))
    again = place(facts_of(source.path), BANDS, grid=moved)
    assert (again.col_off, again.row_off) == (37, 1001)
    with SceneReader([again], roles=RGB) as reader:
        found, found_valid = reader.read(again.extent)
    assert np.array_equal(found, image)
    assert np.array_equal(found_valid, valid)


def test_all_of_the_raster_lies_in_its_extent(warped):
    source, reader, (_, valid) = warped
    extent = source.extent
    wider = Window(extent.col_off - 50, extent.row_off - 50, extent.width + 100, extent.height + 100)
    assert reader.read(wider)[1].sum() == valid.sum()


@pytest.mark.parametrize("kind", ["alpha", "internal", "nodata"])
def test_invalid_pixels_neither_spread_nor_bleed(make_raster, facts_of, kind):
    pixels = np.full((3, 300, 300), 100, np.uint8)
    mask = np.ones((300, 300), dtype=bool)
    mask[:, :150] = False
    nodata = 255 if kind == "nodata" else None
    pixels[:, ~mask] = 255
    path = make_raster(pixels=pixels, mask_HW=mask, mask_kind=kind, nodata=nodata, gsd=0.3)
    source = place(facts_of(path), BANDS, grid=ANCHORED)
    with SceneReader([source], roles=RGB) as reader:
        image, valid = reader.read(source.extent)
    assert set(np.unique(image[:, valid])) == {100}
    assert valid[:, 230:445].all()
    assert not valid[:, :220].any()
    assert valid.sum() == pytest.approx(225 * 450, rel=0.01)


def test_a_source_that_fits_is_not_resampled(make_raster, facts_of):
    for origin in ((700_000.0, 6_600_000.0), (700_000.001, 6_599_999.999)):
        assert place(facts_of(make_raster(origin=origin)), BANDS, grid=ANCHORED).warp is None
    for options in ({"origin": (700_000.01, 6_600_000.0)}, {"gsd": 0.20001, "shape": (3, 10, 3000)}):
        assert place(facts_of(make_raster(**options)), BANDS, grid=ANCHORED).warp is not None

import numpy as np
import pytest

from service.rasters.errors import CompanionMismatch, MissingCrs, NotGeoreferenced, UnsupportedDtype
from service.rasters.placing import companion_height, companion_irc, own_grid, place
from service.rasters.reader import SceneReader

RGB = ("red", "green", "blue")
BANDS = {"red": 1, "green": 2, "blue": 3}


@pytest.fixture
def rvb(make_raster, facts_of):
    return facts_of(make_raster("rvb.tif", seed=1))


def read(source, roles):
    with SceneReader([source], roles=roles) as reader:
        return reader.read(source.extent)


def test_the_twin_gives_its_first_band_as_near_infrared(rvb, make_raster, facts_of):
    twin = np.random.default_rng(9).integers(1, 255, (3, 100, 120)).astype(np.uint8)
    irc = facts_of(make_raster("irc.tif", pixels=twin, south_up=True))
    grid = own_grid(rvb)
    source = place(rvb, BANDS, grid=grid, companions=(companion_irc(rvb, irc, grid=grid),))
    image, valid = read(source, (*RGB, "nir"))
    assert valid.all()
    assert np.array_equal(image[3], twin[0])


def test_where_the_twin_has_no_data_there_is_none(rvb, make_raster, facts_of):
    mask = np.ones((100, 120), dtype=bool)
    mask[:30] = False
    irc = facts_of(make_raster("irc.tif", mask_HW=mask, mask_kind="alpha"))
    grid = own_grid(rvb)
    source = place(rvb, BANDS, grid=grid, companions=(companion_irc(rvb, irc, grid=grid),))
    image, valid = read(source, (*RGB, "nir"))
    assert np.array_equal(valid, mask)
    assert not image[:, ~mask].any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"crs": "EPSG:32631"}, "EPSG:32631.*EPSG:2154"),
        ({"shape": (3, 100, 121)}, "121 x 100.*120 x 100"),
        ({"origin": (700_000.1, 6_600_000.0)}, "0.500, 0.000 px"),
        ({"gsd": 0.2001}, "px off"),
    ],
)
def test_a_twin_that_lies_elsewhere_is_refused_with_the_values(rvb, make_raster, facts_of, options, words):
    irc = facts_of(make_raster("irc.tif", **options))
    with pytest.raises(CompanionMismatch, match=words) as caught:
        companion_irc(rvb, irc, grid=own_grid(rvb))
    assert "gdalwarp" in caught.value.remedy


def test_a_twin_of_sixteen_bits_is_refused(rvb, make_raster, facts_of):
    with pytest.raises(UnsupportedDtype):
        companion_irc(rvb, facts_of(make_raster("irc.tif", dtype="uint16")), grid=own_grid(rvb))


def test_heights_in_metres_become_levels_of_20_cm_and_saturate(rvb, make_raster, facts_of):
    metres = np.zeros((1, 100, 120), np.float32)
    metres[0, 0, :6] = [0.0, 0.09, 0.11, 10.0, 51.0, 300.0]
    metres[0, 1, :3] = [-3.0, np.nan, -9999.0]
    grid = own_grid(rvb)
    height = facts_of(make_raster("mnh.tif", pixels=metres, nodata=-9999))
    source = place(rvb, BANDS, grid=grid, companions=(companion_height(height, grid=grid),))
    image, valid = read(source, ("height",))
    assert image[0, 0, :6].tolist() == [0, 0, 1, 50, 255, 255]
    assert image[0, 1, 0] == 0
    assert valid[1, :4].tolist() == [True, False, False, True]


def test_heights_on_another_grid_are_resampled(rvb, make_raster, facts_of):
    metres = np.full((1, 60, 60), 7.0, np.float32)
    grid = own_grid(rvb)
    height = companion_height(facts_of(make_raster("mnh.tif", pixels=metres, gsd=0.5)), grid=grid)
    assert height.warp is not None
    image, valid = read(place(rvb, BANDS, grid=grid, companions=(height,)), ("red", "height"))
    assert valid.all()
    assert (image[1] == 35).all()


def test_heights_in_bytes_are_levels_already(rvb, make_raster, facts_of):
    levels = np.random.default_rng(3).integers(0, 255, (1, 100, 120)).astype(np.uint8)
    grid = own_grid(rvb)
    height = companion_height(facts_of(make_raster("mnh.tif", pixels=levels)), grid=grid)
    image, _ = read(place(rvb, BANDS, grid=grid, companions=(height,)), ("height",))
    assert np.array_equal(image, levels)


def test_heights_in_sixteen_bits_have_no_unit(rvb, make_raster, facts_of):
    with pytest.raises(UnsupportedDtype, match="uint16"):
        companion_height(facts_of(make_raster("mnh.tif", dtype="uint16")), grid=own_grid(rvb))


def test_a_companion_smaller_than_its_raster_leaves_the_rest_without_data(rvb, make_raster, facts_of):
    metres = np.full((1, 50, 40), 1.0, np.float32)
    grid = own_grid(rvb)
    height = companion_height(facts_of(make_raster("mnh.tif", pixels=metres)), grid=grid)
    _, valid = read(place(rvb, BANDS, grid=grid, companions=(height,)), (*RGB, "height"))
    assert valid[:50, :40].all()
    assert valid.sum() == 50 * 40


def test_no_place_no_grid(make_raster, facts_of):
    with pytest.raises(MissingCrs):
        own_grid(facts_of(make_raster("a.tif", crs=None)))
    with pytest.raises(NotGeoreferenced):
        own_grid(facts_of(make_raster("b.tif", origin=None)))
    with pytest.raises(NotGeoreferenced, match="rotated"):
        own_grid(facts_of(make_raster("c.tif", rotation_deg=5)))

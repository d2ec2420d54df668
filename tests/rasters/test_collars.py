import numpy as np
import pytest

from service.rasters.collars import describe_collar


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(20, 230, size=(3, 200, 220)).astype(np.uint8)


@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_corner_is_a_collar(facts_of, make_raster, image, value):
    rows, cols = np.indices(image.shape[1:])
    image[:, rows + cols < 60] = value
    facts = facts_of(make_raster(pixels=image))
    assert facts.collar_value == value
    assert f"is {value} in all bands" in facts.collar


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_frame_one_pixel_wide_on_any_side_is_a_collar(facts_of, make_raster, image, side):
    rim = {"left": np.s_[:, :, 0], "right": np.s_[:, :, -1], "top": np.s_[:, 0], "bottom": np.s_[:, -1]}[side]
    image[rim] = 0
    assert facts_of(make_raster(pixels=image, tiled=True, blockxsize=64, blockysize=64)).collar_value == 0


def test_black_lifted_by_jpeg_is_a_collar(facts_of, make_raster, image):
    image[:, :50] = np.random.default_rng(2).integers(0, 5, size=image[:, :50].shape)
    assert facts_of(make_raster("j.tif", pixels=image, compress="jpeg")).collar_value == 0


def test_a_striped_raster_is_judged_by_whole_sides(facts_of, make_raster, image):
    image[:, 40:60, 0] = 0
    options = {"pixels": image, "blockysize": 8}
    assert facts_of(make_raster(**options)).collar == "none"
    image[:, 40:80, 0] = 0
    assert facts_of(make_raster(**options)).collar_value == 0


def test_a_white_roof_at_the_rim_is_no_collar(facts_of, make_raster):
    pixels = np.random.default_rng(1).integers(20, 230, size=(3, 800, 900)).astype(np.uint8)
    pixels[:, :90, 100:200] = 255
    assert facts_of(make_raster(pixels=pixels)).collar == "none"


def test_one_band_at_zero_is_no_collar(facts_of, make_raster, image):
    image[0, :50] = 0
    assert facts_of(make_raster(pixels=image)).collar == "none"


def test_a_short_shadow_at_the_rim_is_no_collar(facts_of, make_raster, image):
    image[:, 0, 50:70] = 0
    assert facts_of(make_raster(pixels=image)).collar == "none"


def test_a_collar_that_the_file_declares_is_none(facts_of, make_raster, image):
    image[:, :50] = 0
    assert facts_of(make_raster(pixels=image, nodata=0)).collar == "none"


def test_nodata_that_pixels_cannot_hold_declares_nothing(facts_of, make_raster, image):
    image[:, :50] = 0
    assert facts_of(make_raster(pixels=image, nodata=255, tags={})).collar == "none"
    sides = [image[:, 0, :], image[:, -1, :]]
    assert describe_collar(sides, is_lossy=False)[1] == 0


def test_a_whole_image_of_zeros_is_a_collar(facts_of, make_raster):
    assert facts_of(make_raster(pixels=np.zeros((3, 64, 64), np.uint8))).collar_value == 0

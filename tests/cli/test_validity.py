"""Nodata stays nodata, and nothing else becomes it: class 0 is building, and 0 is a colour."""

import numpy as np
import pytest

from tests.cli.conftest import noise

HEIGHT, WIDTH = 100, 120


def corner():
    """True but in a black triangle at the upper left, as mosaics have it."""
    rows, cols = np.ogrid[:HEIGHT, :WIDTH]
    return rows + cols >= 60


@pytest.mark.parametrize("kind", ["nodata", "alpha", "internal"])
def test_what_the_file_calls_no_data_is_255_and_class_0_stays(kind, make_raster, predict, segment_whole):
    image_CHW, valid_HW = noise(), corner()
    scene = make_raster(
        pixels=image_CHW, mask_HW=valid_HW, mask_kind=kind, nodata=0 if kind == "nodata" else None
    )
    classes_HW = predict(scene).classes_HW
    np.testing.assert_array_equal(classes_HW, segment_whole(image_CHW, valid_HW))
    assert (classes_HW[~valid_HW] == 255).all()
    assert (classes_HW == 0).any()


def test_black_corners_without_a_word_are_refused(make_raster, refused, predict, segment_whole):
    image_CHW, valid_HW = noise(), corner()
    image_CHW[:, ~valid_HW] = 0
    scene = make_raster(pixels=image_CHW)
    message = refused(scene)
    assert "--nodata 0" in message
    assert "--nodata none" in message
    as_nodata = predict(scene, "--nodata", "0", name="nodata.tif")
    np.testing.assert_array_equal(as_nodata.classes_HW, segment_whole(image_CHW, valid_HW))
    as_image = predict(scene, "--nodata", "none", name="image.tif")
    np.testing.assert_array_equal(as_image.classes_HW, segment_whole(image_CHW))


def test_one_band_at_the_nodata_value_is_data(make_raster, predict, segment_whole):
    """Near infrared over water is 0."""
    image_CHW = noise(4)
    image_CHW[3, 20:60, 30:90] = 0
    image_CHW[:, 80:, :] = 0
    scene = make_raster(pixels=image_CHW, nodata=0, colours=["red", "green", "blue", "nir"])
    made = predict(scene, model="tiny-rgbi")
    valid_HW = np.arange(HEIGHT)[:, None] < np.full(WIDTH, 80)
    np.testing.assert_array_equal(made.valid_HW, valid_HW)
    np.testing.assert_array_equal(made.classes_HW, segment_whole(image_CHW, valid_HW, model="tiny-rgbi"))


@pytest.mark.parametrize("half", [np.s_[:, :150], np.s_[:170, :], np.s_[:, 151:]])
def test_half_of_the_scene_is_blank(half, make_raster, predict, segment_whole):
    image_CHW, valid_HW = noise(3, 300, 310), np.ones((300, 310), dtype=bool)
    valid_HW[half] = False
    scene = make_raster(pixels=image_CHW, mask_HW=valid_HW, mask_kind="nodata", nodata=0)
    np.testing.assert_array_equal(predict(scene).classes_HW, segment_whole(image_CHW, valid_HW))


def test_a_scene_without_any_data_is_nodata_throughout(make_raster, predict):
    scene = make_raster(pixels=np.zeros((3, 90, 130), dtype=np.uint8), nodata=0)
    assert not predict(scene).valid_HW.any()


@pytest.mark.parametrize("stated", [-9999.0, 255.0])
def test_a_nodata_tag_is_believed_as_far_as_bytes_can_hold_it(stated, make_raster, predict, segment_whole):
    image_CHW = noise()
    image_CHW[:, 40:50, 40:50] = 255
    scene = make_raster(pixels=image_CHW, nodata=stated if stated >= 0 else None)
    if stated < 0:
        scene = make_raster("float_tag.tif", pixels=image_CHW, tags={"GDAL_NODATA": str(stated)})
    valid_HW = np.ones((HEIGHT, WIDTH), dtype=bool)
    valid_HW[40:50, 40:50] = stated != 255
    np.testing.assert_array_equal(predict(scene).classes_HW, segment_whole(image_CHW, valid_HW))


def test_an_infrared_band_tagged_alpha_is_refused_not_taken_for_a_mask(make_raster, refused, predict):
    scene = make_raster(pixels=noise(4), colours=["red", "green", "blue", "alpha"])
    assert "--bands RGBI" in refused(scene, model="tiny-rgbi")
    assert predict(scene, "--bands", "RGBI", model="tiny-rgbi").valid_HW.all()


def test_black_corners_are_seen_though_the_infrared_is_tagged_alpha(
    make_raster, refused, predict, segment_whole
):
    image_CHW, valid_HW = noise(4), corner()
    image_CHW[:, ~valid_HW] = 0
    tagged = {"pixels": image_CHW, "colours": ["red", "green", "blue", "alpha"]}
    scene = make_raster(**tagged)
    assert "--nodata 0" in refused(scene, "--bands", "RGBI", model="tiny-rgbi")
    expected_HW = segment_whole(image_CHW, valid_HW, model="tiny-rgbi")
    said = predict(scene, "--bands", "RGBI", "--nodata", "0", name="said.tif", model="tiny-rgbi")
    np.testing.assert_array_equal(said.classes_HW, expected_HW)
    stated = make_raster("stated.tif", **tagged, nodata=0)
    made = predict(stated, "--bands", "RGBI", model="tiny-rgbi")
    np.testing.assert_array_equal(made.classes_HW, expected_HW)

"""Any size: every pixel gets its class, at the edges and in the last patches too."""

import numpy as np
import pytest

from tests.cli.conftest import noise


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (1, 40), (3, 2), (7, 200), (63, 64), (64, 64), (65, 129), (131, 257), (300, 90)],
)
def test_the_map_equals_the_scene_segmented_whole(height, width, make_raster, predict, segment_whole):
    image_CHW = noise(3, height, width)
    scene = make_raster(pixels=image_CHW)
    np.testing.assert_array_equal(predict(scene, "--nodata", "none").classes_HW, segment_whole(image_CHW))


def test_a_scene_that_begins_and_ends_on_cores_equals_it_too(make_raster, predict, segment_whole):
    """Aligned to the lattice of cores: (0, 12 000 000) of Lambert-93 plus whole cores of 64 px."""
    image_CHW = noise(3, 128, 192)
    scene = make_raster(pixels=image_CHW, origin=(64 * 0.2 * 50_000, 12_000_000 - 64 * 0.2 * 420_000))
    np.testing.assert_array_equal(predict(scene).classes_HW, segment_whole(image_CHW))


def test_the_outermost_frame_and_the_last_patches_are_classified(make_raster, predict):
    valid_HW = predict(make_raster(shape=(3, 200, 333))).valid_HW
    for side in (
        valid_HW[0],
        valid_HW[-1],
        valid_HW[:, 0],
        valid_HW[:, -1],
        valid_HW[-64:],
        valid_HW[:, -64:],
    ):
        assert side.all()


@pytest.mark.parametrize("change", ["dark", "constant"])
def test_a_patch_is_never_scaled_by_its_own_pixels(change, make_raster, predict, segment_whole):
    image_CHW = noise(3, 256, 256)
    part_CHW = image_CHW[:, 64:192, 64:192]
    part_CHW[:] = part_CHW // 16 if change == "dark" else 90
    classes_HW = predict(make_raster(pixels=image_CHW)).classes_HW
    np.testing.assert_array_equal(classes_HW, segment_whole(image_CHW))
    if change == "constant":
        assert len(np.unique(classes_HW[70:186, 70:186])) == 1


@pytest.mark.parametrize("fill", [0, 255])
def test_a_scene_of_one_value_is_refused_until_told_what_it_is(fill, make_raster, refused, predict):
    scene = make_raster(pixels=np.full((3, 80, 80), fill, dtype=np.uint8))
    assert f"--nodata {fill}" in refused(scene)
    assert predict(scene, "--nodata", "none", name="image.tif").valid_HW.all()
    assert not predict(scene, "--nodata", fill, name="blank.tif").valid_HW.any()

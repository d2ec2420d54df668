"""Where a scene lies: kept to the last bit, or brought to a grid the model knows, or refused."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject

from tests.cli.conftest import SEEN_PX, noise

LEFT, TOP = 700_000.0, 6_600_000.0


def test_another_phase_of_the_grid_is_kept_to_the_last_bit(make_raster, predict, segment_whole):
    transform = Affine(0.2000001, 0, 700_000.0731, 0, -0.2, 6_600_000.0049)
    image_CHW = noise()
    made = predict(make_raster(pixels=image_CHW, transform=transform))
    assert made.place[0] == transform
    np.testing.assert_array_equal(made.classes_HW, segment_whole(image_CHW))


def test_south_up_gives_the_map_of_its_north_up_twin(make_raster, predict):
    image_CHW = noise()
    north = predict(make_raster("north.tif", pixels=image_CHW), name="north_map.tif")
    south = predict(make_raster("south.tif", pixels=image_CHW, south_up=True), name="south_map.tif")
    np.testing.assert_array_equal(south.classes_HW, north.classes_HW)
    assert south.place == north.place


def test_pixel_is_point_lies_where_gdal_says(make_raster, predict, segment_whole):
    image_CHW = noise()
    scene = make_raster(pixels=image_CHW, tags={"AREA_OR_POINT": "Point"})
    with rasterio.open(scene) as file:
        assert file.tags()["AREA_OR_POINT"] == "Point"
        place = file.transform
    made = predict(scene)
    assert made.place[0] == place
    np.testing.assert_array_equal(made.classes_HW, segment_whole(image_CHW))


def test_lambert_93_of_the_second_realisation_is_lambert_93(make_raster, predict):
    made = predict(make_raster(crs="EPSG:9794"))
    assert made.place[1] == rasterio.crs.CRS.from_epsg(2154)
    assert made.place[0].c == LEFT


def test_no_crs_is_refused_and_the_callers_word_mends_it(make_raster, refused, predict, segment_whole):
    image_CHW = noise()
    scene = make_raster(pixels=image_CHW, crs=None)
    assert "--source-crs EPSG:2154" in refused(scene)
    made = predict(scene, "--source-crs", "EPSG:2154")
    assert made.place[1] == rasterio.crs.CRS.from_epsg(2154)
    np.testing.assert_array_equal(made.classes_HW, segment_whole(image_CHW))


def test_the_callers_crs_never_overrides_the_files(make_raster, refused):
    refused(make_raster(), "--source-crs", "EPSG:3857")
    refused(make_raster("none.tif", crs=None), "--source-crs", "EPSG:nonsense")


def test_no_transform_is_refused(make_raster, refused):
    assert "-a_ullr" in refused(make_raster(origin=None))


@pytest.mark.parametrize("gsd", [1.1, 5.0, 0.005])
def test_a_resolution_far_from_the_models_is_refused(gsd, make_raster, refused):
    assert "m on the ground a pixel; the model reads 0.15 to 0.5 m" in refused(make_raster(gsd=gsd))


CASES = {
    "coarser": {"gsd": 0.8, "shape": (3, 90, 100)},
    "finer": {"gsd": 0.1, "shape": (3, 180, 190)},
    "rotated": {"rotation_deg": 20.0, "shape": (3, 150, 160)},
    "oblong": {"gsd": (0.2, 0.3), "shape": (3, 120, 160)},
    "degrees": {
        "crs": "EPSG:4326",
        "gsd": (0.2 / 77_000, 0.2 / 111_200),
        "origin": (2.35, 46.5),
        "shape": (3, 150, 160),
    },
}


@pytest.mark.parametrize("case", CASES)
def test_a_scene_of_other_pixels_is_resampled_and_says_so(case, make_raster, predict, segment_whole):
    """Against GDAL's own warp of the whole scene to the grid of the map, then the network on the whole."""
    scene = make_raster(**CASES[case])
    made = predict(scene)
    assert "resampled to" in made.output
    transform, crs, width, height = made.place
    assert transform.a == -transform.e
    assert round(transform.c / transform.a, 3) % 1 == 0  # anchored to the CRS
    assert crs.to_epsg() == (32631 if case == "degrees" else 2154)
    image_CHW = np.zeros((3, height, width), dtype=np.uint8)
    valid_1HW = np.zeros((1, height, width), dtype=np.uint8)
    with rasterio.open(scene) as file:
        how = {"src_transform": file.transform, "src_crs": file.crs, "dst_transform": transform}
        how |= {"dst_crs": crs, "tolerance": 0.0}
        if case == "rotated":
            how |= {"XSCALE": "1", "YSCALE": "1"}  # GDAL takes the turned outline for a change of scale
        smooth = Resampling.average if case == "finer" else Resampling.bilinear
        reproject(file.read(), image_CHW, resampling=smooth, **how)
        inside_1HW = np.full((1, file.height, file.width), 255, dtype=np.uint8)
        reproject(inside_1HW, valid_1HW, resampling=Resampling.nearest, **how)
    classes_HW, valid_HW = made.classes_HW, made.valid_HW
    assert np.mean(valid_HW == (valid_1HW[0] > 0)) > 0.99
    away_HW = eroded(valid_HW, SEEN_PX + 2)
    assert away_HW.sum() > 2000
    agreement = np.mean(classes_HW[away_HW] == segment_whole(image_CHW)[away_HW])
    assert agreement > 0.99, agreement


def eroded(mask_HW, margin_px):
    """True where all within a square around is True, and inside the array."""
    padded_HW = np.pad(mask_HW, margin_px)
    windows = np.lib.stride_tricks.sliding_window_view(padded_HW, (2 * margin_px + 1,) * 2)
    return windows.all(axis=(2, 3))

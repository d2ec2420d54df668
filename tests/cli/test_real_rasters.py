"""Real rasters of five places: right or refused, with the source's very geometry.

The rasters are not part of the project; they are looked for in ``$ORTHOSCAPE_TEST_DATA`` and beside it.
"""

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ORTHOSCAPE_TEST_DATA", ROOT.parent / "shared" / "data"))
ORTHO, LIDAR = DATA / "ortho_e2e", DATA / "ign_ortho_lidar"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ORTHO.is_dir(), reason=f"no real rasters in {DATA}: set ORTHOSCAPE_TEST_DATA"),
]

SAME_GRID = [ORTHO / "test_tiled.tif", LIDAR / "test_data_rgb.tif"]
RESAMPLED = [
    ORTHO / "OSBS_029.tif",
    ORTHO / "2018_SJER_3_252000_4107000_image_477.tif",
    ORTHO / "5dded5bc0140b80006d2e565_23.tif",
    ORTHO / "m_3607717_sw_18_1_20160620_subset.tif",
    ORTHO / "m_3607824_se_17_1_20160620_subset.tif",
]
REFUSED = {
    ORTHO / "5b90f92da0d7280005fab355_4310.tif": "--nodata",
    ORTHO / "m_3607_box.tif": "finer orthophoto",
    ORTHO / "NAIP-VA-b1.tiff": "missing bands",
}


@pytest.mark.parametrize("path", SAME_GRID, ids=lambda path: path.name)
def test_a_scene_in_range_keeps_its_very_pixels(path, orthoscape, tmp_path):
    landcover = tmp_path / "landcover.tif"
    assert orthoscape("predict", path, "-o", landcover, "--model", "tiny-rgb").exit_code == 0
    with rasterio.open(path) as source, rasterio.open(landcover) as made:
        assert made.transform == source.transform
        assert made.shape == source.shape
        assert made.crs == source.crs
        # One of them names 255 as nodata and holds four saturated pixels: what the file says holds.
        np.testing.assert_array_equal(made.read(1) != 255, source.dataset_mask() != 0)


@pytest.mark.parametrize("path", RESAMPLED, ids=lambda path: path.name)
def test_a_scene_out_of_range_is_resampled_in_its_place(path, orthoscape, tmp_path):
    landcover = tmp_path / "landcover.tif"
    result = orthoscape("predict", path, "-o", landcover, "--model", "tiny-rgb")
    assert result.exit_code == 0, result.output
    assert "resampled" in result.output
    with rasterio.open(path) as source, rasterio.open(landcover) as made:
        assert made.crs == source.crs
        assert np.allclose(made.bounds, source.bounds, atol=2 * made.res[0])
        assert (made.read(1) != 255).mean() > 0.95


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_what_does_not_fit_is_refused_with_its_remedy(path, orthoscape, tmp_path):
    result = orthoscape("predict", path, "-o", tmp_path / "landcover.tif", "--model", "tiny-rgb")
    assert result.exit_code == 1
    assert REFUSED[path] in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_irc_twin_gives_the_near_infrared(orthoscape, tmp_path):
    rgb, irc = LIDAR / "test_data_rgb.tif", LIDAR / "test_data_irc.tif"
    landcover = tmp_path / "landcover.tif"
    assert orthoscape("predict", rgb, "-o", landcover, "--model", "tiny-rgbi").exit_code == 1
    result = orthoscape("predict", rgb, "--irc", irc, "-o", landcover, "--model", "tiny-rgbi")
    assert result.exit_code == 0, result.output


def test_two_utm_zones_in_one_folder_are_two_maps(orthoscape, tmp_path):
    zones = sorted(ORTHO.glob("m_36*_20160620_subset.tif"))
    folder = tmp_path / "maps"
    result = orthoscape("predict", *zones, "-o", folder, "--model", "tiny-rgb")
    assert result.exit_code == 0, result.output
    epsgs = set()
    for path in folder.glob("*.tif"):
        with rasterio.open(path) as made:
            epsgs.add(made.crs.to_epsg())
    assert epsgs == {26917, 26918}


def test_trees_of_lower_saxony_with_their_bands_named(orthoscape, tmp_path):
    folder = DATA / "treesatai_ts_sample" / "aerial"
    assert orthoscape("predict", folder, "-o", tmp_path / "a", "--model", "tiny-rgbi").exit_code == 1
    result = orthoscape("predict", folder, "-o", tmp_path / "b", "--model", "tiny-rgbi", "--bands", "I,R,G,B")
    assert result.exit_code == 0, result.output
    assert len(list((tmp_path / "b").glob("*.tif"))) == len(list(folder.glob("*.tif")))

"""Sources that are slow to read in windows are copied to tiles once; the map stays the same."""

import numpy as np
import pytest

from service.rasters import staging
from tests.cli.conftest import noise


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch, tmp_path, home):
    monkeypatch.setattr(staging, "_SMALL_BYTES", 0)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(home / "models")
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path / "home"))


def copies(tmp_path):
    return {path: path.stat().st_ino for path in (tmp_path / "home" / "staging").glob("*")}


@pytest.mark.parametrize(
    "layout", [{"driver": "JP2OpenJPEG"}, {}, {"south_up": True}], ids=["jp2", "strips", "south"]
)
def test_the_map_is_that_of_the_tiled_source_and_the_copy_is_used_again(
    layout, make_raster, predict, segment_whole, tmp_path
):
    image_CHW = noise(3, 300, 340, seed=7)
    tiled = make_raster("tiled.tif", pixels=image_CHW, tiled=True, blockxsize=128, blockysize=128)
    direct = predict(tiled, name="direct.tif")
    assert not copies(tmp_path)
    name = "slow.jp2" if "driver" in layout else "slow.tif"
    staged = predict(make_raster(name, pixels=image_CHW, **layout), name="staged.tif")
    np.testing.assert_array_equal(staged.classes_HW, direct.classes_HW)
    np.testing.assert_array_equal(staged.classes_HW, segment_whole(image_CHW))
    (copy,) = copies(tmp_path).items()
    predict(tmp_path / name, "--force", name="staged.tif")
    assert dict([copy]) == copies(tmp_path)


def test_validity_goes_with_the_copy(make_raster, predict, segment_whole):
    image_CHW, valid_HW = noise(), np.ones((100, 120), dtype=bool)
    valid_HW[30:, 50:70] = False
    scene = make_raster(pixels=image_CHW, mask_HW=valid_HW, mask_kind="internal")
    np.testing.assert_array_equal(predict(scene).classes_HW, segment_whole(image_CHW, valid_HW))


@pytest.mark.slow
def test_a_pair_of_twins_is_staged_and_resampling_reads_the_copy(make_raster, predict, tmp_path):
    image_CHW = noise(4, 120, 130)
    rgb, irc = (
        make_raster("rgb.tif", pixels=image_CHW[:3]),
        make_raster("irc.tif", pixels=image_CHW[[3, 0, 1]]),
    )
    colours = ["red", "green", "blue", "nir"]
    tiled = make_raster(
        "rgbi.tif", pixels=image_CHW, colours=colours, tiled=True, blockxsize=64, blockysize=64
    )
    paired = predict(rgb, "--irc", irc, model="tiny-rgbi", name="paired.tif")
    assert len(copies(tmp_path)) == 2
    whole = predict(tiled, model="tiny-rgbi", name="whole.tif")
    np.testing.assert_array_equal(paired.classes_HW, whole.classes_HW)
    coarse = {"pixels": image_CHW[:3], "gsd": 0.7}
    slow = predict(make_raster("slow.tif", **coarse), name="slow_map.tif")
    fast = predict(
        make_raster("fast.tif", **coarse, tiled=True, blockxsize=64, blockysize=64), name="fast_map.tif"
    )
    np.testing.assert_array_equal(slow.classes_HW, fast.classes_HW)


def test_the_cache_keeps_to_its_bound(make_raster, predict, tmp_path, monkeypatch):
    monkeypatch.setenv("ORTHOSCAPE_STAGING_MAX_BYTES", "100")
    for seed in (1, 2):
        predict(make_raster(f"{seed}.tif", seed=seed), name=f"map_{seed}.tif")
    assert len(copies(tmp_path)) == 1


def test_a_staged_map_verifies(make_raster, predict, orthoscape):
    made = predict(make_raster("slow.jp2", driver="JP2OpenJPEG"))
    assert orthoscape("verify", made.path, "--share", "1.0").exit_code == 0

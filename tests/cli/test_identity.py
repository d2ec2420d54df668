"""The same bytes whatever the machine: threads, blocks, order; and one maker of a map at a time."""

import fcntl

import numpy as np
import pytest

from tests.cli.conftest import noise


@pytest.fixture(name="image_CHW", scope="module")
def image():
    return noise(3, 420, 610, seed=6)


@pytest.fixture(name="expected_HW", scope="module")
def expected(image_CHW, segment_whole):
    return segment_whole(image_CHW)


@pytest.mark.parametrize(
    ("threads", "block_cores", "run_blocks", "queue_patches"),
    [(1, 1, 1, 1), (2, 2, 4, 4), (2, 3, 1, 9), (1, 100, 3, 2), (2, 1, 50, 1)],
)
def test_no_setting_of_the_machine_changes_a_pixel(  # noqa: PLR0917  four settings
    threads, block_cores, run_blocks, queue_patches, image_CHW, expected_HW, make_raster, predict, monkeypatch
):
    monkeypatch.setenv("ORTHOSCAPE_BLOCK_CORES", str(block_cores))
    monkeypatch.setenv("ORTHOSCAPE_RUN_BLOCKS", str(run_blocks))
    monkeypatch.setenv("ORTHOSCAPE_QUEUE_PATCHES", str(queue_patches))
    made = predict(make_raster(pixels=image_CHW), "--threads", threads)
    np.testing.assert_array_equal(made.classes_HW, expected_HW)


@pytest.mark.parametrize(
    "layout",
    [
        {"tiled": True, "blockxsize": 64, "blockysize": 128, "compress": "deflate"},
        {"interleave": "band", "compress": "lzw"},
        {"driver": "JP2OpenJPEG"},
        {"driver": "COG", "BLOCKSIZE": "128"},
        {"BIGTIFF": "YES", "ENDIANNESS": "BIG"},
    ],
    ids=["tiles", "bands apart", "jp2", "cog", "big"],
)
def test_no_layout_of_the_file_changes_a_pixel(layout, image_CHW, expected_HW, make_raster, predict):
    name = "ortho.jp2" if layout.get("driver") == "JP2OpenJPEG" else "ortho.tif"
    made = predict(make_raster(name, pixels=image_CHW, **layout))
    np.testing.assert_array_equal(made.classes_HW, expected_HW)


def test_a_map_that_another_process_makes_is_refused(make_raster, orthoscape, predict, tmp_path, monkeypatch):
    scene = make_raster()
    interrupted(scene, orthoscape, tmp_path, monkeypatch)
    with (tmp_path / ".map.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        result = orthoscape("predict", scene, "-o", tmp_path / "map.tif", "--model", "tiny-rgb", "--quiet")
        assert result.exit_code == 1
        assert "another process is making map" in result.output
        assert not (tmp_path / "map.tif").exists()
    assert predict(scene).valid_HW.all()


def test_an_interrupted_map_never_replaces_another_one_unasked(
    make_raster, orthoscape, predict, refused, tmp_path, monkeypatch
):
    one, two = make_raster("one.tif"), make_raster("two.tif", seed=2)
    interrupted(one, orthoscape, tmp_path, monkeypatch)
    predict(two)
    assert "--force" in refused(one)


def test_an_interrupted_map_whose_confidence_is_asked_for_later_gets_it(
    make_raster, orthoscape, predict, tmp_path, monkeypatch
):
    scene = make_raster()
    interrupted(scene, orthoscape, tmp_path, monkeypatch, at="shutil.rmtree")
    predict(scene, "--confidence")
    assert (tmp_path / "map_confidence.tif").exists()


def interrupted(scene, orthoscape, tmp_path, monkeypatch, *, at="service.maps.products.finish_sheet"):
    """Stop a command with Ctrl-C before it calls a function; returns the folders of jobs it leaves."""

    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(at, stop)
        result = orthoscape("predict", scene, "-o", tmp_path / "map.tif", "--model", "tiny-rgb", "--quiet")
    assert result.exit_code == 130
    assert "run the same command again" in result.output
    return list(tmp_path.glob(".*.job"))

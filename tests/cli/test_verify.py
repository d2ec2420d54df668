"""A map can be checked against its own provenance, and a lie is found."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.artefacts import write_tiny_artefact
from tests.cli.conftest import noise

ALL = ("--share", "1.0", "--seed", "1")


@pytest.fixture
def scene(make_raster):
    return make_raster(pixels=noise(3, 200, 260, seed=5))


@pytest.fixture
def made(scene, predict):
    return predict(scene)


def test_an_untouched_map_is_verified_whatever_the_settings(made, orthoscape, monkeypatch):
    for threads, block_cores in ((1, 2), (2, 7)):
        monkeypatch.setenv("ORTHOSCAPE_THREADS", str(threads))
        monkeypatch.setenv("ORTHOSCAPE_BLOCK_CORES", str(block_cores))
        result = orthoscape("verify", made.path, *ALL)
        assert result.exit_code == 0, result.output
        assert "100.0000% of pixels equal" in result.output
        assert "0.05 Mpx" in result.output  # all of the 200 x 260 px
        assert result.output.endswith("verified\n")


def test_a_few_random_cores_are_enough_by_default(made, orthoscape):
    result = orthoscape("verify", made.path)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("3 cores, ")


def test_one_edited_pixel_is_found(made, orthoscape):
    edit(made.path, 77, 201)
    result = orthoscape("verify", made.path, *ALL)
    assert result.exit_code == 1
    assert "1 of 52000 pixels differ" in result.output
    assert "verified" not in result.output


def test_a_pixel_blanked_is_found(made, orthoscape):
    edit(made.path, 0, 0, value=255)
    assert orthoscape("verify", made.path, *ALL).exit_code == 1


def test_another_engine_agrees_nearly_everywhere(made, orthoscape):
    pytest.importorskip("openvino")
    result = orthoscape("verify", made.path, *ALL, "--engine", "openvino")
    assert result.exit_code == 0, result.output
    assert "another execution profile" in result.output


def test_a_changed_or_absent_source_is_refused_and_a_moved_one_found(
    made, scene, orthoscape, make_raster, tmp_path
):
    elsewhere = tmp_path / "archive" / "renamed.tif"
    elsewhere.parent.mkdir()
    scene.rename(elsewhere)
    gone = orthoscape("verify", made.path)
    assert gone.exit_code == 1
    assert "--source FOLDER" in gone.output
    make_raster(scene.name, shape=(3, 200, 260), seed=99)
    changed = orthoscape("verify", made.path)
    assert changed.exit_code == 1
    assert "is not what the map was made from" in changed.output
    assert orthoscape("verify", made.path, "--source", elsewhere.parent, *ALL).exit_code == 0


def test_a_map_moved_with_its_source_is_verified(made, scene, orthoscape, tmp_path):
    with rasterio.open(made.path) as file:
        told = json.loads(file.tags()["ORTHOSCAPE_PLAN"])
    (path,) = told["digests"]
    assert not Path(path).is_absolute()
    assert str(tmp_path) not in json.dumps(told), "a map tells nothing of the machine that it was made on"
    place = tmp_path / "elsewhere"
    shutil.copytree(scene.parent, place)
    moved = place / made.path.relative_to(scene.parent)
    scene.unlink()
    assert orthoscape("verify", moved, *ALL).exit_code == 0


def test_another_model_of_the_same_name_is_refused(made, orthoscape, tmp_path, monkeypatch):
    write_tiny_artefact(tmp_path / "home" / "models", seed=1)
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path / "home"))
    result = orthoscape("verify", made.path)
    assert result.exit_code == 1
    assert "install the artefact of that digest" in result.output


@pytest.mark.parametrize("kind", ["no provenance", "no raster", "absent"])
def test_a_file_that_tells_nothing_is_refused(kind, make_raster, orthoscape, tmp_path):
    path = tmp_path / "letter.tif"
    if kind == "no provenance":
        path = make_raster()
    elif kind == "no raster":
        path.write_text("dear reader")
    result = orthoscape("verify", path)
    assert result.exit_code == 1
    assert "give a map made by orthoscape predict" in result.output


@pytest.mark.parametrize("kind", ["area", "south-up", "resampled", "sheets", "nodata"])
def test_maps_of_every_kind_verify(kind, make_raster, predict, orthoscape):
    arguments = {
        "area": lambda: [make_raster(shape=(3, 200, 200)), "--aoi", "700003.3,6599971.2,700031.7,6599991.1"],
        "south-up": lambda: [make_raster(south_up=True)],
        "resampled": lambda: [make_raster(gsd=0.8)],
        "sheets": lambda: [
            make_raster("a.tif"),
            make_raster("b.tif", origin=(700_020.0, 6_599_990.0), seed=1),
        ],
        "nodata": lambda: [make_raster(), "--nodata", "17"],
    }[kind]()
    made = predict(*arguments)
    result = orthoscape("verify", made.path, *ALL)
    assert result.exit_code == 0, result.output
    assert "100.0000%" in result.output


def edit(path, row, col, *, value=None):
    """Change one pixel and nothing else."""
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as file:
        window = rasterio.windows.Window(col, row, 1, 1)
        old = file.read(1, window=window)
        file.write(np.full_like(old, (old[0, 0] + 1) % 16 if value is None else value), 1, window=window)


def test_the_confidence_is_verified_as_such(scene, predict, orthoscape, tmp_path):
    predict(scene, "--confidence")
    result = orthoscape("verify", tmp_path / "map_confidence.tif", *ALL)
    assert result.exit_code == 0, result.output
    assert "100.0000% of pixels equal" in result.output


def test_a_cut_map_is_told_from_an_edited_one(made, orthoscape, tmp_path):
    cut = tmp_path / "cut.tif"
    with rasterio.open(made.path) as file:
        profile = file.profile | {"height": 100, "driver": "GTiff"}
        with rasterio.open(cut, "w", **profile) as part:
            part.write(file.read(1)[:100], 1)
            part.update_tags(**file.tags())
    result = orthoscape("verify", cut, *ALL)
    assert result.exit_code == 1
    assert "cut or resampled" in result.output

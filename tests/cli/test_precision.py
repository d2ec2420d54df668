"""Precision is asked for, named in the map, and never another than asked."""

import importlib.util
import json

import numpy as np
import pytest
import rasterio

from tests.artefacts import write_tiny_artefact
from tests.cli.conftest import noise

ALL = ("--share", "1.0", "--seed", "1")
INT8 = ("--precision", "int8")


@pytest.fixture(autouse=True)
def home_with_int8(tmp_path_factory, monkeypatch):
    """A home whose model has an int8 graph."""
    folder = tmp_path_factory.mktemp("int8")
    write_tiny_artefact(folder / "models", "tiny-rgb", has_int8=True)
    write_tiny_artefact(folder / "models", "tiny-rgbi")
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(folder))
    return folder


@pytest.fixture
def scene(make_raster):
    return make_raster(pixels=noise(3, 150, 200, seed=5))


def profile_of(made):
    with rasterio.open(made.path) as file:
        return json.loads(file.tags()["ORTHOSCAPE_PROFILE"])


def test_a_map_is_fp32_unless_said_otherwise(scene, predict):
    whole, small = predict(scene), predict(scene, *INT8, name="int8.tif")
    assert (profile_of(whole)["precision"], profile_of(small)["precision"]) == ("fp32", "int8")
    assert "onnxruntime" in small.output
    assert " int8 " in small.output
    agreement = np.mean(whole.classes_HW == small.classes_HW)
    assert 0.95 < agreement < 1.0  # a random network on noise: nearly the same, and not the same graph


def test_a_map_verifies_in_its_own_precision(scene, predict, orthoscape):
    small = predict(scene, *INT8)
    result = orthoscape("verify", small.path, *ALL)
    assert result.exit_code == 0, result.output
    assert "with the same execution profile: 100.0000% of pixels equal" in result.output


def test_another_precision_is_another_profile(scene, predict, orthoscape, monkeypatch):
    small = predict(scene, *INT8)
    monkeypatch.setattr("service.cli.verify.MIN_LOWERED_AGREEMENT", 0.95)
    result = orthoscape("verify", small.path, *ALL, "--precision", "fp32")
    assert result.exit_code == 0, result.output
    assert "with another execution profile" in result.output


def test_an_fp32_map_is_no_int8_map(scene, predict, refused):
    predict(scene)
    assert "is there and is not this map" in refused(scene, *INT8)


def test_a_model_without_such_a_graph_is_refused(make_raster, refused):
    scene = make_raster(shape=(4, 100, 120))
    told = refused(scene, *INT8, "--bands", "RGBI", model="tiny-rgbi")
    assert "tiny-rgbi@1.0.0 has no int8 graph" in told
    assert "It has: fp32." in told


def test_an_engine_that_would_make_something_else_of_it_is_refused(scene, refused):
    told = refused(scene, "--precision", "fp16")
    assert "the engine onnxruntime computes in fp32 or int8, not in fp16" in told
    assert "onnxruntime-cuda" in told


def test_info_tells_which_models_have_it(scene, orthoscape):
    result = orthoscape("info", scene, *INT8, "--model", "tiny-rgb")
    assert result.exit_code == 0, result.output
    assert "yes  tiny-rgb@1.0.0" in result.output
    assert " int8 " in result.output


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is an extra")
def test_openvino_runs_the_same_file(scene, predict):
    mine, theirs = predict(scene, *INT8), predict(scene, *INT8, "--engine", "openvino", name="openvino.tif")
    assert profile_of(theirs)["engine"] == "openvino"
    assert profile_of(theirs)["precision"] == "int8"
    assert np.mean(mine.classes_HW == theirs.classes_HW) >= 0.98

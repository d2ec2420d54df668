"""The file of a map: the scene's pixels, nodata 255, colours, layout, provenance, style; confidence."""

import hashlib
import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio

from models.nomenclature import COSIA
from service.catalogue.words import class_name
from service.inference.onnx_engine import import_onnxruntime
from tests.cli.conftest import SEEN_PX, noise


@pytest.fixture(name="image_CHW", scope="module")
def image():
    return noise(3, 700, 1100)


@pytest.fixture
def made(image_CHW, make_raster, predict):
    return predict(make_raster(pixels=image_CHW), "--confidence")


def test_a_map_is_all_that_it_should_be(made, image_CHW, tmp_path, home, segment_whole):
    scene = tmp_path / "ortho.tif"
    with rasterio.open(scene) as source, rasterio.open(made.path) as file:
        assert (file.width, file.height, file.count) == (source.width, source.height, 1)
        assert file.transform == source.transform
        assert file.crs == source.crs
        assert file.dtypes == ("uint8",)
        assert file.nodata == 255
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.block_shapes == [(512, 512)]
        assert file.overviews(1) == [2, 4]
        assert file.colorinterp[0].name == "palette"
        colours, tags = file.colormap(1), file.tags()
    for land_cover in COSIA.classes:
        assert "#{:02x}{:02x}{:02x}".format(*colours[land_cover.value][:3]) == land_cover.colour_cosia.lower()
        assert colours[land_cover.value][3] == 255
    assert tags["MODEL_ID"] == "tiny-rgb@1.0.0"
    assert tags["MODEL_SHA256"] == sha256(home / "models" / "tiny-rgb" / "manifest.json")
    assert tags["SOURCE_SHA256"] == sha256(scene)
    assert tags["NOMENCLATURE"] == "cosia-16"
    assert json.loads(tags["ORTHOSCAPE_PROFILE"])["engine"] == "onnxruntime"
    assert set(json.loads(tags["ORTHOSCAPE_SOFTWARE"])) == {"orthoscape", "rasterio", "gdal"}
    assert 0.8 < float(tags["SEAM_RATE"]) < 1.2  # noise has no seams
    np.testing.assert_array_equal(made.classes_HW, segment_whole(image_CHW))
    _assert_confidence(made, image_CHW, home)
    _assert_style(made)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def _assert_confidence(made, image_CHW, home):
    with rasterio.open(made.path.with_name("map_confidence.tif")) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.nodata == 255
        assert file.transform == made.place[0]
        confidence_HW = file.read(1)
    padded_CHW = np.pad(image_CHW, ((0, 0), (SEEN_PX, SEEN_PX), (SEEN_PX, SEEN_PX)), mode="reflect")
    session = import_onnxruntime().InferenceSession(home / "models" / "tiny-rgb" / "model.onnx")
    (expected_NHW,) = session.run(["confidence"], {"image": padded_CHW[None]})
    inner = slice(SEEN_PX, -SEEN_PX)
    np.testing.assert_array_equal(confidence_HW, expected_NHW[0, inner, inner])


def _assert_style(made):
    entries = ET.parse(made.path.with_suffix(".qml")).getroot().iter("paletteEntry")  # noqa: S314  our own file
    assert [(entry.get("value"), entry.get("label")) for entry in entries] == [
        (str(land_cover.value), class_name(land_cover, "en")) for land_cover in COSIA.classes
    ]


def test_confidence_has_no_value_where_classes_have_none(make_raster, predict):
    valid_HW = np.zeros((100, 120), dtype=bool)
    valid_HW[20:, 30:] = True
    made = predict(make_raster(mask_HW=valid_HW, mask_kind="internal"), "--confidence")
    with rasterio.open(made.path.with_name("map_confidence.tif")) as file:
        confidence_HW = file.read(1)
    np.testing.assert_array_equal(confidence_HW != 255, valid_HW)
    assert confidence_HW[valid_HW].max() <= 100


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()

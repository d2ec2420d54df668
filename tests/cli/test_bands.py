"""Bands by role, in any order and from twins; what is missing or not 8-bit is refused."""

import json
import shutil

import numpy as np
import pytest

from models.artefact import MANIFEST_NAME
from tests.cli.conftest import noise

RGBI = ["red", "green", "blue", "nir"]


def test_bands_in_another_order_give_the_same_map(make_raster, predict, segment_whole):
    image_CHW = noise(4)
    expected_HW = segment_whole(image_CHW, model="tiny-rgbi")
    turned = {"pixels": image_CHW[[3, 0, 1, 2]]}
    silent = make_raster("silent.tif", **turned, colours=["gray", *["undefined"] * 3])
    said = predict(silent, "--bands", "I,R,G,B", name="said.tif", model="tiny-rgbi")
    np.testing.assert_array_equal(said.classes_HW, expected_HW)
    coloured = make_raster("coloured.tif", **turned, colours=["nir", "red", "green", "blue"])
    stated = predict(coloured, name="stated.tif", model="tiny-rgbi")
    np.testing.assert_array_equal(stated.classes_HW, expected_HW)


def test_bands_that_nobody_names_are_refused(make_raster, refused):
    silent = make_raster(pixels=noise(4), colours=["gray", *["undefined"] * 3])
    assert "--bands" in refused(silent, model="tiny-rgbi")


@pytest.mark.parametrize(("count", "missing"), [(1, "red, green, blue"), (3, "nir")])
def test_a_band_too_few_is_refused_and_named(count, missing, make_raster, refused):
    scene = make_raster(pixels=noise(count))
    message = refused(scene, model="tiny-rgb" if count == 1 else "tiny-rgbi")
    assert f"missing bands: {missing};" in message
    assert "--irc" in message or "--bands" in message


def test_a_band_too_many_is_left_out(make_raster, predict, segment_whole):
    image_CHW = noise(4)
    made = predict(make_raster(pixels=image_CHW, colours=RGBI))
    np.testing.assert_array_equal(made.classes_HW, segment_whole(image_CHW[:3]))


@pytest.mark.parametrize("option", ["R,G,X", "R,R,G", "R,G,B,I,H", ""])
def test_bands_said_wrongly_are_refused(option, make_raster, refused):
    refused(make_raster(), "--bands", option)


def test_16_bits_are_refused(make_raster, refused):
    assert "gdal_translate -ot Byte -scale" in refused(make_raster(dtype="uint16"))


def test_a_paletted_scene_is_refused(make_raster, refused):
    scene = make_raster(shape=(1, 80, 80), palette={0: (0, 0, 0, 255), 9: (9, 99, 9, 255)})
    assert "-expand rgb" in refused(scene)


def test_the_infrared_twin_gives_what_four_bands_give(make_raster, predict):
    image_CHW, valid_HW = noise(4, 150, 170), np.ones((150, 170), dtype=bool)
    valid_HW[90:, 100:] = False
    whole = make_raster("rgbi.tif", pixels=image_CHW, colours=RGBI, mask_HW=valid_HW, mask_kind="internal")
    rgb = make_raster("rgb.tif", pixels=image_CHW[:3], mask_HW=valid_HW, mask_kind="internal")
    irc = make_raster("irc.tif", pixels=image_CHW[[3, 0, 1]])
    paired = predict(rgb, "--irc", irc, name="paired.tif", model="tiny-rgbi")
    whole = predict(whole, name="whole.tif", model="tiny-rgbi")
    np.testing.assert_array_equal(paired.classes_HW, whole.classes_HW)
    assert paired.place == whole.place


@pytest.mark.parametrize(
    ("twin", "told"),
    [
        ({"shape": (3, 100, 121)}, "121 x 100 px"),
        ({"origin": (700_000.1, 6_600_000.0)}, "0.500, 0.000 px off"),
        ({"crs": "EPSG:32631"}, "EPSG:32631"),
        ({"dtype": "uint16"}, "uint16"),
    ],
)
def test_a_twin_of_other_pixels_is_refused(twin, told, make_raster, refused):
    scene = make_raster("rgb.tif")
    assert told in refused(scene, "--irc", make_raster("irc.tif", **twin), model="tiny-rgbi")


def test_a_companion_of_no_scene_is_refused(make_raster, refused):
    one, two = make_raster("one.tif"), make_raster("two.tif", origin=(700_024.0, 6_600_000.0))
    stray = make_raster("stray.tif", origin=(800_000.0, 6_600_000.0))
    assert "stray.tif" in refused(one, two, "--irc", stray, model="tiny-rgbi")


def test_a_companion_the_model_does_not_read_is_said_so(make_raster, predict):
    scene, irc = make_raster("rgb.tif"), make_raster("irc.tif")
    assert "irc.tif is not used" in predict(scene, "--irc", irc).output


def test_a_model_nobody_has_is_refused(make_raster, refused):
    message = refused(make_raster(), model="no-such-model")
    assert "tiny-rgb@1.0.0" in message


@pytest.mark.parametrize("option", ["--irc", "--height"])
def test_companions_inside_the_folder_of_scenes_are_no_scenes(option, make_raster, predict, tmp_path):
    (tmp_path / "town" / "beside").mkdir(parents=True)
    image_CHW, later_CHW = noise(3), noise(3, seed=1)
    alone = predict(make_raster("alone.tif", pixels=image_CHW), name="alone_map.tif")
    make_raster("town/rgb_2019-06-01.tif", pixels=image_CHW)
    make_raster("town/beside/other_2022-06-01.tif", pixels=later_CHW)
    made = predict(tmp_path / "town", option, tmp_path / "town" / "beside")
    np.testing.assert_array_equal(made.classes_HW, alone.classes_HW)
    assert "other_2022-06-01.tif is not used" in made.output


def test_scenes_that_are_all_companions_are_refused(make_raster, refused):
    scene = make_raster()
    assert "--irc or --height too" in refused(scene.parent, "--irc", scene)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"inputs": 2}, "reads 2 inputs (image, second)"),
        ({"nodata_fill": 255}, "wants 255 in pixels without data"),
    ],
)
def test_a_model_that_asks_for_more_than_is_done_is_refused(
    change, told, home, make_raster, refused, monkeypatch
):
    scene = make_raster()
    other = scene.parent / "other_home"
    shutil.copytree(home / "models" / "tiny-rgb", other / "models" / "tiny-rgb")
    path = other / "models" / "tiny-rgb" / MANIFEST_NAME
    manifest = json.loads(path.read_text())
    if "inputs" in change:
        manifest["inputs"].append(manifest["inputs"][0] | {"name": "second"})
    else:
        manifest["inputs"][0] |= change
    path.write_text(json.dumps(manifest))
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(other))
    assert told in refused(scene)


@pytest.mark.parametrize("option", ["--irc", "--height"])
def test_several_companions_over_one_scene_are_refused_with_the_way_out(option, make_raster, refused):
    scene = make_raster()
    west = make_raster("west.tif", shape=(3, 100, 70))
    east = make_raster("east.tif", shape=(3, 100, 50), origin=(700_014.0, 6_600_000.0))
    message = refused(scene, option, west, option, east, model="tiny-rgbi")
    assert "one file of a kind is read beside each scene" in message
    assert "gdalbuildvrt" in message


@pytest.mark.parametrize("option", ["--irc", "--height"])
def test_a_lone_companion_elsewhere_is_refused(option, make_raster, refused):
    elsewhere = make_raster("elsewhere.tif", origin=(800_000.0, 6_600_000.0))
    assert "lies over none of the scenes" in refused(make_raster(), option, elsewhere)


def test_a_band_that_nothing_names_is_told_of_unless_it_is_named(make_raster, orthoscape):
    scene = make_raster(shape=(4, 100, 120), colours=["red", "green", "blue", "undefined"])
    told = "band 4 is not read, since nothing says what it is"
    assert told in orthoscape("info", scene, "--model", "tiny-rgb").output
    assert told not in orthoscape("info", scene, "--model", "tiny-rgb", "--bands", "R,G,B,-").output
    assert told not in orthoscape("info", scene, "--model", "tiny-rgbi", "--bands", "RGBI").output

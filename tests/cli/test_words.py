"""What the other commands say, and how they exit: info, models, doctor."""

import json

import pytest

from tests.cli.conftest import noise


def test_info_tells_what_a_scene_is_and_how_long_it_takes(make_raster, orthoscape):
    scene = make_raster("ortho_2021-07-14.tif", shape=(3, 300, 200), nodata=0, compress="deflate", tiled=True)
    result = orthoscape("info", scene, "--model", "tiny-rgb")
    assert result.exit_code == 0, result.output
    for words in (
        str(scene),
        "200 x 300 px",
        "GeoTIFF, deflate, tiles of 256 x 256 px",
        "EPSG:2154",
        "0.200 x 0.200 m a pixel",
        "1 red, 2 green, 3 blue; uint8",
        "no data where all bands are 0",
        "2021-07-14",
        "yes  tiny-rgb@1.0.0",
        "1 file(s), ",
        "1 threads",
    ):
        assert words in result.output


def test_info_says_of_each_model_whether_it_fits_and_what_to_do(make_raster, orthoscape):
    scene = make_raster()
    result = orthoscape("info", scene, "--model", "tiny-rgbi")
    assert result.exit_code == 1
    assert "no   tiny-rgbi@1.0.0: missing bands: nir" in result.output
    assert "what to do: give the near infrared with --irc" in result.output
    assert orthoscape("info", scene, "--irc", make_raster("irc.tif"), "--model", "tiny-rgbi").exit_code == 0


def test_info_notes_what_will_be_done_that_nobody_expects(make_raster, orthoscape):
    assert "note: ortho.tif: 0.8" in orthoscape("info", make_raster(gsd=0.8), "--model", "tiny-rgb").output


@pytest.mark.slow
def test_info_asks_every_model_there_is(make_raster, orthoscape):
    result = orthoscape("info", make_raster())
    assert result.exit_code == 0, result.output
    assert "yes  tiny-rgb@1.0.0" in result.output
    assert "no   tiny-rgbi@1.0.0" in result.output


@pytest.mark.parametrize(
    "options", [{"crs": None}, {"dtype": "uint16"}, {"origin": None}, {"gsd": 30.0}], ids=str
)
def test_info_of_an_unusable_scene_exits_1_with_the_remedy(options, make_raster, orthoscape):
    result = orthoscape("info", make_raster(**options), "--model", "tiny-rgb")
    assert result.exit_code == 1
    assert "what to do: " in result.output


def test_info_as_json_is_one_object_a_scene_and_nothing_else(make_raster, orthoscape):
    scenes = [make_raster("a.tif"), make_raster("b.tif", crs=None)]
    result = orthoscape("info", *scenes, "--json")
    assert result.exit_code == 0
    read = [json.loads(line) for line in result.output.splitlines()]
    assert [facts["path"] for facts in read] == [str(scene) for scene in scenes]
    assert [facts["epsg"] for facts in read] == [2154, None]
    assert read[0]["width"] == 120


def test_info_writes_nothing(make_raster, orthoscape, tmp_path):
    scene = make_raster(pixels=noise())
    orthoscape("info", scene, "--model", "tiny-rgb")
    assert [path.name for path in tmp_path.iterdir()] == [scene.name]


def test_models_are_listed_and_shown(orthoscape, home):
    result = orthoscape("models")
    assert result.exit_code == 0
    assert "tiny-rgb@1.0.0" in result.output
    assert "reads red, green, blue, nir at 0.15 to 0.5 m; gives 16 classes of cosia-16" in result.output
    assert str(home / "models") in result.output
    assert orthoscape("models", "tiny-rgb").output.startswith("# A random network for tests")
    missing = orthoscape("models", "no-such-model")
    assert missing.exit_code == 1
    assert "no model 'no-such-model'" in missing.output


def test_a_damaged_model_is_told_and_never_run(orthoscape, tmp_path, home, make_raster, monkeypatch):
    copy = tmp_path / "home" / "models" / "tiny-rgb"
    copy.mkdir(parents=True)
    for path in (home / "models" / "tiny-rgb").iterdir():
        (copy / path.name).write_bytes(path.read_bytes() + (b" " if path.name == "model.onnx" else b""))
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path / "home"))
    result = orthoscape("predict", make_raster(), "-o", tmp_path / "map.tif", "--model", "tiny-rgb")
    assert result.exit_code == 1
    assert "model.onnx" in result.output
    assert not (tmp_path / "map.tif").exists()


@pytest.mark.slow
def test_doctor_finds_this_installation_well(orthoscape):
    result = orthoscape("doctor")
    assert result.exit_code == 0, result.output
    for words in (
        "GDAL",
        "reads GeoTIFF and JPEG 2000",
        "limited in memory and time",
        "of its golden input",
        "GiB",
    ):
        assert words in result.output
    assert "bad " not in result.output


@pytest.mark.slow
def test_doctor_exits_1_when_something_is_ill(orthoscape, tmp_path, monkeypatch):
    (tmp_path / "models" / "torn").mkdir(parents=True)
    (tmp_path / "models" / "torn" / "manifest.json").write_text("{")
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(tmp_path))
    result = orthoscape("doctor")
    assert result.exit_code == 1
    assert "bad  models" in result.output


def test_jobs_says_where_it_found_no_service_and_makes_none(orthoscape, tmp_path, monkeypatch):
    home = tmp_path / "elsewhere"
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(home))
    result = orthoscape("jobs", "list")
    assert result.exit_code == 1
    assert str(home) in result.output
    assert "ORTHOSCAPE_HOME=" in result.output
    assert not home.exists()


def test_serve_refuses_to_open_what_is_not_there_before_it_starts_anything(orthoscape, tmp_path):
    result = orthoscape("serve", "--port", "0", "--open", tmp_path / "missing.tif")
    assert result.exit_code == 2
    assert "does not exist" in result.output

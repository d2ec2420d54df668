"""What lies where the map is to go, and commands that cannot be carried out."""

import pytest
import rasterio

from tests.cli.conftest import files_under, noise


def test_the_same_command_again_has_nothing_to_do(make_raster, predict, tmp_path):
    scene = make_raster()
    predict(scene)
    before = files_under(tmp_path)
    assert "nothing to do" in predict(scene).output
    assert files_under(tmp_path) == before


def test_a_confidence_asked_for_later_is_made(make_raster, predict, tmp_path):
    scene = make_raster()
    predict(scene)
    predict(scene, "--confidence")
    assert (tmp_path / "map_confidence.tif").exists()


@pytest.mark.parametrize("change", ["scene", "model", "area", "no map at all"])
def test_another_map_is_replaced_only_by_force(change, make_raster, predict, refused, tmp_path):
    colours, model = ["red", "green", "blue", "nir"], "tiny-rgb"
    arguments = [make_raster("one.tif", pixels=noise(4), colours=colours)]
    if change == "no map at all":
        (tmp_path / "map.tif").write_text("a letter")
    else:
        predict(*arguments)
    if change == "scene":
        arguments = [make_raster("two.tif", pixels=noise(4, seed=2), colours=colours)]
    elif change == "model":
        model = "tiny-rgbi"
    elif change == "area":
        arguments += ["--aoi", "700002,6599990,700010,6599998"]
    assert "--force" in refused(*arguments, model=model)
    replaced = predict(*arguments, "--force", model=model)
    with rasterio.open(replaced.path) as file:
        assert file.tags()["MODEL_ID"] == f"{model}@1.0.0"


def test_a_scene_under_another_name_is_the_same_scene(make_raster, predict):
    scene = make_raster()
    predict(scene)
    moved = scene.rename(scene.with_name("moved.tif"))
    assert "nothing to do" in predict(moved).output


def test_other_settings_of_the_machine_ask_for_the_same_map(make_raster, predict, monkeypatch):
    scene = make_raster(shape=(3, 300, 300))
    predict(scene)
    monkeypatch.setenv("ORTHOSCAPE_BLOCK_CORES", "3")
    monkeypatch.setenv("ORTHOSCAPE_THREADS", "2")
    assert "nothing to do" in predict(scene).output


@pytest.mark.parametrize("name", ["map.jp2", "map.gpkg"])
def test_an_output_that_is_no_geotiff_is_refused(name, make_raster, refused):
    assert "GeoTIFF" in refused(make_raster(), name=name)


def test_an_output_that_cannot_be_written_is_an_error_not_a_crash(make_raster, refused, tmp_path):
    (tmp_path / "letter").write_text("dear reader")
    assert "letter" in refused(make_raster(), name="letter/map.tif")


def test_scenes_that_are_none_are_refused(tmp_path, refused):
    (tmp_path / "empty").mkdir()
    (tmp_path / "letter.tif").write_text("dear reader")
    (tmp_path / "nothing.tif").touch()
    for name in ("empty", "letter.tif", "nothing.tif", "absent.tif"):
        assert name in refused(tmp_path / name)


def test_a_scene_cut_short_fails_and_leaves_no_map(make_raster, orthoscape, tmp_path):
    scene = make_raster(shape=(3, 400, 400), compress="deflate", tiled=True, blockxsize=64, blockysize=64)
    content = bytearray(scene.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4000] = b"\x00" * 4000
    scene.write_bytes(content)
    result = orthoscape("predict", scene, "-o", tmp_path / "map.tif", "--model", "tiny-rgb", "--quiet")
    assert result.exit_code == 1
    assert "is damaged" in result.output
    assert not (tmp_path / "map.tif").exists()


def test_the_output_is_never_the_scene_itself(make_raster, orthoscape):
    scene = make_raster()
    content = scene.read_bytes()
    for force in ((), ("--force",)):
        result = orthoscape("predict", scene, "-o", scene, "--model", "tiny-rgb", "--quiet", *force)
        assert result.exit_code == 1, result.output
        assert scene.read_bytes() == content


def test_a_scene_larger_than_allowed_is_refused(make_raster, refused, predict, monkeypatch):
    monkeypatch.setenv("ORTHOSCAPE_MAX_SCENE_PX", "10000")
    scene = make_raster()
    assert "--aoi" in refused(scene)
    predict(scene, "--aoi", "700002,6599990,700010,6599998")


def test_a_command_typed_wrongly_exits_2(orthoscape, make_raster):
    assert orthoscape("predict", make_raster()).exit_code == 2
    assert orthoscape("nonsense").exit_code == 2


@pytest.mark.parametrize("nodata", ["-9999", "256", "0.5", "nan", "black"])
def test_a_nodata_that_no_pixel_can_have_is_refused(nodata, make_raster, orthoscape, tmp_path):
    scene = make_raster(pixels=noise(low=0, high=1))
    result = orthoscape(
        "predict", scene, "-o", tmp_path / "map.tif", "--model", "tiny-rgb", "--nodata", nodata
    )
    assert result.exit_code == 2
    assert "0 to 255" in result.output
    assert not (tmp_path / "map.tif").exists()


def test_the_confidence_of_another_map_is_not_taken_for_this_one(make_raster, predict, refused):
    one, two = make_raster("one.tif", pixels=noise(3)), make_raster("two.tif", pixels=noise(3, seed=2))
    predict(one, "--confidence")
    predict(two, "--force")
    assert "map_confidence.tif" in refused(two, "--confidence")
    predict(two, "--confidence", "--force")
    assert "nothing to do" in predict(two, "--confidence").output


def test_a_mark_left_by_a_killed_job_does_not_keep_another_map(make_raster, predict, monkeypatch):
    one, two = make_raster("one.tif", pixels=noise(3)), make_raster("two.tif", pixels=noise(3, seed=2))
    with monkeypatch.context() as patch:
        patch.setattr("service.cli.running.shutil.rmtree", lambda *_args, **_kwargs: None)
        first = predict(one)  # the job's folder stays, as after a kill between the last sheet and the end
    classes_HW = first.classes_HW
    predict(two, "--force")
    again = predict(one, "--force")
    assert (again.classes_HW == classes_HW).all()

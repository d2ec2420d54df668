"""Sheets in a folder: one map where they share a grid, several where they do not."""

import itertools

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine

from tests.cli.conftest import noise

LEFT, TOP, GSD = 700_000.0, 6_600_000.0, 0.2
HEIGHT, WIDTH = 240, 300
ROWS, COLS = (0, 61, 150, HEIGHT), (0, 97, 224, WIDTH)


@pytest.fixture(name="image_CHW", scope="module")
def image():
    return noise(3, HEIGHT, WIDTH, seed=4)


@pytest.fixture
def write_sheets(image_CHW, make_raster, tmp_path):
    """Cut the scene along arbitrary lines; sheets reach ``overlap_px`` beyond them."""

    def write(*, overlap_px=0, leave_out=()):
        folder = tmp_path / "sheets"
        folder.mkdir()
        for row, row_end in itertools.pairwise(ROWS):
            for col, col_end in itertools.pairwise(COLS):
                if (row, col) in leave_out:
                    continue
                top, left = max(row - overlap_px, 0), max(col - overlap_px, 0)
                part_CHW = image_CHW[:, top : row_end + overlap_px, left : col_end + overlap_px]
                make_raster(
                    f"sheets/r{row}_c{col}.tif",
                    pixels=part_CHW,
                    origin=(LEFT + left * GSD, TOP - top * GSD),
                )
        return folder

    return write


@pytest.mark.parametrize("overlap_px", [0, 13])
def test_a_scene_cut_into_files_is_the_scene_whole(
    overlap_px, image_CHW, write_sheets, make_raster, predict, segment_whole
):
    whole = predict(make_raster(pixels=image_CHW), name="whole.tif")
    sheets = predict(write_sheets(overlap_px=overlap_px), name="sheets.tif")
    np.testing.assert_array_equal(sheets.classes_HW, whole.classes_HW)
    np.testing.assert_array_equal(sheets.classes_HW, segment_whole(image_CHW))
    assert sheets.place[1:] == whole.place[1:]
    assert sheets.place[0].almost_equals(whole.place[0], precision=1e-6)


def test_a_missing_sheet_is_nodata(image_CHW, write_sheets, predict, segment_whole):
    sheets = predict(write_sheets(leave_out=[(61, 97)]))
    valid_HW = np.ones((HEIGHT, WIDTH), dtype=bool)
    valid_HW[61:150, 97:224] = False
    np.testing.assert_array_equal(sheets.classes_HW, segment_whole(image_CHW, valid_HW))


def test_files_named_one_by_one_are_the_folder_in_any_order(write_sheets, predict):
    folder = write_sheets()
    by_folder = predict(folder, name="folder.tif")
    by_name = predict(*sorted(folder.iterdir(), reverse=True), name="files.tif")
    np.testing.assert_array_equal(by_name.classes_HW, by_folder.classes_HW)


def test_the_later_of_two_overlapping_sheets_is_used(make_raster, predict, segment_whole):
    old_CHW, new_CHW = noise(seed=1), noise(seed=2)
    old = make_raster("a_2019-06-01.tif", pixels=old_CHW)
    made = predict(old, make_raster("b_2022-06-01.tif", pixels=new_CHW))
    np.testing.assert_array_equal(made.classes_HW, segment_whole(new_CHW))


def test_several_grids_give_several_maps_in_a_folder(
    make_raster, orthoscape, refused, tmp_path, segment_whole
):
    images = {"lambert": noise(seed=1), "utm": noise(seed=2), "shifted": noise(seed=3)}
    (tmp_path / "sheets").mkdir()
    make_raster("sheets/lambert.tif", pixels=images["lambert"])
    make_raster("sheets/utm.tif", pixels=images["utm"], crs="EPSG:32631", origin=(500_000.0, 5_150_000.0))
    make_raster("sheets/shifted.tif", pixels=images["shifted"], origin=(LEFT + 0.1, TOP - 800))
    assert "-o maps/" in refused(tmp_path / "sheets", name="one.tif")
    result = orthoscape(
        "predict", tmp_path / "sheets", "-o", tmp_path / "maps", "--model", "tiny-rgb", "--quiet"
    )
    assert result.exit_code == 0, result.output
    made = sorted(path for path in (tmp_path / "maps").iterdir() if path.suffix == ".tif")
    assert len(made) == 3
    for name, image_CHW in images.items():
        (path,) = [path for path in made if path.stem.endswith(name)]
        with rasterio.open(path) as file, rasterio.open(tmp_path / "sheets" / f"{name}.tif") as source:
            assert (file.transform, file.crs) == (source.transform, source.crs)
            np.testing.assert_array_equal(file.read(1), segment_whole(image_CHW))


def test_a_map_among_its_own_sheets_is_no_sheet(write_sheets, orthoscape, predict):
    folder = write_sheets()
    made = predict(folder, "--confidence", name="sheets/landcover.tif")
    assert "nothing to do" in predict(folder, "--confidence", name="sheets/landcover.tif").output
    again = predict(folder, "--confidence", "--force", name="sheets/landcover.tif")
    assert again.place == made.place
    for path in folder.glob("r*.tif"):
        path.unlink()
    result = orthoscape("predict", folder, "-o", folder / "x.tif", "--model", "tiny-rgb")
    assert result.exit_code == 1
    assert "only maps are there" in result.output


def test_blocks_of_an_interrupted_map_among_its_own_sheets_are_no_sheets(
    write_sheets, orthoscape, predict, monkeypatch
):
    folder = write_sheets()

    def stop(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("service.maps.products.finish_sheet", stop)
        result = orthoscape("predict", folder, "-o", folder / "map.tif", "--model", "tiny-rgb", "--quiet")
    assert result.exit_code == 130
    made = predict(folder, name="sheets/map.tif")
    assert "resumed" in made.output
    assert made.valid_HW.all()


def test_one_unusable_sheet_refuses_the_whole_folder(write_sheets, make_raster, refused):
    folder = write_sheets()
    make_raster("sheets/z.tif", dtype="uint16")
    assert "z.tif" in refused(folder)


def test_maps_of_files_of_one_name_get_names_of_their_own(make_raster, orthoscape, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    scenes = [
        make_raster(name, origin=(LEFT + 9000 * number, TOP), shape=(3, 40, 50))
        for number, name in enumerate(["one/a.tif", "a_3.tif", "two/a.tif"])
    ]
    result = orthoscape("predict", *scenes, "-o", tmp_path / "maps", "--model", "tiny-rgb", "--quiet")
    assert result.exit_code == 0, result.output
    made = sorted(path.name for path in (tmp_path / "maps").glob("*.tif"))
    assert made == ["landcover_a.tif", "landcover_a_3.tif", "landcover_a_3_3.tif"]


def test_no_sheet_is_resampled_that_its_own_map_would_keep(make_raster, orthoscape, tmp_path, segment_whole):
    """Off by 0.008 px and drifting by 0.008 px more: on the first one's grid it would be resampled."""
    images = {"a": noise(seed=1), "b": noise(seed=2)}
    drifting = Affine(GSD * (1 + 0.008 / 120), 0, LEFT + (120 + 0.008) * GSD, 0, -GSD, TOP)
    scenes = [
        make_raster("a.tif", pixels=images["a"]),
        make_raster("b.tif", pixels=images["b"], transform=drifting),
    ]
    result = orthoscape("predict", *scenes, "-o", tmp_path / "maps", "--model", "tiny-rgb", "--quiet")
    assert result.exit_code == 0, result.output
    for name, image_CHW in images.items():
        with rasterio.open(tmp_path / "maps" / f"landcover_{name}.tif") as file:
            np.testing.assert_array_equal(file.read(1), segment_whole(image_CHW))


def test_one_crs_spelt_in_two_ways_gives_one_map(make_raster, predict, segment_whole):
    image_CHW = noise()
    plain = CRS.from_epsg(2154).to_wkt(version="WKT1_ESRI")
    scenes = [
        make_raster("a.tif", pixels=image_CHW[:, :, :70]),
        make_raster("b.tif", pixels=image_CHW[:, :, 70:], origin=(LEFT + 70 * GSD, TOP), crs=plain),
    ]
    np.testing.assert_array_equal(predict(*scenes).classes_HW, segment_whole(image_CHW))

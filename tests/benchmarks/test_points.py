"""Points labelled by eye are what they say, and shares on them are counted right."""

import math

import numpy as np
import pytest
import rasterio
from PIL import Image

from benchmarks.point_maps import Refused, make_map, on_pixels_of
from benchmarks.point_rasters import RASTERS, LabelledRaster
from benchmarks.point_shares import wilson_interval
from benchmarks.point_sheets import CELL_PX, LABEL_PX, draw_sheets, spans
from benchmarks.points import (
    GROUPS,
    NUM_POINTS,
    READINGS,
    Point,
    PointsInvalid,
    accuracy,
    read_all,
    read_points,
    to_markdown,
)
from models.nomenclature import COSIA

HEADER = "# seed: 20160620\n# drawn: 3\n# redrawn: 2\nrow,col,values,sure\n"


def point(row, col, *values, is_sure=True):
    return Point(row=row, col=col, values=frozenset(values), is_sure=is_sure)


# Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-SIM777>3.0.CO;2-E, table I, method 3.
@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_is_the_published_one(hits, total, low, high):
    assert wilson_interval(hits, total) == pytest.approx((low, high), abs=5e-5)


def test_nothing_counted_may_be_any_share():
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "total"), [(0, 7), (7, 7), (3, 7)])
def test_wilsons_interval_is_the_same_seen_from_the_misses(hits, total):
    low, high = wilson_interval(hits, total)
    assert wilson_interval(total - hits, total) == pytest.approx((1 - high, 1 - low))


def test_groups_are_a_partition_within_the_cover_groups():
    assert sorted(value for values in GROUPS.values() for value in values) == list(range(16))
    for values in GROUPS.values():
        assert len({COSIA.grouping("cover").group_of(value).key for value in values}) == 1


def test_a_file_is_read(tmp_path):
    path = tmp_path / "place.csv"
    path.write_text(HEADER + "4,7,12;13,yes\n0,1,0;3,no\n")
    labelled = read_points(path)
    assert labelled.points == (point(4, 7, 12, 13), point(0, 1, 0, 3, is_sure=False))
    assert (labelled.stem, labelled.num_drawn, labelled.redrawn) == ("place", 3, (2,))
    assert [labelled.points[0].group, labelled.points[1].group] == ["trees", None]
    assert [labelled.points[0].cover, labelled.points[1].cover] == ["vegetation", "mineral"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEADER + "4,7,12;16,yes\n0,1,0,no\n", "12;16"),
        (HEADER + "4,7,13;12,yes\n0,1,0,no\n", "13;12"),
        (HEADER + "4,7,,yes\n0,1,0,no\n", "invalid literal"),
        (HEADER + "4,7,12,perhaps\n0,1,0,no\n", "perhaps"),
        (HEADER + "-1,7,12,yes\n0,1,0,no\n", "outside"),
        (HEADER + "4,7,12,yes\n4,7,0,no\n", "twice"),
        (HEADER + "4,7,12,yes\n", "1 points of 3 drawn and 1 redrawn"),
        (HEADER.replace("20160620", "1") + "4,7,12,yes\n0,1,0,no\n", "seed 1"),
        ("row,col,values,sure\n4,7,12,yes\n", "seed"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, text, reason):
    path = tmp_path / "place.csv"
    path.write_text(text)
    with pytest.raises(PointsInvalid, match=reason):
        read_points(path)


def test_a_later_reading_counts_from_where_the_earlier_one_ended(tmp_path):
    path = tmp_path / "place.csv"
    path.write_text(
        "# before: 40\n" + HEADER.replace("drawn: 3", "drawn: 43").replace("redrawn: 2", "redrawn: 42")
    )
    path.write_text(path.read_text() + "4,7,12,yes\n0,1,0,no\n")
    labelled = read_points(path)
    assert (labelled.num_before, labelled.num_drawn, len(labelled.points)) == (40, 43, 2)


@pytest.mark.parametrize("reading", READINGS)
def test_every_raster_has_its_points(reading):
    labelled = read_all(reading)
    assert len(labelled) == 9
    assert {len(of_raster.points) for of_raster in labelled.values()} == {NUM_POINTS}


def test_shares_are_counted_by_group_by_cover_and_by_value():
    classes_HW = np.array([[0, 3, 8, 13, 255, 6]], dtype=np.uint8)
    points = [
        point(0, 0, 0),  # right in all
        point(0, 1, 0),  # ground for a building: right in cover alone
        point(0, 2, 5, 8),  # of no group and of no cover, right by value
        point(0, 3, 12),  # another tree: right by group and cover
        point(0, 4, 12, 14),  # of no group; not mapped, so wrong
        point(0, 5, 0, is_sure=False),  # not counted
    ]
    found = accuracy(points, classes_HW)
    assert found.confusion == {
        ("building", "building"): 1,
        ("building", "ground"): 1,
        ("trees", "trees"): 1,
    }
    assert (found.groups.hits, found.groups.total) == (2, 3)
    assert (found.cover.hits, found.cover.total) == (3, 4)
    assert (found.values.hits, found.values.total) == (2, 5)
    assert (found.of_group("building").hits, found.of_group("building").total) == (1, 2)
    assert math.isnan(found.of_group("water").share)
    assert found.mean_of_groups == pytest.approx((1 / 2 + 1) / 2)


def test_rasters_pool_by_adding_their_points():
    trees_HW = np.full((1, 2), 12, dtype=np.uint8)
    pooled = accuracy([point(0, 0, 12)], trees_HW) + accuracy([point(0, 0, 6), point(0, 1, 6)], trees_HW)
    assert (pooled.groups.hits, pooled.groups.total) == (1, 3)
    assert str(pooled.groups) == "33% [6%, 79%] of 3"


def test_an_unmapped_point_is_a_miss_of_its_group():
    found = accuracy([point(0, 0, 6)], np.full((1, 1), 255, dtype=np.uint8))
    assert (found.groups.hits, found.groups.total) == (0, 1)
    assert (found.cover.hits, found.cover.total) == (0, 1)


def test_the_table_says_what_is_right_and_what_is_taken_for_what():
    found = accuracy([point(0, 0, 12), point(0, 1, 13)], np.array([[13, 14]], dtype=np.uint8))
    cells = {
        line.split(" | ")[0].removeprefix("| "): line.strip("| ").split(" | ")[1:]
        for line in to_markdown(found).splitlines()
    }
    assert cells["trees"] == ["50% [9%, 91%] of 2", "0", "0", "0", "1", "1", "0"]
    assert cells["water"] == ["-", "0", "0", "0", "0", "0", "0"]
    assert cells["cover"][0] == "100% [34%, 100%] of 2"


@pytest.mark.parametrize("gsd", [0.1, 0.2, 0.4])
def test_a_map_of_other_pixels_is_read_at_the_centres_of_the_rasters_own(make_raster, gsd):
    source = make_raster("source.tif", shape=(1, 20, 30), gsd=0.2)
    across = round(6 / gsd)
    pixels = np.repeat([[np.arange(across) * gsd // 2]], round(4 / gsd), axis=1).astype(np.uint8)
    landcover = make_raster("landcover.tif", pixels=pixels, gsd=gsd)
    with rasterio.open(source) as raster, rasterio.open(landcover) as mapped:
        classes_HW = on_pixels_of(raster, mapped)
    assert (classes_HW == np.repeat([0, 1, 2], 10)).all()


def test_a_raster_in_files_of_one_band_is_mapped_as_one(make_raster, tmp_path):
    names = tuple(f"band{number}.tif" for number in range(4))
    for seed, name in enumerate(names):
        make_raster(name, shape=(1, 64, 80), seed=seed)
    made = make_map(LabelledRaster(stem="place", files=names, is_rgbi=True), tmp_path, tmp_path, model=None)
    assert made.classes_HW.shape == (64, 80)
    assert made.classes_HW.max() < 16
    assert "nir" in made.notes[0]


def test_a_raster_that_cannot_be_mapped_says_why(make_raster, tmp_path):
    make_raster("place.tif", gsd=30)
    with pytest.raises(Refused, match="give a finer orthophoto"):
        make_map(LabelledRaster(stem="place", files=("place.tif",)), tmp_path, tmp_path, model=None)


def test_a_draw_keeps_to_the_data_and_a_longer_one_begins_with_it(make_raster, tmp_path):
    has_data_HW = np.zeros((40, 50), dtype=bool)
    has_data_HW[:, 30:] = True
    make_raster("place.tif", shape=(3, 40, 50), nodata=0, mask_HW=has_data_HW, mask_kind="nodata")
    raster = LabelledRaster(stem="place", files=("place.tif",))
    drawn = raster.draw(tmp_path, 100)
    assert len(set(drawn)) == 100
    assert all(has_data_HW[place] for place in drawn)
    assert raster.draw(tmp_path, 20) == drawn[:20]
    assert LabelledRaster(stem="other", files=("place.tif",)).draw(tmp_path, 20) != drawn[:20]


def test_the_pixel_itself_is_left_visible_on_the_sheet(make_raster, tmp_path):
    pixels = np.full((4, 90, 90), 60, dtype=np.uint8)
    pixels[:, :5] = 250
    pixels[:, 50, 40] = 250
    make_raster("place.tif", pixels=pixels)
    raster = LabelledRaster(stem="place", files=("place.tif",), is_rgbi=True)
    _, sheet = draw_sheets(raster, tmp_path, [(50, 40)], tmp_path)
    with Image.open(sheet) as image:
        close_HWC = np.asarray(image)[LABEL_PX:, CELL_PX : 2 * CELL_PX]
    side_px = CELL_PX // spans(raster.resolution(tmp_path))[1]
    for line, colour in enumerate(((255, 0, 255), (0, 255, 255))):
        view_HWC = close_HWC[line * CELL_PX : (line + 1) * CELL_PX]
        white_HW, cross_HW = ((view_HWC == wanted).all(axis=2) for wanted in ((255, 255, 255), colour))
        assert white_HW.sum() >= side_px**2  # all of the pixel
        assert np.argwhere(cross_HW).mean(axis=0) == pytest.approx(np.argwhere(white_HW).mean(axis=0), abs=1)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("raster", RASTERS, ids=lambda raster: raster.stem)
def test_points_are_the_draw_without_those_redrawn(raster, reading, real_data):
    for name in raster.files:
        folder = real_data(name).parents[1]
    labelled = read_all(reading)[raster.stem]
    drawn = dict(enumerate(raster.draw(folder, labelled.num_drawn), start=1))
    left_out = {*range(1, labelled.num_before + 1), *labelled.redrawn}
    kept = [place for number, place in drawn.items() if number not in left_out]
    assert [(of_raster.row, of_raster.col) for of_raster in labelled.points] == kept
    assert all(raster.has_data(folder)[place] for place in kept)

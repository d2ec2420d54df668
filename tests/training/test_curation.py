"""Orthophotos and annotations become patches, each on its own ground, each in one split, told in a table."""

import csv
import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pyproj
import pytest
import rasterio
import shapely
from click.testing import CliRunner
from tiny_orthos import (
    GSD_M,
    LEFT_M,
    TOP_M,
    truth,
    write_cosia,
    write_labels,
    write_ortho,
    write_vector,
)

from models.errors import RemediedError
from models.nomenclature import COSIA
from service.rasters.windows import Window
from training.curation import cli
from training.curation.commands import curate
from training.curation.cutting import windows_of
from training.curation.domains import domain_of
from training.curation.ground import block_at, blocks_under, widened
from training.curation.request import Cut, Request, Splitting
from training.curation.sheets import find_sheets
from training.data.orthos import Reading

PATCH_PX = 64
GUARD_M = 5.0
TRUTH_HW = truth(shape=(384, 700))
SHEETS = {
    "33-2024-0410-6425-LA93-0M20.tif": 0.0,
    "33-2024-0411-6425-LA93-0M20.tif": 300 * GSD_M,  # overlaps its neighbour
    "33-2021-0410-6425-LA93-0M20.tif": 77.4 * GSD_M,  # the same ground at another date, off the grid
}


def rows_of(out):
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ground_of(row):
    return shapely.box(*(float(row[side]) for side in ("left", "bottom", "right", "top")))


def bytes_of(out):
    return {path.relative_to(out): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Three overlapping sheets of two dates, and polygons of all their ground."""
    place = tmp_path_factory.mktemp("territory")
    for name, left in SHEETS.items():
        write_ortho(
            place / "orthos" / name, truth(shape=(384, 400)), left_m=LEFT_M + left, noise_seed=len(name)
        )
    return Request(
        orthos=(place / "orthos",),
        labels=((None, write_cosia(place / "cosia.gpkg", TRUTH_HW)),),
        out=place / "set",
        cut=Cut(patch_px=PATCH_PX, stride_px=PATCH_PX),
        splitting=Splitting(shares=(50, 25, 25), block_m=40.0, guard_m=GUARD_M, seed=1),
        licence="etalab-2.0",
        credit="IGN.",
    )


@pytest.fixture(scope="module")
def made(asked):
    return curate(asked)


def least_distance(rows):
    """Between patches of two splits, in metres of Lambert-93."""
    by_split = {
        split: shapely.union_all([ground_of(row) for row in rows if row["split"] == split])
        for split in ("train", "validation", "test")
    }
    assert not any(ground.is_empty for ground in by_split.values())
    return min(one.distance(other) for one, other in combinations(by_split.values(), 2))


def test_no_ground_is_in_two_splits_whichever_sheet_and_date_shows_it(made):
    rows = rows_of(made.out)
    assert {row["domain"] for row in rows} == {"D033_2021", "D033_2024"}
    assert least_distance(rows) >= GUARD_M
    zones = {(row["zone"], row["split"]) for row in rows}
    assert len(zones) == len({zone for zone, _ in zones})


def test_a_domain_does_not_show_ground_twice(made):
    assert made.summary.left_out["other sheet"] > 0
    for domain in ("D033_2021", "D033_2024"):
        grounds = [ground_of(row) for row in rows_of(made.out) if row["domain"] == domain]
        for one, other in combinations(grounds, 2):
            assert one.intersection(other).area <= 0.5 * one.area + 1e-6


def test_pixels_lie_where_they_lay(made, asked):
    row = next(row for row in rows_of(made.out) if row["domain"] == "D033_2021")
    with (
        rasterio.open(made.out / row["image"]) as image,
        rasterio.open(made.out / row["labels"]) as labels,
        rasterio.open(asked.orthos[0] / row["source"]) as source,
    ):
        assert tuple(image.bounds) == pytest.approx(
            [float(row[s]) for s in ("left", "bottom", "right", "top")]
        )
        assert np.array_equal(image.read(), source.read(window=source.window(*image.bounds)))
        assert image.crs == labels.crs == source.crs
        assert image.transform == labels.transform
        assert image.descriptions == ("red", "green", "blue", "nir")
        assert (labels.dtypes[0], labels.nodata, labels.compression.name) == ("uint8", 255, "deflate")
        assert labels.colormap(1)[6] == COSIA.palette()[6]
        assert labels.colormap(1)[255][3] == 0


def test_labels_are_those_of_the_polygon_under_the_middle_of_a_pixel(made):
    for row in rows_of(made.out)[:12]:
        with rasterio.open(made.out / row["labels"]) as file:
            labels_HW, transform = file.read(1), file.transform
        rows, cols = np.mgrid[:PATCH_PX, :PATCH_PX] + 0.5
        xs, ys = transform * (cols, rows)
        there = np.floor((TOP_M - ys) / GSD_M).astype(int), np.floor((xs - LEFT_M) / GSD_M).astype(int)
        assert np.array_equal(labels_HW, TRUTH_HW[there])
        for value in (0, 6, 12):
            slug = {0: "building", 6: "water", 12: "deciduous"}[value]
            assert float(row[f"share_{slug}"]) == pytest.approx((labels_HW == value).mean(), abs=1e-6)


def test_a_class_raster_of_another_grid_gives_the_nearest_class(asked, tmp_path):
    coarse_HW = truth(shape=(200, 200), values=range(16))
    place = {"gsd_m": 0.5, "left_m": LEFT_M - 3.3, "top_m": TOP_M + 1.7}
    labels = write_labels(tmp_path / "labels.tif", coarse_HW, **place)
    made = curate(replace(asked, labels=((None, labels),), out=tmp_path / "set"))
    for row in rows_of(made.out)[:8]:
        with rasterio.open(made.out / row["labels"]) as file:
            labels_HW, transform = file.read(1), file.transform
        rows, cols = np.mgrid[:PATCH_PX, :PATCH_PX] + 0.5
        xs, ys = transform * (cols, rows)
        row_there = np.floor((place["top_m"] - ys) / 0.5).astype(int)
        col_there = np.floor((xs - place["left_m"]) / 0.5).astype(int)
        is_inside = (row_there < 200) & (col_there < 200)
        expected_HW = np.where(
            is_inside, coarse_HW[np.minimum(row_there, 199), np.minimum(col_there, 199)], 255
        )
        assert np.array_equal(labels_HW, expected_HW)


def test_the_same_seed_gives_the_same_bytes_and_another_other_splits(made, asked, tmp_path):
    again = curate(replace(asked, out=tmp_path / "set"))
    assert bytes_of(again.out) == bytes_of(made.out)
    splitting = replace(asked.splitting, seed=2)
    other = {
        row["id"]: row["split"]
        for row in rows_of(curate(replace(asked, out=tmp_path / "o", splitting=splitting)).out)
    }
    before = {row["id"]: row["split"] for row in rows_of(made.out)}
    assert {each for each in set(other) & set(before) if other[each] != before[each]}


class Stopped(Exception):
    pass


def test_a_set_that_was_stopped_goes_on_where_it_was(made, asked, tmp_path):
    out = tmp_path / made.out.name
    seen = []

    def stop(sheet, _done, _of):
        seen.append(sheet)
        if len(set(seen)) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        curate(replace(asked, out=out), tell=stop)
    assert not (out / "catalog.json").exists()
    (out / ".r00000.x.part.tif").touch()  # as a kill leaves it
    again = []
    curate(replace(asked, out=out), tell=lambda sheet, *_: again.append(sheet))
    assert seen[0] not in again
    assert bytes_of(out) == bytes_of(made.out)
    curate(replace(asked, out=out), tell=lambda *_: pytest.fail("nothing is left to do"))
    assert bytes_of(out) == bytes_of(made.out)


def test_nothing_is_mixed_into_a_folder_that_was_made_otherwise(made, asked, tmp_path):
    with pytest.raises(RemediedError, match="its cut differ"):
        curate(replace(asked, out=made.out, cut=replace(asked.cut, min_labelled=0.9)))
    (tmp_path / "mine.txt").touch()
    with pytest.raises(RemediedError, match="is not empty"):
        curate(replace(asked, out=tmp_path))


def test_files_that_went_away_are_missed(asked, tmp_path):
    out = curate(replace(asked, out=tmp_path / "set")).out
    (out / rows_of(out)[0]["labels"]).unlink()
    with pytest.raises(RemediedError, match="is not the file that was written"):
        curate(replace(asked, out=out))


def test_outlines_tell_the_splits_on_a_map(made):
    content = json.loads((made.out / "patches.geojson").read_text(encoding="utf-8"))
    to_lambert = pyproj.Transformer.from_crs(4326, 2154, always_xy=True)
    told = {feature["properties"]["id"]: feature for feature in content["features"]}
    rows = rows_of(made.out)
    assert set(told) == {row["id"] for row in rows}
    for row in rows:
        shape = shapely.geometry.shape(told[row["id"]]["geometry"])
        placed = shapely.transform(shape, to_lambert.transform, interleaved=False)
        assert placed.symmetric_difference(ground_of(row)).area < 0.01 * ground_of(row).area
        assert told[row["id"]]["properties"]["split"] == row["split"]


def test_areas_say_whose_ground_it_is(asked, tmp_path):
    middle = LEFT_M + 60.0
    west = shapely.box(LEFT_M, TOP_M - 80, middle, TOP_M)
    east = shapely.box(middle, TOP_M - 80, LEFT_M + 110, TOP_M)
    areas = write_vector(
        tmp_path / "areas.gpkg", [west, east], {"Split": np.array(["Train", "val"], dtype=object)}
    )
    made = curate(replace(asked, out=tmp_path / "set", splitting=Splitting(areas=areas, guard_m=GUARD_M)))
    for row in rows_of(made.out):
        area = {"train": west, "validation": east}[row["split"]]
        other = {"train": east, "validation": west}[row["split"]]
        assert area.buffer(1e-6).covers(ground_of(row))
        assert ground_of(row).distance(other) >= GUARD_M - 1e-6
    assert made.summary.left_out["no area"] > 0
    assert any("test has no patch: give it larger areas" in each for each in made.summary.warnings)
    assert not any("--block-m" in each or "--seed" in each for each in made.summary.warnings)


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"use": ["train"]}, "has the fields use, not split"), ({"split": ["learn"]}, "split is 'learn'")],
)
def test_areas_that_say_nothing_are_refused(asked, tmp_path, fields, said):
    told = {name: np.array(values, dtype=object) for name, values in fields.items()}
    areas = write_vector(tmp_path / "areas.gpkg", [shapely.box(0, 0, 1, 1)], told)
    with pytest.raises(RemediedError, match=said):
        curate(replace(asked, out=tmp_path / "set", splitting=Splitting(areas=areas)))


def test_sheets_of_two_reference_systems_share_one_partition(asked, tmp_path):
    left, top = pyproj.Transformer.from_crs(2154, 32631, always_xy=True).transform(LEFT_M, TOP_M)
    write_ortho(
        tmp_path / "o" / "D033_2020" / "a.tif",
        truth(shape=(384, 400)),
        left_m=left,
        top_m=top,
        crs="EPSG:32631",
    )
    both = (*asked.orthos, tmp_path / "o")
    rows = rows_of(curate(replace(asked, orthos=both, out=tmp_path / "set")).out)
    assert {row["crs"] for row in rows} == {"EPSG:2154", "EPSG:32631"}
    to_lambert = pyproj.Transformer.from_crs(32631, 2154, always_xy=True)
    grounds = [
        (row["split"], ground_of(row))
        if row["crs"] == "EPSG:2154"
        else (row["split"], shapely.transform(ground_of(row), to_lambert.transform, interleaved=False))
        for row in rows
    ]
    whole = {split: shapely.union_all([g for its, g in grounds if its == split]) for split, _ in grounds}
    assert len(whole) == 3
    assert min(one.distance(other) for one, other in combinations(whole.values(), 2)) >= GUARD_M - 0.01


def test_another_ground_resolution_is_resampled_from_the_origin_of_the_reference_system(asked, tmp_path):
    made = curate(
        replace(asked, out=tmp_path / "set", reading=Reading(gsd_m=0.25), cut=Cut(patch_px=64, stride_px=64))
    )
    for row in rows_of(made.out):
        assert float(row["gsd_m"]) == 0.25
        assert float(row["left"]) / 0.25 == pytest.approx(round(float(row["left"]) / 0.25), abs=1e-6)
        with (
            rasterio.open(made.out / row["image"]) as image,
            rasterio.open(made.out / row["labels"]) as labels,
        ):
            assert image.res == labels.res == (0.25, 0.25)
            assert image.read().any(axis=0).mean() > 0.9
    with pytest.raises(RemediedError, match="invented"):
        curate(replace(asked, out=tmp_path / "fine", reading=Reading(gsd_m=0.1)))


def test_metres_of_mercator_are_not_the_grounds(asked, tmp_path):
    to_mercator = pyproj.Transformer.from_crs(2154, 3857, always_xy=True)
    left, top = to_mercator.transform(LEFT_M, TOP_M)
    place = {"left_m": left, "top_m": top, "gsd_m": 0.3, "crs": "EPSG:3857"}  # 0.2 m on the ground there
    write_ortho(tmp_path / "o" / "a.tif", truth(shape=(384, 400)), **place)
    made = curate(replace(asked, orthos=(tmp_path / "o",), out=tmp_path / "set", reading=Reading(gsd_m=0.25)))
    geod, to_degrees = pyproj.Geod(ellps="WGS84"), pyproj.Transformer.from_crs(3857, 4326, always_xy=True)
    rows = rows_of(made.out)
    for row in rows:
        bounds = ground_of(row).bounds
        lons, lats = to_degrees.transform([bounds[0], bounds[2]], [bounds[1], bounds[1]])
        _, _, wide_m = geod.inv(lons[0], lats[0], lons[1], lats[1])
        assert wide_m == pytest.approx(PATCH_PX * 0.25, rel=2e-3)
    to_lambert = pyproj.Transformer.from_crs(3857, 2154, always_xy=True)
    grounds = [shapely.transform(ground_of(row), to_lambert.transform, interleaved=False) for row in rows]
    assert len({row["split"] for row in rows}) > 1
    for (one, row), (other, its) in combinations(zip(grounds, rows, strict=True), 2):
        assert row["split"] == its["split"] or one.distance(other) >= GUARD_M - 0.01


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shares", "70,30"], "is not three numbers"),
        (["--shares", "0,50,50"], "training has some"),
        (["--nodata", "black"], "is no grey level"),
        (["--bands", "R,G"], "missing bands: blue"),
        (["--patch-px", "4096"], "--patch-px 384"),
    ],
)
def test_the_command_says_what_it_does_not_understand(asked, tmp_path, words, said):
    labels = asked.labels[0][1]
    given = [str(asked.orthos[0]), "--labels", str(labels), "--out", str(tmp_path / "set"), *words]
    result = CliRunner().invoke(cli.curate, given)
    assert result.exit_code != 0
    assert said in result.output, result.output


def test_where_an_orthophoto_is_blank_there_is_no_label(asked, tmp_path):
    write_ortho(tmp_path / "o" / "a.tif", truth(shape=(256, 256)), blank_rows=20)
    made = curate(
        replace(asked, orthos=(tmp_path / "o",), domains=(("D001_2020", None),), out=tmp_path / "set")
    )
    row = next(row for row in rows_of(made.out) if "_r00000_" in row["id"])
    with rasterio.open(made.out / row["labels"]) as labels, rasterio.open(made.out / row["image"]) as image:
        assert (labels.read(1)[:20] == 255).all()
        assert (labels.read(1)[20:] != 255).all()
        assert image.nodata == 0
    assert float(row["labelled_share"]) == pytest.approx(44 / 64)


def test_classes_that_a_split_lacks_are_named(asked, tmp_path):
    classes_HW = np.zeros((384, 400), dtype=np.uint8)
    classes_HW[:64, :64] = 11
    write_ortho(tmp_path / "o" / "b.tif", classes_HW)
    labels = write_cosia(tmp_path / "c.gpkg", classes_HW)
    made = curate(
        replace(
            asked,
            orthos=(tmp_path / "o",),
            labels=((None, labels),),
            out=tmp_path / "set",
            licence="other",
            credit="",
        )
    )
    said = "\n".join(made.summary.lines())
    assert "no pixel of vineyard" in said
    assert "on which terms" in said
    assert said in (made.out / "README.md").read_text(encoding="utf-8")


def test_labels_may_be_of_one_domain(asked, tmp_path):
    other = write_labels(tmp_path / "2021.tif", np.full((384, 700), 3, dtype=np.uint8))
    made = curate(replace(asked, labels=(*asked.labels, ("D033_2021", other)), out=tmp_path / "set"))
    for row in rows_of(made.out):
        assert (float(row["share_impervious_surface"]) == 1) == (row["domain"] == "D033_2021")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cut": Cut(patch_px=1024, stride_px=1024)}, "the largest has 384"),
        ({"labels": (("D077_2020", "cosia.gpkg"),)}, "no orthophoto is of D077_2020"),
        ({"domains": (("D077_2020", "elsewhere"),)}, "none of the orthophotos lies there"),
        ({"labels": (("D033_2021", "cosia.gpkg"),)}, "no labels are given for D033_2024"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(asked, tmp_path, change, said):
    here = asked.orthos[0].parent
    placed = {
        name: tuple((key, here / path) for key, path in value) if name != "cut" else value
        for name, value in change.items()
    }
    with pytest.raises(RemediedError, match=said):
        curate(replace(asked, out=tmp_path / "set", **placed))
    assert not (tmp_path / "set").exists()


def test_labels_that_lie_elsewhere_and_bands_that_differ_are_refused(asked, tmp_path):
    away = write_labels(tmp_path / "away.tif", truth(shape=(64, 64)), left_m=LEFT_M + 9000)
    with pytest.raises(RemediedError, match=r"none is left: .* too few labels"):
        curate(replace(asked, labels=((None, away),), out=tmp_path / "set"))
    tight = replace(asked, out=tmp_path / "set", splitting=replace(asked.splitting, guard_m=500.0))
    with pytest.raises(RemediedError, match="larger blocks"):
        curate(tight)
    assert list((tmp_path / "set").iterdir()) == []  # another request may have the folder
    write_ortho(tmp_path / "o" / "rgb.tif", truth(shape=(128, 128)), num_bands=3)
    both = replace(asked, orthos=(*asked.orthos, tmp_path / "o"), out=tmp_path / "both")
    with pytest.raises(RemediedError, match="--without-nir"):
        curate(both)
    rows = rows_of(curate(replace(both, with_nir=False)).out)
    assert {row["bands"] for row in rows} == {"red green blue"}


@pytest.mark.parametrize("wrong", [{"patch_px": 8}, {"min_labelled": 0}])
def test_sizes_and_shares_are_checked(wrong):
    with pytest.raises(RemediedError):
        Cut(**wrong)
    for shares in ((0, 1, 1), (1, -1, 1)):
        with pytest.raises(RemediedError):
            Splitting(shares=shares)


@pytest.mark.parametrize(
    ("path", "date", "key"),
    [
        ("x/33-2024-0410-6425-LA93-0M20-E080.jp2", None, "D033_2024"),
        ("x/2A-2022-1190-6110-LA93-0M20-E080.jp2", None, "D02A_2022"),
        ("x/974-2022-0310-7660-RGR92-0M20-E080.jp2", None, "D974_2022"),
        ("BDORTHO_2-0_RVB-0M20_JP2-E080_LAMB93_D033_2024-01-01/a.jp2", None, "D033_2024"),
        ("lille-2019/a.tif", "2020-05-01", "lille_2019"),
        ("lille est/a.tif", "2020-05-01", "lille-est_2020"),
        ("lille/a.tif", None, "lille_undated"),
    ],
)
def test_domains_are_read_of_names_and_folders(tmp_path, path, date, key):
    assert domain_of(tmp_path / path, date=date).key == key
    told = (("D001_1999", tmp_path / "elsewhere"), ("D002_2000", None))
    assert domain_of(tmp_path / path, date=date, told=told).key == "D002_2000"


def test_sheets_of_one_name_keep_apart_and_from_one_that_is_numbered_itself(asked, tmp_path):
    """Under one name the second would be taken for cut already, and its ground be missing without a word."""
    for number, name in enumerate(("a/x.tif", "b/x.tif", "c/x-2.tif")):
        left_m = LEFT_M + 128 * number * GSD_M
        write_ortho(tmp_path / "o" / name, truth(shape=(128, 128)), left_m=left_m)
    told = replace(asked, orthos=(tmp_path / "o",), domains=(("D001_2020", None),), out=tmp_path / "set")
    names = {
        sheet.ortho.path.relative_to(tmp_path / "o").as_posix(): sheet.name for sheet in find_sheets(told)
    }
    assert names == {"a/x.tif": "x", "b/x.tif": "x-2", "c/x-2.tif": "x-2-2"}


def test_patches_cover_an_orthophoto_from_its_corner_on():
    cut = Cut(patch_px=64, stride_px=64)
    cols = sorted({window.col_off for window in windows_of(Window(10, 0, 64 * 3 + 31, 64), cut)})
    assert cols == [10, 74, 138]
    cols = sorted({window.col_off for window in windows_of(Window(0, 0, 64 * 3 + 32, 64), cut)})
    assert cols == [0, 64, 128, 160]
    assert windows_of(Window(0, 0, 63, 200), cut) == []


@pytest.mark.parametrize("place", [(2.35, 48.86), (-61.5, 16.2), (-0.0001, 0.0001), (55.5, -21.1)])
def test_blocks_are_squares_of_the_side_asked_for_and_a_box_knows_all_it_touches(place):
    lon, lat = place
    geod = pyproj.Geod(ellps="WGS84")
    box = widened((lon, lat, lon, lat), 300.0)
    _, _, wide = geod.inv(box[0], lat, box[2], lat)
    _, _, high = geod.inv(lon, box[1], lon, box[3])
    assert 600 <= wide <= 606
    assert 600 <= high <= 606
    rng = np.random.default_rng(0)
    inside = rng.uniform(box[:2], box[2:], (200, 2))
    assert {block_at(*point, side_m=100.0) for point in inside} <= set(blocks_under(box, side_m=100.0))
    assert 36 <= len(blocks_under(box, side_m=100.0)) <= 64


def test_the_note_tells_inputs_by_their_bytes_and_no_path(made, asked):
    note = json.loads((made.out / "curation.json").read_text(encoding="utf-8"))
    assert str(asked.orthos[0].parent) not in (made.out / "curation.json").read_text(encoding="utf-8")
    assert [each["domain"] for each in note["orthos"]] == ["D033_2021", "D033_2024", "D033_2024"]
    assert note["annotations"][0]["file"] == "cosia.gpkg"

"""Splits are by ground: none is in two of them, whichever sheet, date and reference system shows it."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pyproj
import pytest
import shapely
from curated_territory import GUARD_M, PATCH_PX, bytes_of, ground_of, least_distance, rows_of
from tiny_orthos import LEFT_M, TOP_M, truth, write_cosia, write_ortho, write_vector

from models.errors import RemediedError
from training.curation.areas import Areas
from training.curation.commands import curate
from training.curation.request import Splitting
from training.data.ground import block_at, blocks_under, widened
from training.data.orthos import Reading


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


@pytest.mark.parametrize("crs", ["EPSG:2154", "EPSG:4326", "EPSG:32631", "EPSG:3857"])
@pytest.mark.parametrize(("guard", "num_each"), [(0.0, 48), (5.0, 40)])
def test_no_patch_is_lost_along_edges_of_areas_in_whichever_reference_system(crs, guard, num_each):
    side = 64 * 0.2
    bounds = [
        (round(LEFT_M + col * side, 6), round(TOP_M - (row + 1) * side, 6),
         round(LEFT_M + (col + 1) * side, 6), round(TOP_M - row * side, 6))
        for row in range(8) for col in range(12)
    ]  # fmt: skip
    halves = [
        shapely.box(LEFT_M + first * side, TOP_M - 8 * side, LEFT_M + (first + 6) * side, TOP_M)
        for first in (0, 6)
    ]
    to_areas = pyproj.Transformer.from_crs(2154, crs, always_xy=True)
    drawn = shapely.transform(shapely.segmentize(halves, 50.0), to_areas.transform, interleaved=False)
    areas = Areas(polygons=tuple(drawn), splits=("train", "test"), crs=crs)
    told = areas.among(pyproj.CRS(2154).to_wkt()).splits_of(bounds, guard=guard)
    assert (told.count("train"), told.count("test")) == (num_each, num_each)
    grounds = {
        split: [box for box, its in zip(bounds, told, strict=True) if its == split] for split in set(told)
    }
    apart = min(
        shapely.box(*one).distance(shapely.box(*other))
        for one in grounds["train"]
        for other in grounds["test"]
    )
    assert apart >= guard


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

"""The catalogue of a set is STAC 1.1 by its own schemas, its links lead on, its items lie on patches."""

import csv
import hashlib
import json

import pytest
import rasterio
import shapely
from rasterio.warp import transform_bounds
from tiny_orthos import LEFT_M, truth, write_cosia, write_ortho

from models.nomenclature import COSIA
from tests.stac_schemas import stac_validators
from training.curation.commands import curate
from training.curation.request import Cut, Request, Splitting
from training.curation.times import item_times


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    place = tmp_path_factory.mktemp("territory")
    classes_HW = truth(shape=(256, 384), values=range(16))
    write_ortho(place / "orthos" / "33-2024-0410-6425-LA93-0M20.tif", classes_HW)
    write_ortho(place / "orthos" / "x" / "lille" / "a.tif", classes_HW, left_m=LEFT_M + 40)
    write_ortho(place / "orthos" / "nord_2019" / "a.tif", classes_HW[:64], left_m=LEFT_M + 9)
    return curate(
        Request(
            orthos=(place / "orthos",),
            labels=((None, write_cosia(place / "cosia.gpkg", classes_HW)),),
            out=place / "set",
            cut=Cut(patch_px=64, stride_px=64, min_labelled=0.3),
            splitting=Splitting(block_m=20, guard_m=1),
        )
    ).out


@pytest.fixture(scope="module")
def schemas():
    return stac_validators()


def walk(path, seen):
    """Everything that links of a catalogue lead to, each file once."""
    if path in seen:
        return
    content = seen[path] = json.loads(path.read_text(encoding="utf-8"))
    for link in content["links"]:
        there = (path.parent / link["href"]).resolve()
        assert there.is_file(), link
        if link["rel"] in ("root", "parent", "child", "item", "collection"):
            walk(there, seen)


@pytest.fixture(scope="module")
def documents(out):
    seen = {}
    walk((out / "catalog.json").resolve(), seen)
    return seen


def test_every_document_is_valid_and_none_is_unlinked(out, documents, schemas):
    for content in documents.values():
        assert [error.message for error in schemas[content["type"]].iter_errors(content)] == []
    written = {path for path in out.resolve().rglob("*.json") if ".curation" not in path.parts}
    assert written - set(documents) == {(out / "curation.json").resolve()}
    kinds = [content["type"] for content in documents.values()]
    assert (kinds.count("Catalog"), kinds.count("Collection")) == (1, 3)


def test_items_lie_on_their_patches_and_say_what_the_table_says(out, documents):
    with (out / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    items = {path: each for path, each in documents.items() if each["type"] == "Feature"}
    assert {item["id"] for item in items.values()} == set(rows)
    for path, item in items.items():
        row = rows[item["id"]]
        outline = shapely.geometry.shape(item["geometry"])
        assert outline.is_valid
        with rasterio.open(path.parent / item["assets"]["image"]["href"]) as image:
            degrees = transform_bounds(image.crs, "EPSG:4326", *image.bounds)
            assert item["properties"]["proj:transform"] == pytest.approx(list(image.transform)[:6])
            assert item["properties"]["proj:code"] == f"EPSG:{image.crs.to_epsg()}"
            assert [band["name"] for band in item["assets"]["image"]["bands"]] == list(image.descriptions)
        assert item["bbox"] == pytest.approx(degrees, abs=2e-7)
        assert outline.bounds == pytest.approx(degrees, abs=2e-7)
        words = {"train": "train", "validation": "validate", "test": "test"}
        assert item["properties"]["ml-aoi:split"] == words[row["split"]]
        for name in ("image", "labels"):
            content = (path.parent / item["assets"][name]["href"]).read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            assert item["assets"][name]["file:checksum"] == f"1220{digest}"
            assert item["assets"][name]["file:size"] == len(content)
            assert row[f"{name}_sha256"] == digest


def test_classes_are_told_with_values_colours_and_shares(documents):
    for content in documents.values():
        if content["type"] == "Feature":
            classes = content["assets"]["labels"]["classification:classes"]
            assert sum(each.get("percentage", 0) for each in classes) == pytest.approx(100, abs=1e-4)
            assert classes[-1] == {"value": 255, "name": "nodata", "description": "no label", "nodata": True}
        if content["type"] == "Collection":
            told = content["item_assets"]["labels"]["classification:classes"][:-1]
            assert [each["value"] for each in told] == [each.value for each in COSIA.classes]
            assert [f"#{each['color_hint'].lower()}" for each in told] == [
                c.colour_cosia for c in COSIA.classes
            ]


def test_collections_span_their_items(documents):
    for path, content in documents.items():
        if content["type"] != "Collection":
            continue
        west, south, east, north = content["extent"]["spatial"]["bbox"][0]
        items = [each for each in documents.values() if each.get("collection") == content["id"]]
        assert all(west <= i["bbox"][0] and i["bbox"][2] <= east for i in items)
        assert all(south <= i["bbox"][1] and i["bbox"][3] <= north for i in items)
        known = {"D033_2024": ["2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z"], "lille_undated": [None, None]}
        known["nord_2019"] = ["2019-01-01T00:00:00Z", "2019-12-31T23:59:59Z"]
        assert content["extent"]["temporal"]["interval"] == [known[path.parent.name]]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-07-01", ("2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z", "2024-07-01T23:59:59Z")),
        ("2024-02", (None, "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z")),
        ("2023", (None, "2023-01-01T00:00:00Z", "2023-12-31T23:59:59Z")),
        (None, (None, "1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z")),
    ],
)
def test_a_day_is_a_moment_and_all_else_an_interval(date, expected):
    assert tuple(item_times(date).values()) == expected

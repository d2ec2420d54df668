"""Items are STAC 1.1, by its own schemas, and say of extensions what those ask for."""

import json

import pytest
import shapely
from pystac.extensions.classification import Classification

from models.registry import Registry
from service.catalogue.items import CLASSIFICATION, FILE, PROJECTION, Provenance, class_objects, map_item
from service.catalogue.modelitems import MLM, model_item
from service.catalogue.times import acquisition_times
from tests.stac_schemas import stac_validators

NOW = 1_795_000_000.0
PROVENANCE = Provenance(
    software={"orthoscape": "0.1.0", "gdal": "3.10.3"}, licence="Apache-2.0", model_title="Net"
)


@pytest.fixture(scope="module")
def core_schema():
    return stac_validators()["Feature"]


@pytest.fixture
def item(facts, place, files, addresses):
    return map_item(facts, place, addresses.map(facts.id), files=files, provenance=PROVENANCE)


def test_a_map_is_a_valid_item(core_schema, item):
    assert [error.message for error in core_schema.iter_errors(json.loads(json.dumps(item)))] == []


def test_the_outline_lies_where_the_map_does(item, facts):
    outline = shapely.geometry.shape(item["geometry"])
    assert outline.is_valid
    assert shapely.is_ccw(outline.exterior)
    assert outline.bounds == pytest.approx(facts.bounds_wgs84, abs=3e-3)


def test_classes_carry_counts_that_add_up(item):
    classes = item["assets"]["landcover"]["classification:classes"]
    assert CLASSIFICATION in item["stac_extensions"]
    for entry in classes:
        parsed = Classification(entry)  # pystac's reading of the extension
        assert parsed.value == entry["value"]
        assert parsed.name.replace("_", "").isalnum()
    assert [entry["value"] for entry in classes] == [*range(16), 255]
    assert [entry["name"] for entry in classes if entry.get("nodata")] == ["nodata"]
    assert sum(entry.get("count", 0) for entry in classes) == 1000
    assert sum(entry.get("percentage", 0) for entry in classes) == pytest.approx(100)


def test_files_tell_size_and_checksum(item):
    assert {PROJECTION, FILE} <= set(item["stac_extensions"])
    landcover = item["assets"]["landcover"]
    assert (landcover["file:size"], landcover["file:checksum"]) == (123, "1220" + "ab" * 32)
    assert landcover["href"] == "https://maps.example.org/maps/0cv2m8/landcover.tif"
    assert item["properties"]["proj:code"] == "EPSG:2154"
    assert item["properties"]["processing:level"] == "L4"
    assert any(link["rel"] == "derived_from" and "/models/" in link["href"] for link in item["links"])


def test_every_style_is_a_render(item):
    assert list(item["properties"]["renders"]) == ["cosia", "flair", "cvd", "sealed", "cover", "ocsge"]
    for render in item["properties"]["renders"].values():
        assert sorted(map(int, render["colormap"])) == list(range(16))


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-07-01", ("2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z", "2024-07-01T23:59:59Z")),
        ("2024-02", (None, "2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z")),
        ("2023", (None, "2023-01-01T00:00:00Z", "2023-12-31T23:59:59Z")),
        (None, (None, "1900-01-01T00:00:00Z", "2026-11-18T11:06:40Z")),
    ],
)
def test_the_time_is_that_of_the_image_never_of_the_run(date, expected):
    times = acquisition_times(date, before=NOW)
    assert (times["datetime"], times["start_datetime"], times["end_datetime"]) == expected


def test_a_key_goes_along_in_every_address(facts, place, files, addresses):
    keyed = type(addresses)(root=addresses.root, key="ortho_abc")
    item = map_item(facts, place, keyed.map(facts.id), files=files, provenance=PROVENANCE)
    hrefs = [entry["href"] for entry in (*item["links"], *item["assets"].values())]
    assert all("key=ortho_abc" in href for href in hrefs)


def test_a_model_is_a_valid_item(core_schema, addresses):
    for manifest in Registry().manifests():
        item = json.loads(json.dumps(model_item(manifest, addresses)))
        assert [error.message for error in core_schema.iter_errors(item)] == []
        assert MLM in item["stac_extensions"]
        properties = item["properties"]
        (graph,) = (asset for asset in item["assets"].values() if asset["roles"] == ["mlm:model"])
        assert graph["mlm:artifact_type"] == "onnx"
        assert [band["name"] for band in properties["bands"]] == properties["mlm:input"][0]["bands"]
        assert "bands" in properties["mlm:input"][0]["input"]["dim_order"]
        for tensor in (properties["mlm:input"][0]["input"], properties["mlm:output"][0]["result"]):
            assert len(tensor["shape"]) == len(tensor["dim_order"])
        classes = properties["mlm:output"][0]["classification:classes"]
        assert {entry["value"] for entry in classes} == set(manifest.channels)


def test_classes_have_titles_in_both_languages(facts):
    for language, building in (("en", "Building"), ("fr", "Bâtiment")):
        assert class_objects(facts.nomenclature, language)[0]["title"] == building

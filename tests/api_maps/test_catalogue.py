"""The catalogue tells of what is served, and WMTS speaks keys and values, too."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from models.nomenclature import COSIA
from service.api import mapping
from service.api.app import create_app
from service.api.routes import layers
from service.jobs.ids import new_id
from tests.api_maps.conftest import SilentBell, native_tiles


def test_models_are_listed_and_told_of(client):
    listed = {model["id"]: model for model in client.get("/models").json()["models"]}
    assert {"tiny-rgb", "compact-rgb"} <= set(listed)
    item = client.get(listed["tiny-rgb"]["links"]["self"]["href"]).json()
    assert item["properties"]["mlm:name"] == "tiny-rgb"
    card = client.get(listed["tiny-rgb"]["links"]["card"]["href"])
    assert card.text.startswith("# A random network")
    for asset in item["assets"].values():
        got = client.get(asset["href"])
        assert len(got.content) == asset["file:size"]
    assert client.get("/models/default").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["nope", "tiny-rgb@9.9.9", "nope/card", "tiny-rgb/files/manifest.json", "tiny-rgb/files/..%2FCARD.md"],
)
def test_what_a_registry_has_not_is_not_found(client, path):
    assert client.get(f"/models/{path}").status_code == 404


def test_classes_and_styles_are_those_of_the_nomenclature(client):
    (scheme,) = client.get("/classes", params={"lang": "fr"}).json()["nomenclatures"]
    assert [entry["value"] for entry in scheme["classes"]] == list(range(16))
    assert scheme["classes"][0]["label"] == "Bâtiment"
    assert [entry["key"] for entry in scheme["groupings"]] == [grouping.key for grouping in COSIA.groupings]
    styles = client.get("/styles").json()["cosia-16"]
    assert [style["id"] for style in styles] == ["cosia", "flair", "cvd", "sealed", "cover", "ocsge"]


def test_tile_matrix_sets_are_told_as_ogc_does(client):
    listed = client.get("/tileMatrixSets").json()["tileMatrixSets"]
    assert [entry["id"] for entry in listed] == ["WebMercatorQuad", "2154_10cm"]
    for entry in listed:
        told = client.get(entry["links"][0]["href"]).json()
        assert told["id"] == entry["id"]
        assert told["tileMatrices"][0]["scaleDenominator"] > 1e6
    assert client.get("/tileMatrixSets/nope").status_code == 404


def test_wmts_answers_keys_and_values(client, finished):
    z, x, y = native_tiles()[0]
    query = {
        "SERVICE": "WMTS",
        "Request": "GetTile",
        "LAYER": finished.id,
        "STYLE": "cvd",
        "TILEMATRIXSET": "2154_10cm",
        "TILEMATRIX": z,
        "TILECOL": x,
        "TILEROW": y,
    }
    by_keys = client.get("/wmts", params=query)
    by_path = client.get(f"/maps/{finished.id}/tiles/2154_10cm/{z}/{x}/{y}.png", params={"style": "cvd"})
    assert by_keys.content == by_path.content
    confidence = client.get(
        "/wmts", params=query | {"LAYER": f"{finished.id}:confidence", "STYLE": "default"}
    )
    assert confidence.status_code == 200
    assert confidence.content != by_keys.content


@pytest.mark.parametrize(
    "wrong",
    [
        {"request": "GetFeatureInfo"},
        {"layer": ""},
        {"tilematrix": "x"},
        {"tilerow": "-1"},
        {"layer": "{id}:nope"},
    ],
)
def test_wmts_refuses_what_it_does_not_know(client, finished, wrong):
    query = {"request": "GetTile", "layer": finished.id, "tilematrixset": "WebMercatorQuad", "tilematrix": 1,
             "tilecol": 0, "tilerow": 0}  # fmt: skip
    query |= {name: value.format(id=finished.id) for name, value in wrong.items()}
    assert client.get("/wmts", params=query).status_code == 422


def test_wmts_lists_every_map_of_its_caller(client, finished):
    text = client.get("/wmts", params={"service": "WMTS", "request": "GetCapabilities"}).text
    for entry in client.get("/maps", params={"limit": 200}).json()["maps"]:
        assert f"<ows:Identifier>{entry['id']}</ows:Identifier>" in text
    assert finished.id in text


def test_wmts_leaves_out_a_map_that_is_deleted_while_it_lists(client, finished, monkeypatch):
    gone = replace(finished, id=new_id(), job_id=new_id())
    monkeypatch.setattr(layers, "_newest", lambda *_: [gone, finished])
    text = client.get("/wmts").text
    assert f"<ows:Identifier>{finished.id}</ows:Identifier>" in text
    assert gone.id not in text


def test_what_wmts_lists_is_kept_with_room_for_more():
    assert layers.MAX_LISTED < mapping.MAX_KEPT


def test_public_url_makes_every_address(house):
    settings = house.settings.model_copy(update={"public_url": "https://maps.example.org/ortho"})
    with TestClient(create_app(settings, store=house.store, bell=SilentBell())) as client:
        record = client.get("/maps").json()["maps"][0]
        text = client.get(f"/maps/{record['id']}/WMTSCapabilities.xml").text
        assert "https://maps.example.org/ortho/maps/" in text
        assert "testserver" not in text
        assert all(
            link["href"].startswith("https://maps.example.org/ortho/") for link in record["links"].values()
        )


def test_the_description_names_every_route_and_its_parameters(client):
    paths = client.get("/openapi.json").json()["paths"]
    tile = paths["/maps/{map_id}/tiles/{z}/{x}/{y}.png"]["get"]
    assert {"map_id", "z", "x", "y", "style", "min_confidence"} <= {
        entry["name"] for entry in tile["parameters"]
    }
    assert "404" in tile["responses"]
    for path in (
        "/maps",
        "/maps/{map_id}/stats.json",
        "/wmts",
        "/models/{model_id}",
        "/maps/{map_id}/landcover.tif",
    ):
        assert path in paths

"""The server's own example, for those who have no orthophoto at hand."""

import pytest

from service.access.principals import Principal, Scope, widened
from service.api.access import principal
from tests.api.conftest import TINY

EXAMPLE = {"source": "example"}


@pytest.fixture
def offering(open_house, make_raster, tmp_path):
    """A house with an example."""
    (tmp_path / "kept").mkdir()
    return open_house(example=make_raster("kept/valley.tif"))


def test_the_example_is_estimated_and_mapped_like_any_source(offering):
    estimate = offering.client.post("/predict", json=TINY | EXAMPLE | {"dry_run": True})
    assert (estimate.status_code, estimate.json()["num_px"]) == (200, 12_000)
    answer = offering.client.post("/predict", json=TINY | EXAMPLE)
    assert (answer.status_code, answer.json()["title"]) == (201, "Land cover of valley.tif")
    assert answer.json()["map"]["name"] == "valley"
    offering.work()
    assert offering.client.get(answer.headers["location"]).json()["status"] == "successful"
    assert offering.client.post("/predict", data=TINY | EXAMPLE).json()["deduplicated"]
    assert offering.settings.example.exists()
    assert offering.left == []


def test_the_link_to_it_is_all_that_a_caller_needs(offering):
    link = offering.client.get("/jobs", headers={"Accept-Language": "fr"}).json()["links"]["example"]
    assert link["title"] == "Cartographier l'exemple (POST)"
    assert offering.client.post(link["href"]).status_code == 201


def test_where_it_lies_is_not_told(open_house, make_raster, tmp_path):
    (tmp_path / "kept").mkdir()
    house = open_house(example=make_raster("kept/lost.tif", crs=None))
    refused = house.client.post("/predict", json=TINY | EXAMPLE)
    assert refused.status_code == 422
    assert "lost.tif" in refused.json()["detail"]
    assert str(tmp_path) not in refused.text
    others = house.client.post("/predict", json=TINY | {"source": str(house.settings.example)})
    assert "lies in no folder" in others.json()["detail"]


def test_a_house_without_one_offers_none(house, open_house, tmp_path):
    for empty in (house, open_house(example=tmp_path / "gone.tif")):
        assert "example" not in empty.client.get("/jobs").json()["links"]
        problem = empty.client.post("/predict", json=EXAMPLE).json()
        assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "#/source")
        assert "ORTHOSCAPE_EXAMPLE" in problem["remedy"]


def test_who_may_only_read_is_not_invited(offering):
    reader = Principal(owner="reader", scopes=widened(Scope.READ))
    offering.app.dependency_overrides[principal] = lambda: reader
    assert "example" not in offering.client.get("/jobs").json()["links"]

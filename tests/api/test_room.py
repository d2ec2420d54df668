"""A disk below its mark: what would need it is refused with a remedy, and what waits says so."""

import pytest

from service.inference.offering import offered_class
from service.room import Room
from tests.cli.conftest import invoke


@pytest.fixture
def room(house, monkeypatch):
    """``room["num_bytes"] = ...``: what maps may still take; uploads find enough."""
    told, maps = {"num_bytes": 10**12}, house.settings.maps_folder
    monkeypatch.setattr(
        Room, "num_bytes", property(lambda self: told["num_bytes"] if self.folder == maps else 10**12)
    )
    house.register(offered_class("onnxruntime"))
    return told


def test_a_map_that_would_find_no_room_is_refused(house, make_raster, room):
    path = make_raster(shape=(3, 300, 400))
    estimate = house.send(path, dry_run="true").json()
    assert estimate["warnings"] == []
    room["num_bytes"] = estimate["product_bytes"] - 1
    refused = house.send(path)
    assert (refused.status_code, refused.headers["content-type"]) == (507, "application/problem+json")
    assert refused.json()["type"] == "urn:orthoscape:problem:disk-full"
    assert "delete maps" in refused.json()["remedy"]
    assert f"{estimate['product_bytes']:,}" in refused.json()["detail"]
    assert house.left == []
    assert house.client.get("/jobs").json()["jobs"] == []
    assert "no room" in house.send(path, dry_run="true").json()["warnings"][0]
    room["num_bytes"] = 10**9
    assert house.send(path).status_code == 201


def test_an_equal_map_that_is_there_needs_no_room(house, make_raster, room):
    path = make_raster(shape=(3, 300, 400))
    made = house.send(path).json()
    house.work()
    room["num_bytes"] = 0
    assert house.send(path).json()["id"] == made["id"]


def test_a_live_job_says_that_it_waits_for_room(house, make_raster, room):
    job = house.send(make_raster()).json()
    over = house.send(make_raster(seed=1), map="over").json()
    house.client.delete(f"/jobs/{over['id']}")

    def message(of):
        return house.client.get(f"/jobs/{of['id']}").json()["message"]

    assert "room" not in message(job)
    room["num_bytes"] = -1
    assert message(job).startswith("waits for room on the disk")
    assert "room" not in message(over)
    assert house.client.get("/readyz").json()["errors"][0]["part"] == "disk"
    room["num_bytes"] = 0
    assert "room" not in message(job)


def test_the_command_line_says_so_too(house, make_raster, room, monkeypatch):
    job = house.send(make_raster()).json()
    room["num_bytes"] = -1
    monkeypatch.setenv("ORTHOSCAPE_HOME", str(house.settings.home))
    assert "waits for room on the disk" in invoke("jobs", "show", job["id"]).output

"""Maps are kept until they are deleted, or as long as the settings say."""

import logging

import anyio
import pytest

from service.api import janitor
from service.api.retention import expire_maps
from service.jobs.schema import jobs


@pytest.fixture
def aged(open_house, make_raster):
    """``aged(map_keep_s=...)``: a house with a finished, a dismissed and a live job, all an hour old."""

    def build(**changes):
        house = open_house(**changes)
        made = [house.send(make_raster(seed=0), map="m0").json()]
        house.work()
        made += [house.send(make_raster(seed=seed), map=f"m{seed}").json() for seed in (1, 2)]
        house.client.delete(f"/jobs/{made[1]['id']}")
        with house.store.begin() as connection:
            connection.execute(jobs.update().values(finished=jobs.c.finished - 3600, created=1.0))
        return house, made

    return build


def maps_of(house):
    return {entry["name"] for entry in house.client.get("/maps").json()["maps"]}


def test_maps_are_kept_until_they_are_deleted(aged):
    house, _ = aged()
    assert expire_maps(house.app.state.services) == 0
    assert maps_of(house) == {"m0", "m1", "m2"}


def test_maps_that_were_kept_long_enough_are_deleted_as_their_owners_would(aged, caplog):
    house, made = aged(map_keep_s=1800.0)
    over = made[:2]
    with caplog.at_level(logging.INFO):
        assert expire_maps(house.app.state.services) == len(over)
    assert caplog.text.count("map deleted, it was kept") == len(over)
    assert maps_of(house) == {"m2"}
    for job in over:
        assert not (house.settings.maps_folder / job["map"]["id"]).exists()
        assert house.client.get(f"/jobs/{job['id']}").status_code == 200  # as history
    assert len(list(house.settings.uploads_folder.iterdir())) == 1  # what they read went with them
    assert expire_maps(house.app.state.services) == 0


def test_maps_that_are_young_enough_stay(aged):
    house, _ = aged(map_keep_s=7200.0)
    assert expire_maps(house.app.state.services) == 0
    assert maps_of(house) == {"m0", "m1", "m2"}


def test_tidying_that_fails_in_a_way_nobody_foresaw_ends_nothing(house, monkeypatch, caplog):
    looked, services = [], house.app.state.services

    def sweep(*_, **__):
        looked.append("uploads")
        raise KeyError("unforeseen")

    monkeypatch.setattr(janitor, "sweep", sweep)
    monkeypatch.setattr(janitor, "expire_maps", lambda _: looked.append("maps") or 0)
    monkeypatch.setattr(janitor, "EVERY_S", 0.001)

    async def tidy():
        with anyio.move_on_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(janitor.keep_tidy, services)
                while len(looked) < 4:  # noqa: ASYNC110  looks happen in threads
                    await anyio.sleep(0.001)
                tasks.cancel_scope.cancel()

    anyio.run(tidy)
    assert looked[:4] == ["uploads", "maps"] * 2
    assert "unforeseen" in caplog.text

"""A map fills in while it is made, and what was seen of it stays as it was."""

import io

import morecantile
import numpy as np
import pytest
from PIL import Image

from models.nomenclature import COSIA
from service.jobs.records import JobStatus, UnitKind, UnitStatus
from tests.api_maps.conftest import Drawn, native_tiles, scene, under, window_of


@pytest.fixture(scope="module")
def story(house, client, tmp_path_factory):
    """A map at its beginning, half way, and at its end: every native tile at each time."""
    record = house.begin(scene(tmp_path_factory.mktemp("live") / "ortho.tif", seed=9), name="live")
    tiles = native_tiles()

    def see():
        house_record = house.store.map(record.id)
        answers = {
            tile: client.get("/maps/{}/tiles/2154_10cm/{}/{}/{}.png".format(record.id, *tile))
            for tile in tiles
        }
        return house_record, answers

    beginning = see()
    house.work(leases=3)
    client.app.state.services.maps.forget(record.id)  # rather than wait for a second
    units = house.store.units(record.job_id, kind=UnitKind.BLOCK, status=UnitStatus.DONE)
    middle = see()
    house.work()
    client.app.state.services.maps.forget(record.id)
    return {"beginning": beginning, "middle": middle, "end": see(), "done": units}


def done_HW(story, shape):  # noqa: N802  axes
    """Which pixels of the scene lie in blocks that were done half way."""
    mask_HW = np.zeros(shape, dtype=np.uint8)
    first_col, first_row = 942_000 * 5, (12_000_000 - 6_537_000) * 5
    for unit in story["done"]:
        top, left = unit.row * 128 - first_row, unit.col * 128 - first_col
        mask_HW[max(top, 0) : max(top + 128, 0), max(left, 0) : max(left + 128, 0)] = 1
    return mask_HW


def test_at_first_every_tile_is_transparent(story):
    record, answers = story["beginning"]
    assert record.status == JobStatus.ACCEPTED
    for response in answers.values():
        assert response.status_code == 200
        assert not Drawn.of(response).shown_HW.any()
        assert "must-revalidate" in response.headers["cache-control"]
        assert "immutable" not in response.headers["cache-control"]


def test_half_way_done_blocks_are_shown_and_others_are_not(house, story):
    record, answers = story["middle"]
    assert record.status == JobStatus.RUNNING
    assert 0 < len(story["done"]) < 30
    classes_HW = house.classes(story["end"][0])
    expected_HW = np.where(done_HW(story, classes_HW.shape) > 0, classes_HW, 255).astype(np.uint8)
    assert (expected_HW < 255).any()
    for tile, response in answers.items():
        assert (Drawn.of(response).shown_HW == (under(tile, expected_HW) < 255)).all(), window_of(tile)


def test_what_was_seen_stays_as_it_was(story):
    for tile, later in story["end"][1].items():
        before, after = Drawn.of(story["middle"][1][tile]), Drawn.of(later)
        assert (after.rgba_HW4[before.shown_HW] == before.rgba_HW4[before.shown_HW]).all()


def test_at_the_end_tiles_are_the_file_in_its_colours(house, story):
    record, answers = story["end"]
    assert record.status == JobStatus.SUCCESSFUL
    classes_HW = house.classes(record)
    palette_256x4 = np.zeros((256, 4), dtype=np.uint8)
    for value, colour in COSIA.palette().items():
        palette_256x4[value] = colour
    for tile, response in answers.items():
        drawn = Drawn.of(response)
        expected_HW4 = palette_256x4[under(tile, classes_HW)]
        assert (drawn.shown_HW == (expected_HW4[..., 3] > 0)).all()
        assert (drawn.rgba_HW4[drawn.shown_HW] == expected_HW4[drawn.shown_HW]).all()
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_a_tile_where_nothing_happened_is_confirmed_unchanged(house, client, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=10), name="confirmed")
    tiles = native_tiles()
    address = "/maps/{}/tiles/2154_10cm/{}/{}/{}.png"
    first = {tile: client.get(address.format(record.id, *tile)).headers["etag"] for tile in tiles}
    house.work(leases=3)
    client.app.state.services.maps.forget(record.id)
    again = {
        tile: client.get(address.format(record.id, *tile), headers={"If-None-Match": tag})
        for tile, tag in first.items()
    }
    statuses = {response.status_code for response in again.values()}
    assert statuses == {200, 304}
    for tile, response in again.items():
        is_changed = response.status_code == 200
        assert is_changed == (response.headers["etag"] != first[tile])
        assert is_changed == (response.content != b"")
    house.store.dismiss(record.job_id)


def test_a_finished_tile_is_confirmed_without_drawing(client, finished, monkeypatch):
    z, x, y = native_tiles()[0]
    address = f"/maps/{finished.id}/tiles/2154_10cm/{z}/{x}/{y}.png"
    tag = client.get(address).headers["etag"]
    monkeypatch.setattr("service.api.tiling.draw_tile", None)
    for shown in (tag, f'"other", W/{tag}', "*"):
        response = client.get(address, headers={"If-None-Match": shown})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == tag


@pytest.mark.parametrize(
    "path",
    [
        "nothing/tiles/3/1/1.png",
        "{id}/tiles/25/1/1.png",
        "{id}/tiles/3/8/0.png",
        "{id}/tiles/3/0/8.png",
        "{id}/tiles/Nowhere/3/0/0.png",
        "{id}/tiles/3/-1/0.png",
        "{id}/tiles/3/0/0.gif",
        "{id}/image/tiles/3/9/0.png",
    ],
)
def test_what_is_no_tile_is_not_found(client, finished, path):
    for headers in ({}, {"If-None-Match": "*"}):
        response = client.get("/maps/" + path.format(id=finished.id), headers=headers)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"


def test_far_away_inside_the_matrix_a_tile_is_transparent(draw, finished):
    assert not draw(finished, 19, 0, 0).shown_HW.any()
    assert draw(finished, 0, 0, 0).rgba_HW4.shape == (256, 256, 4)
    assert draw(finished, 0, 0, 0, scale="@2x").rgba_HW4.shape == (512, 512, 4)


def test_head_tells_what_get_sends(client, finished):
    z, x, y = native_tiles()[0]
    address = f"/maps/{finished.id}/tiles/2154_10cm/{z}/{x}/{y}.png"
    got, told = client.get(address), client.head(address)
    assert told.status_code == 200
    for name in ("etag", "content-type", "content-length", "cache-control"):
        assert told.headers[name] == got.headers[name]


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGBA"), ("jpg", "RGB"), ("webp", "RGBA")])
def test_image_tiles_come_in_the_format_of_their_name(client, finished, kind, mode):
    layer = client.get(f"/maps/{finished.id}/image/tilejson.json").json()
    address = layer["tiles"][0].removeprefix("http://testserver").replace(".jpg", f".{kind}")
    lon, lat, _ = layer["center"]
    tile = morecantile.tms.get("WebMercatorQuad").tile(lon, lat, 18)
    response = client.get(address.format(z=18, x=tile.x, y=tile.y))
    assert response.status_code == 200
    with Image.open(io.BytesIO(response.content)) as image:
        assert (image.size, image.mode) == ((256, 256), mode)
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 10

"""Maps are their owner's; a key in an address goes along with every address in the answer."""

import json
import re

import pytest
from starlette.testclient import TestClient

from service.access.keys import make_key
from service.access.principals import Scope, widened
from service.api.app import create_app
from service.jobs.keys import Keys, NewKey
from tests.api_maps.conftest import SilentBell, make_house, native_tiles, scene


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A house with keys of two owners, and an administrator's; a finished map of the first."""
    house = make_house(tmp_path_factory.mktemp("keyed"), has_pictures=False)
    keys = Keys(house.store.database)
    made = {}
    for owner, scope in (("ann", Scope.READ), ("bob", Scope.WRITE), ("root", Scope.ADMIN)):
        fresh = make_key()
        scopes = sorted(map(str, widened(scope)))
        keys.add(NewKey(id=fresh.id, owner=owner, name=owner, digest=fresh.digest, scopes=scopes))
        made[owner] = fresh.text
    record = house.begin(
        scene(tmp_path_factory.mktemp("scenes") / "ortho.tif", seed=41), name="hers", owner="ann"
    )
    house.work()
    with TestClient(create_app(house.settings, store=house.store, bell=SilentBell())) as client:
        yield client, house.store.map(record.id), made
    house.store.close()


def paths_of(record):
    z, x, y = native_tiles()[0]
    tile = f"/maps/{record.id}/tiles/2154_10cm/{z}/{x}/{y}.png"
    names = "tilejson.json landcover.tif legend.json preview.png item.json stats.json sheets point/6.1,45.9"
    return [tile, *(f"/maps/{record.id}/{name}" for name in [*names.split(), "WMTSCapabilities.xml"])]


def test_without_a_key_nothing_is_shown(keyed):
    client, record, _ = keyed
    for path in [*paths_of(record), "/maps", f"/maps/{record.id}", "/wmts", "/models", "/classes", "/styles"]:
        assert client.get(path).status_code == 401, path


def test_another_owner_finds_no_such_map(keyed):
    client, record, keys = keyed
    for path in [*paths_of(record), f"/maps/{record.id}", "/maps/hers/latest"]:
        assert client.get(path, headers={"X-API-Key": keys["ann"]}).status_code == 200, path
        assert client.get(path, headers={"X-API-Key": keys["bob"]}).status_code == 404, path
        assert client.get(path, headers={"X-API-Key": keys["root"]}).status_code in (200, 404), path
    assert client.get("/maps", headers={"X-API-Key": keys["bob"]}).json()["maps"] == []
    assert client.delete(f"/maps/{record.id}", headers={"X-API-Key": keys["bob"]}).status_code == 404
    assert client.delete(f"/maps/{record.id}", headers={"X-API-Key": keys["ann"]}).status_code == 403


def test_what_a_key_shows_is_never_public(keyed):
    client, record, keys = keyed
    tile, *_ = paths_of(record)
    for answer in (
        client.get(tile, headers={"X-API-Key": keys["ann"]}),
        client.get(tile, params={"key": keys["ann"]}),
        client.get(f"/maps/{record.id}/landcover.tif", params={"key": keys["ann"]}),
    ):
        assert answer.status_code == 200
        assert "private" in answer.headers["cache-control"]
        assert "public" not in answer.headers["cache-control"]


def test_a_key_in_the_address_goes_along(keyed):
    client, record, keys = keyed
    for path in ("tilejson.json", "WMTSCapabilities.xml", "item.json", "sheets"):
        text = client.get(f"/maps/{record.id}/{path}", params={"key": keys["ann"]}).text
        hrefs = re.findall(r'http://testserver/[^"<>\s]*', text)
        assert hrefs
        assert all(f"key={keys['ann']}" in href for href in hrefs), path
    plain = client.get(f"/maps/{record.id}/item.json", headers={"X-API-Key": keys["ann"]}).text
    assert keys["ann"] not in plain
    layer = client.get(f"/maps/{record.id}/tilejson.json", params={"key": keys["ann"]}).json()
    z, x, y = 18, 0, 0
    assert client.get(layer["tiles"][0].format(z=z, x=x, y=y)).status_code == 200
    assert json.dumps(layer).count(keys["ann"]) == 1


def test_a_key_that_is_no_key_is_refused(keyed):
    client, record, _ = keyed
    for text in ("nonsense", make_key().text):
        assert client.get(paths_of(record)[0], params={"key": text}).status_code == 401

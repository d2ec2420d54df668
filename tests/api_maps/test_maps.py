"""Maps are listed, found by name, deleted; and what a process keeps of them follows."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.api.mapping import OpenMaps
from service.jobs.errors import MapUnknown
from service.jobs.records import JobStatus
from service.rasters.windows import Window
from tests.api_maps.conftest import native_tiles, scene


@pytest.fixture
def maps(house):
    return OpenMaps(house.store, house.settings.maps_folder)


def test_lists_go_on_where_they_ended(client, house, finished, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=51), name="listed")
    house.store.dismiss(record.job_id)
    page = client.get("/maps", params={"limit": 1}).json()
    seen = [entry["id"] for entry in page["maps"]]
    while "next" in page["links"]:
        page = client.get(page["links"]["next"]["href"]).json()
        seen += [entry["id"] for entry in page["maps"]]
    assert seen[0] == record.id
    assert len(seen) == len(set(seen))
    assert finished.id in seen
    named = client.get("/maps", params={"name": "listed"}).json()["maps"]
    assert [entry["id"] for entry in named] == [record.id]


def test_every_link_of_a_map_leads_somewhere(client, finished):
    links = client.get(f"/maps/{finished.id}").json()["links"]
    for name, link in links.items():
        href = link["href"].format(z=18, x=0, y=0)
        response = client.get(href)
        assert response.status_code == 200, name
        assert link["templated"] == ("{" in link["href"])
        assert response.headers["content-type"].split(";")[0] == link["type"].split(";")[0], name


def test_latest_prefers_what_is_finished(client, house, finished, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=52), name=finished.name)
    response = client.get(f"/maps/{finished.name}/latest", follow_redirects=False)
    assert response.status_code == 307
    assert response.headers["location"].endswith(f"/maps/{finished.id}")
    assert response.headers["cache-control"] == "no-cache"
    response = client.get(f"/maps/{finished.name}/latest/legend.json?lang=fr", follow_redirects=False)
    assert response.headers["location"].endswith(f"/maps/{finished.id}/legend.json?lang=fr")
    assert client.get("/maps/nobody/latest").status_code == 404
    house.store.dismiss(record.job_id)
    house.store.delete_map(record.id)


def test_a_deleted_map_vanishes_with_its_files(client, house, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=53), name="gone")
    assert client.delete(f"/maps/{record.id}").status_code == 409
    house.work()
    z, x, y = native_tiles()[0]
    tile = f"/maps/{record.id}/tiles/2154_10cm/{z}/{x}/{y}.png"
    assert client.get(tile).status_code == 200
    assert client.delete(f"/maps/{record.id}").status_code == 204
    for path in (tile, f"/maps/{record.id}", f"/maps/{record.id}/landcover.tif"):
        assert client.get(path).status_code == 404
    assert not list(house.settings.maps_folder.glob(f"*{record.id}*"))
    assert house.store.job(record.job_id).status == JobStatus.SUCCESSFUL


def test_another_process_hears_of_it_in_a_moment(house, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=54), name="elsewhere")
    other = OpenMaps(house.store, house.settings.maps_folder, fresh_s=0.0)
    assert other.open(record.id, owner=None).record.status == JobStatus.ACCEPTED
    house.work(leases=2)
    assert other.open(record.id, owner=None).record.status == JobStatus.RUNNING
    house.store.dismiss(record.job_id)
    house.store.delete_map(record.id)
    with pytest.raises(MapUnknown):
        other.open(record.id, owner=None)


def test_an_index_names_exactly_the_blocks_that_are_done(house, maps, tmp_path):
    record = house.begin(scene(tmp_path / "ortho.tif", seed=55), name="indexed")
    house.work(leases=4)
    index = maps.open(record.id, owner=None).index
    done = {path.name for path in (house.folder(record).path / "blocks" / "indexed").glob("r*_c*.tif")}
    done = {name for name in done if name.count(".") == 1}
    pieces = index.pieces(index.window)
    assert {piece.path.name for piece in pieces} == done
    for piece in pieces:
        corner = Window(piece.window.col_off, piece.window.row_off, 1, 1)
        assert [found.path for found in index.pieces(corner)] == [piece.path]
    assert index.pieces(Window(0, 0, 10, 10)) == []
    house.store.dismiss(record.job_id)


def test_a_finished_sheet_is_one_piece(maps, finished):
    index = maps.open(finished.id, owner=None).index
    (piece,) = index.pieces(index.window)
    assert (piece.kind, piece.window) == ("sheet", index.window)
    assert index.is_final
    assert [path.name for path in index.pictures(index.window)] == ["image.tif"]


def test_a_plan_is_read_once_however_many_ask(house, maps, finished, monkeypatch):
    reads = []
    planned = house.store.planned
    monkeypatch.setattr(house.store, "planned", lambda job_id: reads.append(job_id) or planned(job_id))
    start = threading.Barrier(8)

    def ask(_):
        start.wait()
        return maps.open(finished.id, owner=None)

    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(ask, range(8)))
    assert reads == [finished.job_id]
    assert len({id(found.frame) for found in opened}) == 1


def test_many_threads_draw_the_same(client, finished):
    z, x, y = native_tiles()[0]
    tile = f"/maps/{finished.id}/tiles/2154_10cm/{z}/{x}/{y}.png"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get(tile).content, range(40)))
    assert len(set(answers)) == 1

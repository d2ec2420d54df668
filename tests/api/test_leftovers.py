"""What deletions leave behind is found and removed; what a live job needs is not."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from service.api.app import create_app
from service.api.leftovers import sweep_leftovers
from service.jobs.ids import new_id
from service.jobs.store import Store
from service.maps.blockfolder import BlockFolder
from service.maps.layout import MapFolder
from tests.api.conftest import BASE, CountingBell


@pytest.fixture
def job(house, make_raster):
    return house.send(make_raster(shape=(3, 300, 400))).json()


def folder_of(house, job):
    return house.settings.maps_folder / job["map"]["id"]


def swept(house, *, untouched_s=0.0):
    return sweep_leftovers(house.app.state.services.maps, house.store, untouched_s=untouched_s)


def there(house):
    """What lies with the maps, but for the mark that says whose they are."""
    return sorted(path.name for path in house.settings.maps_folder.glob("*") if ".store-" not in path.name)


def delete_twice(house, job):
    """Stop a job, then delete it."""
    assert [house.client.delete(f"/jobs/{job['id']}").status_code for _ in range(2)] == [200, 204]


def make_leftover(house, *, name=None):
    folder = house.settings.maps_folder / (name or new_id())
    (folder / "blocks" / "sheet").mkdir(parents=True)
    (folder / "blocks" / "sheet" / "r0_c0.tif").write_bytes(b"pixels")
    return folder


def test_a_job_deleted_while_a_block_is_made_leaves_nothing(house, job, monkeypatch):
    plain, made = BlockFolder.commit, []

    def commit(self, *args):
        made.append(args)
        if len(made) == 2:
            assert there(house) == [job["map"]["id"]]
            delete_twice(house, job)
        return plain(self, *args)

    monkeypatch.setattr(BlockFolder, "commit", commit)
    house.work()
    assert len(made) >= 2
    assert there(house) == []


def test_a_job_deleted_before_its_lease_is_begun_leaves_nothing(house, job, monkeypatch):
    plain = MapFolder.make

    def make(self):
        delete_twice(house, job)
        return plain(self)

    monkeypatch.setattr(MapFolder, "make", make)
    assert house.work() == 1
    assert there(house) == []


def test_a_deletion_that_was_cut_off_is_finished(house, job, make_raster, monkeypatch):
    """The server dies between the store and the files, or while the files go."""
    house.work()
    other = house.send(make_raster(seed=1), map="other").json()
    house.work()
    with monkeypatch.context() as patched:
        patched.setattr(house.app.state.services.maps, "discard", lambda _: None)
        assert house.client.delete(f"/jobs/{job['id']}").status_code == 204
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        assert house.client.delete(f"/maps/{other['map']['id']}").status_code == 204
    left = there(house)
    assert len(left) == 2
    assert job["map"]["id"] in left
    assert swept(house) == 2
    assert there(house) == []


def test_maps_of_jobs_survive_a_sweep_whatever_their_state(house, make_raster):
    jobs = [house.send(make_raster(shape=(3, 300, 400)), force="true").json() for _ in range(3)]
    house.work(leases=2)
    house.client.delete(f"/jobs/{jobs[1]['id']}")
    for folder in house.settings.maps_folder.rglob("*"):
        os.utime(folder, (1, 1))
    before = there(house)
    assert before
    assert swept(house) == 0
    assert there(house) == before
    house.client.post(f"/jobs/{jobs[1]['id']}/resume")
    house.work()
    assert {house.store.job(job["id"]).status for job in jobs} == {"successful"}


def test_what_changed_a_moment_ago_and_what_is_no_map_stay(house):
    fresh = make_leftover(house)
    old = make_leftover(house)
    for path in (old, *old.rglob("*")):
        os.utime(path, (1, 1))
    for name in ("lost+found", ".snapshot", "Annecy 2024"):
        (house.settings.maps_folder / name).mkdir()
    assert swept(house, untouched_s=600.0) == 1
    assert there(house) == sorted([fresh.name, "lost+found", ".snapshot", "Annecy 2024"])


def test_servers_may_sweep_at_once(house, job):
    house.work()
    for _ in range(40):
        make_leftover(house)
        make_leftover(house, name=f".{new_id()}.deleted")
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: swept(house), range(8))) >= 80
    assert there(house) == [job["map"]["id"]]


def test_a_server_with_another_store_takes_no_map_for_a_leftover(house, job, tmp_path, caplog):
    house.work()
    assert swept(house) == 0
    other = Store.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    assert sweep_leftovers(house.app.state.services.maps, other, untouched_s=0.0) == 0
    other.close()
    assert there(house) == [job["map"]["id"]]
    assert "another store's" in caplog.text


def test_a_process_of_tiles_writes_nothing_of_its_own_or_by_request(settings_of):
    settings = settings_of()
    store = Store.open(settings.resolved_store_url)
    before = sorted(settings.home.rglob("*"))
    app = create_app(settings, store=store, bell=CountingBell(), role="tiles")
    with TestClient(app, base_url=BASE) as client:
        assert client.delete("/maps/none").status_code == 405
        assert client.get("/maps/none").status_code == 404
        methods = {method for path in client.get("/openapi.json").json()["paths"].values() for method in path}
    assert methods <= {"get", "head", "options"}
    assert sorted(settings.home.rglob("*")) == before
    store.close()

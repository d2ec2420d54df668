"""Jobs: lists, reading, stopping, resuming, deleting."""

import pytest

from service.inference.offering import offered_class


@pytest.fixture
def job(house, make_raster):
    return house.send(make_raster(shape=(3, 300, 400))).json()


def test_lists_lead_on_by_links(house, make_raster):
    path = make_raster()
    ids = [house.send(path, force="true").json()["id"] for _ in range(5)]
    seen, url = [], "/jobs?limit=2"
    while url:
        page = house.client.get(url).json()
        seen += [job["id"] for job in page["jobs"]]
        url = page["links"].get("next", {}).get("href")
    assert seen == ids[::-1]
    house.client.delete(f"/jobs/{ids[0]}")
    stopped = house.client.get("/jobs", params={"status": "dismissed"}).json()["jobs"]
    assert [job["id"] for job in stopped] == ids[:1]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "status=late", "cursor=%00nonsense", "limit=100000"])
def test_lists_refuse_what_makes_no_sense(house, query):
    answer = house.client.get(f"/jobs?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_job_says_how_far_it_is(house, job):
    house.work(leases=1)
    now = house.client.get(f"/jobs/{job['id']}").json()
    assert now["status"] == "running"
    assert 0 < now["progress"] < 100
    assert now["seconds_left"] >= 0
    assert now["blocks"]["done"] > 0
    assert now["profile"] == offered_class("onnxruntime")
    assert now["created"].endswith("Z")


def test_blocks_tell_where_they_lie(house, job):
    blocks = house.client.get(f"/jobs/{job['id']}/blocks").json()["blocks"]
    assert {block["status"] for block in blocks} == {"ready"}
    west, south, east, north = zip(*(block["bounds"] for block in blocks), strict=True)
    for block in blocks:
        lons, lats = zip(*block["outline"], strict=True)
        assert (min(lons), min(lats), max(lons), max(lats)) == pytest.approx(block["bounds"], abs=1e-6)
    assert (min(west), min(south), max(east), max(north)) == pytest.approx(job["bounds"], abs=1e-6)
    house.work(leases=1)
    answer = house.client.get(f"/jobs/{job['id']}/blocks", params={"since": 0}).json()
    assert {block["status"] for block in answer["blocks"]} == {"done"}
    since = house.client.get(f"/jobs/{job['id']}/blocks", params={"since": answer["seq"]}).json()
    assert since["blocks"] == []


def test_a_job_is_stopped_resumed_and_deleted_with_its_map_and_its_file(house, job):
    url = f"/jobs/{job['id']}"
    house.work(leases=1)
    done = house.client.get(url).json()["blocks"]["done"]
    stopped = house.client.delete(url)
    assert (stopped.status_code, stopped.json()["status"]) == (200, "dismissed")
    assert "cancel" not in stopped.json()["links"]
    resumed = house.client.post(f"{url}/resume").json()
    assert (resumed["status"], resumed["resumed"], resumed["blocks"]["done"]) == ("accepted", True, done)
    assert house.client.post(f"{url}/resume").status_code == 409
    house.work()
    folder = house.settings.maps_folder / job["map"]["id"]
    assert folder.is_dir()
    assert house.client.delete(url).status_code == 204
    assert house.client.get(url).status_code == 404
    assert not folder.exists()
    assert house.left == []


def test_a_failed_job_names_the_block_and_hides_the_servers_folders(house, job):
    path = house.settings.uploads_folder
    lease = None
    while not house.store.job(job["id"]).status.is_terminal:
        lease = house.store.claim("w", offered_class("onnxruntime"), lease_s=60)
        for unit in lease.units:
            source = next(path.glob("*/data/*"))
            house.store.fail_unit(lease, unit.id, f"{source} is damaged")
    failed = house.client.get(f"/jobs/{job['id']}")
    assert failed.json()["status"] == "failed"
    assert "ortho.tif is damaged" in failed.json()["error"]
    assert str(path) not in failed.text
    log = house.client.get(f"/jobs/{job['id']}/logs")
    assert str(path) not in log.text
    assert log.json()["entries"][0]["level"] == "info"


@pytest.mark.parametrize(
    ("method", "path"), [("get", ""), ("delete", ""), ("post", "/resume"), ("get", "/logs")]
)
def test_a_job_that_is_not_there(house, method, path):
    answer = house.client.request(method, f"/jobs/nobody{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:orthoscape:problem:job-unknown")

"""What the service keeps to itself, and what it still answers when things are gone."""

import pytest

from service.jobs.errors import StoreUnavailable

ELSEWHERE = {"Origin": "https://elsewhere.example"}


def test_a_store_that_is_away_tells_callers_nothing_of_where_it_is(house, monkeypatch, caplog):
    def away(*_, **__):
        raise StoreUnavailable("postgres.internal: password authentication failed for user 'ortho'")

    monkeypatch.setattr(house.store, "jobs", away)
    answer = house.client.get("/jobs")
    assert answer.status_code == 503
    assert "internal" not in answer.text
    assert answer.json()["remedy"]
    assert "postgres.internal" in caplog.text


@pytest.mark.parametrize("path", ["/models/none", "/models/none/card", "/models/none/files/model.onnx"])
def test_an_unknown_model_tells_what_there_is_but_no_folder(house, path):
    problem = house.client.get(path).json()
    assert problem["status"] == 404
    assert "tiny-rgb" in problem["remedy"]
    assert str(house.settings.home) not in str(problem)
    assert "artefacts" not in problem["detail"]


def test_an_unknown_model_is_refused_with_those_there_are(house, make_raster):
    problem = house.send(make_raster(shape=(3, 80, 80)), model="none").json()
    assert problem["status"] == 422
    assert "tiny-rgb" in problem["remedy"]
    assert "/" not in problem["remedy"]


@pytest.mark.parametrize("path", ["/", "/docs", "/healthz", "/readyz"])
def test_what_is_looked_at_from_outside_answers_to_head(house, path):
    house.register("any")
    head, full = house.client.head(path), house.client.get(path)
    assert (head.status_code, head.content) == (full.status_code, b"")


def test_the_routers_own_problems_say_what_to_do(house):
    for method, path in (("GET", "/nowhere"), ("PUT", "/jobs")):
        problem = house.client.request(method, path).json()
        assert path in problem["detail"]
        assert problem["remedy"]


@pytest.mark.parametrize("path", ["/maps/ortho/latest", "/maps/ortho/latest/stats.json"])
def test_pages_of_other_sites_cannot_guess_maps_by_their_names(house, path):
    assert "access-control-allow-origin" not in house.client.get(path, headers=ELSEWHERE).headers
    assert (
        "access-control-allow-origin"
        in house.client.get("/maps/none/tilejson.json", headers=ELSEWHERE).headers
    )


def test_a_job_whose_map_is_deleted_is_history_that_can_be_deleted(house, make_raster):
    job = house.send(make_raster(shape=(3, 80, 80))).json()
    house.client.delete(f"/jobs/{job['id']}")
    assert house.client.delete(f"/maps/{job['map']['id']}").status_code == 204
    assert house.left == []  # what came with the request is nobody's any more
    resumed = house.client.post(f"/jobs/{job['id']}/resume")
    assert (resumed.status_code, resumed.json()["type"].rpartition(":")[2]) == (409, "job-not-resumable")
    assert house.client.delete(f"/jobs/{job['id']}").status_code == 204
    assert house.client.get(f"/jobs/{job['id']}").status_code == 404


@pytest.mark.parametrize("what", ["jobs", "maps"])
def test_a_job_resumed_while_it_is_deleted_keeps_its_sources(house, make_raster, monkeypatch, what):
    job = house.send(make_raster(shape=(3, 80, 80))).json()
    house.client.delete(f"/jobs/{job['id']}")
    before, plain = house.left, house.store.planned

    def planned(job_id):
        found = plain(job_id)
        house.store.resume(job_id)
        return found

    monkeypatch.setattr(house.store, "planned", planned)
    deleted = house.client.delete(f"/{what}/{job['id'] if what == 'jobs' else job['map']['id']}")
    assert deleted.status_code == 409
    assert house.left == before
    monkeypatch.undo()
    house.work()
    assert house.store.job(job["id"]).status == "successful"


def test_a_map_under_way_keeps_its_sources(house, make_raster):
    job = house.send(make_raster(shape=(3, 80, 80))).json()
    before = house.left
    assert house.client.delete(f"/maps/{job['map']['id']}").status_code == 409
    assert house.left == before != []

"""POST /predict asked again: what was there is given back, however requests come and go."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from service.access.principals import Principal, Scope, widened
from service.api.access import principal
from service.api.predicting import understand
from tests.api.conftest import TINY


def look_together(house, monkeypatch):
    """Let two requests both see what is there before either makes anything."""
    both, plain = threading.Barrier(2), house.store.same_job

    def same_job(**asked):
        found = plain(**asked)
        both.wait(timeout=60)
        return found

    monkeypatch.setattr(house.store, "same_job", same_job)


def test_the_same_content_is_the_same_job(house, make_raster):
    path = make_raster()
    first = house.send(path).json()
    again = house.send(path, title="another title")
    assert (again.status_code, again.json()["deduplicated"], again.json()["id"]) == (200, True, first["id"])
    assert len(house.left) == 4  # of one upload: about, data, whole, who reads it
    house.work()
    assert house.send(path).json()["id"] == first["id"]
    assert house.send(path, force="true").json()["id"] != first["id"]
    assert house.send(path, map="by-this-name").json()["id"] != first["id"]
    assert house.send(path, acquisition_date="2024").json()["id"] != first["id"]


def test_another_owner_gets_a_job_of_their_own(house, make_raster):
    path, ids = make_raster(), []
    for owner in ("anne", "bob"):
        who = Principal(owner=owner, scopes=widened(Scope.WRITE))
        house.app.dependency_overrides[principal] = lambda who=who: who
        ids.append(house.send(path).json()["id"])
        assert [job["id"] for job in house.client.get("/jobs").json()["jobs"]] == ids[-1:]
    assert ids[0] != ids[1]
    assert house.client.get(f"/jobs/{ids[0]}").status_code == 404


def test_a_failed_job_is_taken_up_again(house, make_raster):
    path = make_raster()
    job = house.send(path).json()
    house.fail(job["id"])
    again = house.send(path)
    assert (again.status_code, again.json()["resumed"], again.json()["id"]) == (200, True, job["id"])
    house.work()
    assert house.client.get(f"/jobs/{job['id']}").json()["status"] == "successful"


def test_a_stopped_job_whose_file_is_gone_is_made_anew(house, make_raster):
    path = make_raster()
    job = house.send(path).json()
    house.client.delete(f"/jobs/{job['id']}")
    for data in house.settings.uploads_folder.glob("*/data/*"):
        data.unlink()
    refused = house.client.post(f"/jobs/{job['id']}/resume")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:orthoscape:problem:source-gone")
    again = house.send(path)
    assert again.status_code == 201
    assert again.json()["id"] != job["id"]


def test_a_key_makes_a_request_safe_to_repeat(house, make_raster):
    path, key = make_raster(), {"Idempotency-Key": "abc"}

    def send(**fields):
        with path.open("rb") as file:
            return house.client.post("/predict", files={"file": file}, data=TINY | fields, headers=key)

    refused = send(model="none-such")
    assert refused.status_code == 422  # and the key is free again
    first = send(force="true")
    assert first.status_code == 201
    again = send(force="true")
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    other = send(force="true", title="other")
    assert (other.status_code, other.json()["type"]) == (422, "urn:orthoscape:problem:request-differs")


def test_a_key_tells_files_in_other_fields_apart(house, make_raster, monkeypatch):
    one, other = (make_raster(f"{seed}.tif", seed=seed).read_bytes() for seed in (1, 2))
    digests = []
    monkeypatch.setattr(house.store.requests, "remember", lambda **asked: digests.append(asked["digest"]))
    for files in ([("file", one), ("irc", other)], [("irc", one), ("file", other)]):
        sent = [(field, (f"{field}.tif", content)) for field, content in files]
        house.client.post("/predict", files=sent, data=TINY, headers={"Idempotency-Key": "abc"})
    assert len(set(digests)) == 2


def test_a_key_is_kept_however_long_it_takes_to_understand(house, make_raster, monkeypatch):
    monkeypatch.setattr("service.api.answering.GIVEN_UP_S", 0.5)
    monkeypatch.setattr("service.jobs.requests.GIVEN_UP_S", 0.5)
    path, key = make_raster(), {"Idempotency-Key": "abc"}

    def understand_slowly(*args, **options):
        time.sleep(1.5)
        return understand(*args, **options)

    monkeypatch.setattr("service.api.answering.understand", understand_slowly)

    def send(wait_s):
        time.sleep(wait_s)
        with path.open("rb") as file:
            return house.client.post("/predict", files={"file": file}, data=TINY, headers=key).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(send, (0.0, 1.0))) == [201, 409]


def test_equal_requests_at_the_same_moment_are_one_job(house, make_raster, monkeypatch):
    path = make_raster()
    look_together(house, monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: house.send(path), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_equal_requests_at_the_same_moment_resume_a_job_once(house, make_raster, monkeypatch):
    path = make_raster()
    house.fail(house.send(path).json()["id"])
    look_together(house, monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        answers = [answer.json() for answer in pool.map(lambda _: house.send(path), range(2))]
    assert sorted(answer["resumed"] for answer in answers) == [False, True]
    assert len({answer["id"] for answer in answers}) == 1

"""Errors: one shape, whatever went wrong, and nothing of the inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models.errors
import service.errors
from models.registry import PACKAGED_FOLDER
from service.access.errors import KeyMissing, ScopeMissing
from service.api.problems import STATUSES, status_of
from service.api.wording import Wording
from service.api.words import preferred_language
from service.jobs.errors import StoreUnavailable
from service.rasters.errors import BandMismatch, UnsupportedFormat
from service.settings import Settings

MEDIA = "application/problem+json"


def family(kind):
    return [kind, *(heir for child in kind.__subclasses__() for heir in family(child))]


def test_every_error_of_the_house_has_a_status():
    known = [
        kind for root in (service.errors.ServiceError, models.errors.ContractError) for kind in family(root)
    ]
    bare = {service.errors.ServiceError}
    assert [
        kind for kind in known if kind not in bare and not any(base in STATUSES for base in kind.__mro__)
    ] == []


def test_what_nobody_foresaw_is_500_without_a_word_of_the_cause(house, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(house.store, "jobs", broken)
    answer = house.client.get("/jobs")
    problem = answer.json()
    assert (answer.status_code, answer.headers["content-type"], problem["status"]) == (500, MEDIA, 500)
    assert "hunter2" not in answer.text
    assert problem["instance"] in problem["remedy"]
    assert any(getattr(record, "instance", None) == problem["instance"] for record in caplog.records)


def test_a_store_that_is_away_is_503_and_says_when_to_come_back(house, monkeypatch):
    def away(*_, **__):
        raise StoreUnavailable("the store is away", remedy="start it")

    monkeypatch.setattr(house.store, "jobs", away)
    answer = house.client.get("/jobs")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["type"] == "urn:orthoscape:problem:store-unavailable"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/nowhere", 404),
        ("put", "/jobs", 405),
        ("get", "/predict", 405),
        ("get", "/static/nope.js", 404),
    ],
)
def test_the_routers_own_errors_are_problems(house, method, path, status):
    answer = house.client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA)
    assert answer.json()["status"] == status
    assert status != 405 or answer.headers["allow"]


def test_other_sites_read_of_a_server_without_keys_only_what_they_know_the_address_of(house):
    other = {"Origin": "https://elsewhere.example"}
    assert "access-control-allow-origin" not in house.client.get("/jobs", headers=other).headers
    assert house.client.get("/openapi.json", headers=other).headers["access-control-allow-origin"] == "*"
    assert house.client.post("/predict", headers=other).status_code == 403


@pytest.mark.parametrize("path", ["__init__.py", "%2e%2e/errors.py", "../errors.py"])
def test_the_pages_folder_gives_no_code_away(house, path):
    assert house.client.get(f"/static/{path}").status_code == 404


@given(st.text(max_size=60))
def test_any_accept_language_is_read(text):
    assert preferred_language(text) in ("en", "fr")


@given(st.text(max_size=60))
def test_wording_leaves_other_texts_alone(text):
    words = Wording("/srv/uploads")
    if "--" not in text and "/srv" not in text:
        assert words.for_callers(text) == text


def test_statuses_come_from_the_nearest_ancestor():
    assert status_of(KeyMissing("x")) == 401
    assert status_of(ScopeMissing("write")) == 403
    assert status_of(BandMismatch(expected=("nir",), found=())) == 422
    assert status_of(UnsupportedFormat("x")) == 415
    assert status_of(RuntimeError()) == 500


def test_callers_read_nothing_of_where_the_servers_folders_lie(tmp_path):
    offered = tmp_path / "home" / "offered"
    settings = Settings(
        home=tmp_path / "home", staging=tmp_path / "fast" / "staging", source_folders=[offered]
    )
    plain = Wording.of(settings).plain
    home = settings.home
    assert (
        plain(f"no model 'a@1' in {PACKAGED_FOLDER}, {home}/models") == "no model 'a@1' in artefacts, models"
    )
    assert plain(f"{home}/uploads/01kat3/data/a.tif: bad") == "a.tif: bad"
    assert plain(f"'{home}/maps/01kat3/.blocks/b.tif' is gone") == "'maps/01kat3/.blocks/b.tif' is gone"
    assert plain(f"{settings.staging_folder}/abc.tif is full") == "staging/abc.tif is full"
    assert plain(f"{offered}/a.tif; name a file in: {offered}") == f"a.tif; name a file in: {offered}"
    assert plain("the child of worker node7-4711 died") == "the child of a worker died"
    assert plain(f"/else{home}/maps/a") == f"/else{home}/maps/a"
    assert Wording.of(Settings(home="/")).plain("/maps/a and /b") == "/maps/a and /b"

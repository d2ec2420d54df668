"""What /docs shows of POST /predict is what is taken and answered."""

import json

import pytest

from service.api.asking import read_fields
from service.api.examples import JOB, PREDICT
from service.api.schemas import JobOut


@pytest.fixture
def described(house):
    """POST /predict in the OpenAPI document."""
    return house.client.get("/openapi.json").json()["paths"]["/predict"]["post"]


def test_three_requests_and_an_answer_are_shown_whole(described):
    shown = described["requestBody"]["content"]["application/json"]["examples"]
    assert shown == json.loads(json.dumps(PREDICT))
    assert len(shown) == 3
    answer = described["responses"]["201"]["content"]["application/json"]
    assert answer["example"] == JOB
    assert "JobOut" in str(answer["schema"])


@pytest.mark.parametrize("name", PREDICT)
def test_each_request_is_one(name):
    fields = read_fields(PREDICT[name]["value"])
    assert fields.source


def test_the_requests_differ_in_what_they_show():
    path, upload, estimate = (PREDICT[name]["value"] for name in ("path", "upload", "estimate"))
    assert path["source"].startswith("/")
    assert upload["source"].startswith("upload:")
    assert len(upload) > 4
    assert estimate["dry_run"] is True


def test_the_answer_is_as_a_real_one(open_house, make_raster):
    house = open_house(has_pictures=True)
    house.register("onnxruntime-1-fp32-cpu-x")
    real = house.send(make_raster("annecy.tif")).json()
    JobOut.model_validate(JOB)
    assert (JOB["status"], JOB["title"]) == (real["status"], real["title"])
    assert list(JOB) == list(real)
    in_links = {real["id"]: JOB["id"], real["map"]["id"]: JOB["map"]["id"], "127.0.0.1": "localhost"}
    assert all(len(found) == len(shown) for found, shown in in_links.items())
    text = json.dumps(real["links"])
    for found, shown in in_links.items():
        text = text.replace(found, shown)
    assert json.loads(text) == JOB["links"]
    assert real["message"] == JOB["message"]

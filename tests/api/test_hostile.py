"""What hostile callers send beside files: numbers, names, texts and amounts that nobody meant."""

import io
import logging
import time

import pytest
from fastapi.exceptions import RequestValidationError

from service.api.asking import MAX_FAULTS, read_fields
from service.api.forms import MAX_FIELD_BYTES, FormReceiver, Received
from service.api.mapfiles import _ranges_of
from service.api.problems import MEDIA_TYPE, MalformedRequest, PayloadTooLarge
from service.api.receiving import _json_object, _pairs
from service.api.tiling import read_tile_style
from service.api.uploadfolder import MAX_NAME_BYTES, safe_name
from service.errors import RequestError
from service.logs import TextLines
from tests.api.conftest import TINY

ENDLESS = "9" * 5000
"""A number that Python refuses to read."""


def problem_of(answer, status: int) -> dict:
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), answer.text
    return answer.json()


@pytest.mark.parametrize("place", [f"{ENDLESS}/0/0", f"0/{ENDLESS}/0", f"0/0/{ENDLESS}", "999999999999/0/0"])
def test_a_tile_of_endless_numbers_is_none(house, place):
    for kind in ("tiles", "image/tiles"):
        problem_of(house.client.get(f"/maps/none/{kind}/{place}.png"), 404)


@pytest.mark.parametrize("since", [2**63, 10**30, ENDLESS])
def test_blocks_since_a_number_that_no_store_holds(house, make_raster, since):
    job = house.send(make_raster(shape=(3, 80, 80))).json()
    problem_of(house.client.get(f"/jobs/{job['id']}/blocks?since={since}"), 422)


def test_a_confidence_of_endless_digits():
    with pytest.raises(RequestError, match="no percentage"):
        read_tile_style("cosia-16", f"min_confidence={ENDLESS}")


@pytest.mark.parametrize("asked", [f"bytes={ENDLESS}-", f"bytes=-{ENDLESS}", f"bytes=0-{ENDLESS}"])
def test_a_range_of_endless_digits_is_none(asked):
    assert _ranges_of(asked) is None


@pytest.mark.parametrize(
    "body", [r'{"\ud800": 1}', r'{"title": "\ud800", "source": "x"}', b'{"\xed\xa0\x80": 1}']
)
def test_halves_of_characters_are_no_text(house, body):
    answer = house.client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    problem_of(answer, 400)


def test_half_a_character_in_an_area_is_told_of(house, make_raster):
    problem = problem_of(house.send(make_raster(shape=(3, 80, 80)), aoi=r'{"type": "\ud800"}'), 422)
    assert "\\ud800" in problem["detail"] or "\ud800" in problem["detail"]


def test_an_answer_tells_of_some_faults_of_many(house):
    fields = {f"field{number}": 1 for number in range(1000)}
    problem = problem_of(house.client.post("/predict", json=fields), 422)
    assert len(problem["errors"]) == MAX_FAULTS


@pytest.mark.parametrize(
    "fields", [{f"field{number}": 1 for number in range(10**6)}, {"source": [1] * 10**6}, {"x" * 10**6: 1}]
)
def test_a_million_faults_cost_no_more_than_those_that_are_told(fields):
    """Telling pydantic's of a million fields took 10 s, in which the server answered nobody."""
    begun_s = time.process_time()
    with pytest.raises(RequestValidationError) as caught:
        read_fields(fields)
    assert time.process_time() - begun_s < 2.0
    assert len(str(caught.value.errors())) < 50_000


@pytest.mark.parametrize("day", ["2024-02-30", "0000", "2024-13", "20240615", "2024-06-15T00", "٢٠٢٤"])
def test_days_that_no_calendar_has(house, day):
    problem = problem_of(house.client.post("/predict", json={"acquisition_date": day}), 422)
    assert problem["errors"][0]["pointer"] == "#/acquisition_date"


@pytest.mark.parametrize("title", ["a\u2028b", "a\u202eb", "a\x85b", "\x1b[31m"])
def test_titles_are_one_printable_line(house, title):
    problem = problem_of(house.client.post("/predict", json={"title": title}), 422)
    assert problem["errors"][0]["pointer"] == "#/title"


@pytest.mark.parametrize(
    "name", ["漢" * 200 + ".tif", "é" * 130 + ".tif", "x" * 300, "x." + "漢" * 200, "𐐀" * 90]
)
def test_names_fit_into_any_file_system(name):
    safe = safe_name(name)
    assert len(safe.encode()) <= MAX_NAME_BYTES
    assert safe[0] == name[0]
    assert safe.endswith(".tif") == name.endswith(".tif")


def test_a_file_of_a_long_name_is_mapped(house, make_raster):
    content = make_raster(shape=(3, 80, 80)).read_bytes()
    sent = {"file": ("漢" * 200 + ".tif", content)}
    assert house.client.post("/predict", files=sent, data=TINY | {"dry_run": "true"}).status_code == 200


def test_a_raw_body_that_is_named_twice(house):
    answer = house.client.post(
        "/predict?filename=a.tif&filename=b.tif", content=b"none", headers={"Content-Type": "image/tiff"}
    )
    assert "b.tif" in problem_of(answer, 415)["detail"]


def part(name: str, content: bytes, filename: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    head = f'--X\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def test_fields_of_a_form_are_small_together():
    receiver = FormReceiver("multipart/form-data; boundary=X", Received(), lambda _: None, max_bytes=2**40)
    third = part("title", bytes(MAX_FIELD_BYTES // 3))
    for _ in range(3):
        receiver.feed(third)
    with pytest.raises(PayloadTooLarge, match="fields of more"):
        receiver.feed(third)


def test_files_of_a_form_are_no_larger_together_than_one_may_be(open_house):
    house = open_house(upload_max_bytes=1000)
    body = part("aoi", b"{" * 600, "a.json") + part("aoi", b"{" * 600, "b.json") + b"--X--\r\n"
    chunks = io.BytesIO(body)  # without a length, which would be refused at once
    answer = house.client.post(
        "/predict",
        content=iter(lambda: chunks.read(100), b""),
        headers={"Content-Type": "multipart/form-data; boundary=X"},
    )
    problem_of(answer, 413)
    assert house.left == []


def test_a_body_of_fields_that_is_too_long_is_told_to_send_a_file(house):
    body = b'{"title": "' + b"x" * MAX_FIELD_BYTES + b'"}'
    answer = house.client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert problem_of(answer, 413)["remedy"] == "send what is long as a file: -F aoi=@area.gpkg"


def test_bodies_of_endless_fields_are_no_requests():
    with pytest.raises(MalformedRequest, match="fields"):
        _pairs(b"source=1&" * 3000)
    with pytest.raises(MalformedRequest):
        _json_object(b"[" * 100_000)


def test_an_address_forges_no_line_of_the_log():
    name = "\n2026-01-01 00:00:00 ERROR forged\x1b[2K\u2028"
    record = logging.makeLogRecord({"msg": "GET %s", "args": (name,), "path": name, "levelname": "INFO"})
    line = TextLines().format(record)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert "\\n2026-01-01" in line


def test_a_body_of_unknown_length_leaves_room_on_the_disk(open_house, monkeypatch):
    house = open_house(disk_kept_free_bytes=2**60)
    monkeypatch.setattr(house.app.state.services.uploads, "require_room", lambda _: None, raising=False)
    answer = house.client.post(
        "/predict", content=iter([b"II*\0", bytes(100)]), headers={"Content-Type": "image/tiff"}
    )
    assert problem_of(answer, 507)["remedy"]
    assert house.left == []

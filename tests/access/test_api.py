"""The door of the API: keys, scopes, other sites, limits, headers."""

import json
import logging

import pytest

from service.api.headers import FILE_POLICY, PAGE_POLICY
from service.jobs.keys import Keys
from service.logs import JsonLines, TextLines, without_keys
from service.settings import Settings

UNKNOWN_TILE = "/maps/none/tiles/1/0/0.png"


def test_without_keys_this_machine_is_served(client):
    assert client.get("/jobs").status_code == 200


def test_with_a_key_in_the_store_every_request_needs_one(client, key_of):
    key_of("read")
    refused = client.get("/jobs")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert "X-API-Key" in refused.json()["remedy"]


@pytest.mark.parametrize(
    "form",
    [
        lambda key: {"X-API-Key": key},
        lambda key: {"Authorization": f"Bearer {key}"},
        lambda key: {"authorization": f"bearer  {key}"},
    ],
)
def test_a_key_opens_in_either_header(client, key_of, form):
    assert client.get("/jobs", headers=form(key_of("read"))).status_code == 200


def test_a_wrong_key_is_told_from_a_missing_one_and_from_nothing_else(client, key_of, store):
    text = key_of("read")
    Keys(store.database).revoke(text.split("_")[1])
    ended = client.get("/jobs", headers={"X-API-Key": text})
    invented = client.get("/jobs", headers={"X-API-Key": text[:-1] + ("a" if text[-1] != "a" else "b")})
    assert ended.status_code == invented.status_code == 401
    assert 'error="invalid_token"' in ended.headers["WWW-Authenticate"]
    assert ended.json() == invented.json()


def test_a_key_that_expired_opens_nothing_nor_the_door_to_all(client, key_of):
    text = key_of("admin", lasts_s=-1.0)
    assert client.get("/jobs", headers={"X-API-Key": text}).status_code == 401
    assert client.get("/jobs").status_code == 401


def test_reading_is_not_writing(client, key_of):
    reader, writer = ({"X-API-Key": key_of(scope)} for scope in ("read", "write"))
    refused = client.delete("/jobs/none", headers=reader)
    assert refused.status_code == 403
    assert 'scope="write"' in refused.headers["WWW-Authenticate"]
    assert "'write'" in refused.json()["detail"]
    assert client.delete("/jobs/none", headers=writer).status_code == 404


def test_a_key_in_the_address_reads_what_lies_under_maps_only(client, key_of):
    text = key_of("admin")
    for path in (UNKNOWN_TILE, "/maps/none/tilejson.json", "/maps/none/landcover.tif"):
        assert client.get(path).status_code == 401
        assert client.get(path, params={"key": text}).status_code == 404, path
    for path in ("/jobs", "/maps", "/maps/none"):
        assert client.get(path, params={"key": text}).status_code == 401, path
    assert client.delete("/maps/none", params={"key": text}).status_code == 401


def test_pages_of_other_sites_can_do_nothing_here(client):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        for method, path in (("POST", "/predict"), ("DELETE", "/jobs/none"), ("POST", "/jobs/none/resume"),
                             ("POST", "/uploads"), ("DELETE", "/maps/none")):  # fmt: skip
            sent = {"Tus-Resumable": "1.0.0", "Upload-Length": "1", **headers}
            assert client.request(method, path, headers=sent).status_code == 403, (method, path, headers)


def test_pages_of_other_sites_cannot_list_what_is_here(client):
    answer = client.get("/jobs", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_rebound_name_reads_nothing(client):
    for path in ("/jobs", "/maps", UNKNOWN_TILE):
        assert client.get(path, headers={"Host": "evil.example:8000"}).status_code == 403


def test_the_public_address_is_no_stranger(client_of, settings):
    client = client_of(Settings(home=settings.home, public_url="https://maps.example.org"))
    assert client.get("/jobs", headers={"Host": "maps.example.org"}).status_code == 200


def test_with_keys_any_name_and_any_site_will_do(client, key_of):
    headers = {"X-API-Key": key_of("write"), "Host": "any.example", "Origin": "https://other.example"}
    assert client.delete("/jobs/none", headers=headers).status_code == 404


def test_more_than_a_minute_holds_is_told_when_to_come_back_but_tiles_are_free(client_of, settings):
    client = client_of(Settings(home=settings.home, requests_per_minute=2))
    answers = [client.get("/jobs") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["Retry-After"]) >= 1
    for path in (UNKNOWN_TILE, "/wmts?REQUEST=GetTile&layer=none"):
        assert client.get(path).status_code == 404
    assert client.get("/wmts").status_code == 429
    assert client.get("/healthz").status_code == 200


def test_keys_never_see_each_other_and_admins_see_all(client, key_of):
    town, county = (key_of("write", owner=owner) for owner in ("town", "county"))
    assert client.get("/maps", headers={"X-API-Key": town}).status_code == 200
    assert client.get("/maps", headers={"X-API-Key": county}).status_code == 200


def test_the_page_runs_nothing_foreign_and_files_run_nothing(client):
    page = client.get("/")
    assert page.headers["Content-Security-Policy"] == PAGE_POLICY
    assert page.headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in PAGE_POLICY
    assert "*" not in PAGE_POLICY
    answer = client.get("/version")
    assert answer.headers["Content-Security-Policy"] == FILE_POLICY
    for each in (page, answer, client.get("/nowhere")):
        assert each.headers["X-Content-Type-Options"] == "nosniff"
        assert each.headers["Referrer-Policy"] == "no-referrer"


def test_answers_to_keys_are_never_public(client, key_of):
    text = key_of("read")
    for kwargs in ({"headers": {"X-API-Key": text}}, {"params": {"key": text}}):
        assert "public" not in client.get("/classes", **kwargs).headers.get("Cache-Control", "")


def test_openapi_names_the_key(client):
    schemes = client.get("/openapi.json").json()["components"]["securitySchemes"]
    assert {"type", "in", "name"} <= set(schemes["key"])


def test_the_log_tells_which_key_but_never_the_key(client, key_of, caplog):
    caplog.set_level(logging.DEBUG)
    text = key_of("read")
    client.get(UNKNOWN_TILE, params={"key": text})
    record = next(record for record in caplog.records if record.name == "service.api.observing")
    assert record.key == text.split("_")[1]
    assert text.split("_")[2] not in "".join(JsonLines().format(record) for record in caplog.records)


def test_lines_for_machines_are_json_with_the_trace(client, caplog):
    caplog.set_level(logging.INFO)
    trace = "0af7651916cd43dd8448eb211c80319c"
    client.get("/version", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    record = next(record for record in caplog.records if record.name == "service.api.observing")
    line = json.loads(JsonLines().format(record))
    assert (line["method"], line["path"], line["status"], line["level"]) == ("GET", "/version", 200, "info")
    assert line["duration_s"] >= 0


def test_keys_in_addresses_are_blotted_out_of_any_line():
    line = logging.makeLogRecord(
        {"msg": 'GET "/maps/a/tiles/1/0/0.png?style=cvd&key=%s"', "args": ("ortho_a_b",)}
    )
    for form in (TextLines(), JsonLines()):
        assert "ortho_a_b" not in form.format(line)
    assert without_keys("?key=abc&style=cvd") == "?key=...&style=cvd"

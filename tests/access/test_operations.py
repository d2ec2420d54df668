"""Health, readiness, versions and figures."""

import re

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from service.jobs.records import WorkerInfo


def _families(text):
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_alive_asks_nobody(client, store):
    asked = []
    hear = asked.append
    sa.event.listen(store.database.engine, "begin", hear)
    assert client.get("/healthz").json() == {"status": "ok"}
    sa.event.remove(store.database.engine, "begin", hear)
    assert not asked


def test_ready_names_what_lacks(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert {entry["part"] for entry in answer.json()["errors"]} == {"worker", "broker"}
    assert "no worker is alive" in answer.json()["detail"]


def test_versions_are_told(client):
    told = client.get("/version").json()
    assert {"orthoscape", "gdal", "python", "rasterio"} <= set(told)
    assert all(re.match(r"\d", version) for version in told.values())


def test_figures_are_prometheus_and_bear_no_ids(client, store):
    store.register_worker(WorkerInfo(id="w1", profile_class="cpu-x", host="here", pid=1, mpx_per_s=2.5))
    client.get("/maps/some-id/tiles/3/1/2.png")
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = _families(answer.text)
    assert {sample.labels["status"] for sample in families["orthoscape_jobs"].samples} == {
        "accepted", "running", "successful", "failed", "dismissed",
    }  # fmt: skip
    assert families["orthoscape_workers"].samples[0].value == 1
    assert families["orthoscape_worker_pixels_per_second"].samples[0].value == 2.5e6
    assert {"orthoscape_http_requests", "orthoscape_http_request_seconds", "orthoscape_tile_seconds"} <= set(
        families
    )
    assert "some-id" not in answer.text


def test_figures_need_a_key_where_keys_are_asked_for(client, key_of):
    text = key_of("read")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    for path in ("/healthz", "/version"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/version", "/metrics"])
def test_other_methods_are_told_which_do(client, path):
    assert client.post(path).status_code == 405

"""Health, readiness, versions and figures."""

import re

import pytest
import sqlalchemy as sa
from prometheus_client.openmetrics import exposition, parser
from prometheus_client.parser import text_string_to_metric_families

from service.api.metrics import metrics_registry
from service.jobs.records import WorkerInfo
from tests.jobs.plans import CLASS_A, make_job, make_planned, make_profile


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
    store.fleet.register(WorkerInfo(id="w1", profile_class="cpu-x", host="here", pid=1, mpx_per_s=2.5))
    client.get("/maps/some-id/tiles/3/1/2.png")
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = _families(answer.text)
    assert {sample.labels["status"] for sample in families["orthoscape_store_jobs"].samples} == {
        "accepted", "running", "successful", "failed", "dismissed",
    }  # fmt: skip
    assert families["orthoscape_workers"].samples[0].value == 1
    assert families["orthoscape_worker_pixels_per_second"].samples[0].value == 2.5e6
    assert {"orthoscape_http_requests", "orthoscape_http_request_seconds", "orthoscape_tile_seconds"} <= set(
        families
    )
    assert "some-id" not in answer.text


def _value(text, name, **labels):
    (found,) = (
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if (sample.name, sample.labels) == (name, labels)
    )
    return found


def test_counters_of_the_store_go_on_when_a_job_is_deleted(client, store):
    named = (
        ("orthoscape_jobs_total", {"status": "successful"}),
        ("orthoscape_blocks_total", {"status": "done"}),
        ("orthoscape_pixels_total", {}),
        ("orthoscape_inference_seconds_count", {"model": "tiny@1", "device": "cpu"}),
        ("orthoscape_inference_seconds_sum", {"model": "tiny@1", "device": "cpu"}),
        ("orthoscape_job_duration_seconds_count", {}),
        ("orthoscape_job_duration_seconds_bucket", {"le": "604800.0"}),
        ("orthoscape_job_duration_seconds_bucket", {"le": "+Inf"}),
    )
    before = client.get("/metrics").text
    job = store.create_job(make_job(make_planned(rows=1, cols=2)))
    while lease := store.claim("w", CLASS_A, lease_s=60):
        store.pin_profile(job.id, make_profile())
        for unit in lease.units:
            store.finish_unit(lease, unit.id, engine_s=0.25)
    told = client.get("/metrics").text
    store.delete_job(job.id)
    after = client.get("/metrics").text
    assert [_value(told, name, **labels) for name, labels in named] == [
        _value(after, name, **labels) for name, labels in named
    ]
    assert _value(after, "orthoscape_inference_seconds_sum", model="tiny@1", device="cpu") >= 0.5
    for name, labels in (named[0], named[1], named[2], named[5]):
        assert _value(after, name, **labels) > _value(before, name, **labels)
    assert job.id not in told + after


def test_no_name_is_two_things_to_openmetrics(client, store):
    """There a counter's name is without ``_total``; its parser refuses names that clash."""
    client.get("/version")
    text = exposition.generate_latest(metrics_registry(store)).decode()
    kinds = {family.name: family.type for family in parser.text_string_to_metric_families(text)}
    assert {name: kinds[f"orthoscape_{name}"] for name in ("jobs", "blocks", "pixels", "store_jobs")} == {
        "jobs": "counter", "blocks": "counter", "pixels": "counter", "store_jobs": "gauge",
    }  # fmt: skip
    assert kinds["orthoscape_job_duration_seconds"] == "histogram"
    assert kinds["orthoscape_inference_seconds"] == "summary"


def test_figures_need_a_key_where_keys_are_asked_for(client, key_of):
    text = key_of("read")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    for path in ("/healthz", "/version"):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/version", "/metrics"])
def test_other_methods_are_told_which_do(client, path):
    assert client.post(path).status_code == 405

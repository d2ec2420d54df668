"""A server that is asked to end while somebody listens."""

import os
import subprocess
import sys
import threading
import time

import httpx
import pytest

from tests.artefacts import write_tiny_artefact
from tests.needs import needs_redis_server

END_S = 2.0
"""Longest that it may take; uvicorn would wait three seconds for a listener, and then log an error."""


@pytest.fixture
def serving(tmp_path):
    """``orthoscape serve`` without a worker, so that its jobs stay as they are: (process, address)."""
    needs_redis_server()
    write_tiny_artefact(tmp_path / "home" / "models", "tiny-rgb")
    others = {name: value for name, value in os.environ.items() if not name.startswith("ORTHOSCAPE_")}
    command = (sys.executable, "-c", "from service.cli.main import main; main()", "serve", "--port", "0")
    with (tmp_path / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--workers", "0"],
            env=others | {"ORTHOSCAPE_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    yield process, process.stdout.readline().split()[-1]
    process.kill()
    process.wait()
    process.stdout.close()


def test_listeners_are_let_go_at_once_without_an_end_and_without_an_error(serving, make_raster, tmp_path):
    process, address = serving
    with make_raster().open("rb") as file:
        job = httpx.post(
            f"{address}/predict", files={"file": file}, data={"model": "tiny-rgb"}, timeout=60
        ).json()
    with httpx.stream("GET", job["links"]["events"]["href"], timeout=60) as events:
        lines = events.iter_lines()
        assert next(lines) == "event: job"
        started = time.monotonic()
        process.terminate()
        rest = list(lines)  # the stream ends as it should, not as a connection that broke
        process.wait(30)
        elapsed_s = time.monotonic() - started
    assert "event: end" not in rest, "the job goes on: who listens is to come back"
    assert elapsed_s < END_S
    assert "ERROR" not in (tmp_path / "serve.log").read_text()


def test_who_waits_for_a_job_hears_how_it_stands(serving, make_raster):
    process, address = serving
    wait = {"Prefer": "wait=60"}
    with make_raster().open("rb") as file, httpx.Client(timeout=60) as client:
        data = {"model": "tiny-rgb"}
        client.post(f"{address}/predict", files={"file": ("a.tif", file)}, data=data)
        file.seek(0)
        again = client.build_request(
            "POST", f"{address}/predict", files={"file": ("a.tif", file)}, data=data, headers=wait
        )
        ender = threading.Timer(1.5, process.terminate)
        ender.start()
        answer = client.send(again)
        ender.join()
    assert (answer.status_code, answer.json()["status"]) == (200, "accepted")
    assert process.wait(30) == 0

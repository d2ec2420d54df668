"""The bell may fail in any way: nothing else fails with it."""

import logging
import time

import pytest
import redis

from service.embedded.house import House
from service.embedded.places import socket_of
from service.jobs.bell import CeleryBell
from service.jobs.records import WorkerInfo
from service.jobs.store import Store
from service.settings import Settings
from service.worker.pace import Pace
from service.worker.reconciling import Presence
from tests.needs import needs_redis_server

REFUSALS = {
    "full": ("CONFIG", "SET", "maxmemory", "1"),
    "a replica": ("REPLICAOF", "127.0.0.1", "1"),
    "closed to us": ("ACL", "SETUSER", "default", "-@all", "+ping", "+client", "+hello", "+select"),
}
"""Ways for a Redis that can be reached to take nothing."""


@pytest.mark.parametrize("why", sorted(REFUSALS))
def test_a_broker_that_refuses_is_logged_and_never_raised(tmp_path, caplog, why):
    needs_redis_server()
    socket = socket_of(tmp_path, base=tmp_path)
    with House() as house:
        settings = Settings(home=tmp_path, broker_url=house.add_broker(socket))
        bell = CeleryBell(settings)
        bell.ring(None)
        assert caplog.text == ""
        with redis.Redis(unix_socket_path=str(socket)) as client:
            client.execute_command(*REFUSALS[why])
        bell.ring("a-class", times=2)
        assert "the bell was not rung" in caplog.text
        assert bell.is_reachable() in (True, False)


class BrokenBell:
    def ring(self, profile_class):
        raise ValueError(f"cracked, for {profile_class}")


def test_a_worker_is_there_whatever_becomes_of_a_look(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("service.worker.reconciling._WATCH_S", 0.02)
    store = Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}")
    monkeypatch.setattr(store, "num_claimable", lambda _: 1)
    info = WorkerInfo(id="w", profile_class="class", host="here", pid=1)
    with caplog.at_level(logging.ERROR), Presence(store, BrokenBell(), info, Pace()):
        give_up = time.monotonic() + 20
        while caplog.text.count("cracked") < 2 and time.monotonic() < give_up:
            time.sleep(0.02)
        seen = store.fleet.workers()[0].last_seen
        while store.fleet.workers()[0].last_seen == seen and time.monotonic() < give_up:
            time.sleep(0.02)
        assert store.fleet.workers()[0].last_seen > seen
    assert store.fleet.workers() == []
    store.close()

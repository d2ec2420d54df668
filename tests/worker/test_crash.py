"""Whatever is killed, whenever: the same map, the job at its end, and only what was in flight done again."""

import os
import random
import subprocess
import sys
import time

import psutil
import pytest
import redis

from service.embedded.broker import is_answering
from service.embedded.places import socket_of
from service.jobs.records import JobStatus, UnitKind
from service.jobs.tallies import read_totals
from tests.needs import needs_redis_server
from tests.worker.conftest import DEADLINE_S, children_of, parts_of, plan

KILLS = {"child": 7, "worker": 4, "redis": 4, "serve": 5}
"""Twenty."""
IN_FLIGHT = {"child": 1, "worker": 1, "redis": 0, "serve": 2}
"""Leases that a kill may cost: there are two workers, and the broker holds none."""
RUN_BLOCKS = 4


class Supervised:
    """`orthoscape serve`, started again whenever it is gone, as systemd or Docker would."""

    def __init__(self, environment, folder):
        self.environment, self.log = environment, (folder / "serve.log").open("ab")
        self.process = None
        self.revive()

    def revive(self):
        if self.process is None or self.process.poll() is not None:
            command = "from service.cli import main; main()"
            self.process = subprocess.Popen(
                [sys.executable, "-c", command, "serve", "--port", "0", "--workers", "2"],
                env=self.environment,
                stdout=self.log,
                stderr=self.log,
            )

    def kill(self, kind, chance):
        """Kill one process of a kind; returns all that have to be gone then."""
        if kind == "serve":
            family = children_of(self.process.pid)
            self.process.kill()
            self.process.wait()
            return family
        found = parts_of(self.process.pid)[kind]
        if not found:
            return []
        process = chance.choice(found)
        family = children_of(process.pid)
        process.kill()
        return family

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.mark.slow
def test_twenty_kills_leave_the_same_map(workshop, workplace, expected_of_large, tmp_path, request):
    needs_redis_server()
    workshop.planned = plan(workplace / "large.tif", workshop.settings)
    chance = random.Random(workshop.settings.resolved_store_url.startswith("sqlite"))
    counted_before = read_totals(workshop.store.database)  # PostgreSQL is one for all tests
    job = workshop.order()
    serve = Supervised(os.environ | workshop.environment, tmp_path)
    request.addfinalizer(serve.end)
    kinds = [kind for kind, times in KILLS.items() for _ in range(times)]
    chance.shuffle(kinds)
    # Four before the first block, two while the sheet is put together, the rest between blocks.
    total = job.blocks_total
    assert total >= 300
    moments = sorted([0] * 4 + [chance.randrange(1, total) for _ in range(14)] + [total] * 2)
    family, there = [], {}
    give_up = time.monotonic() + DEADLINE_S
    for kind, moment in zip(kinds, moments, strict=True):
        while workshop.job(job).blocks_done < moment:
            assert time.monotonic() < give_up, workshop.store.log(job.id)
            serve.revive()
            time.sleep(0.005)
        time.sleep(chance.random() * (0.1 if moment else 1.5))
        now = workshop.blocks_there(job)
        if workshop.job(job).sheets_done == 0 and len(now) >= len(there):
            assert {name: now.get(name) for name in there} == there, "blocks that were done were done again"
        there = now
        family += serve.kill(kind, chance)
    while not workshop.job(job).status.is_terminal:
        assert time.monotonic() < give_up, workshop.store.log(job.id)
        serve.revive()
        time.sleep(0.05)
    done = workshop.job(job)
    assert done.status == JobStatus.SUCCESSFUL, done.error
    assert workshop.digest(job) == expected_of_large
    counted = read_totals(workshop.store.database)
    assert counted.blocks["done"] - counted_before.blocks["done"] == total, "each block counts once"
    assert counted.jobs["successful"] - counted_before.jobs["successful"] == 1
    attempts = [unit.attempts for unit in workshop.store.units(job.id, kind=UnitKind.BLOCK)]
    in_flight = RUN_BLOCKS * sum(times * IN_FLIGHT[kind] for kind, times in KILLS.items())
    assert sum(attempts) - len(attempts) <= in_flight
    family += serve.kill("serve", chance)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, [process.cmdline() for process in alive]


@pytest.mark.slow
def test_a_broker_that_forgets_everything_changes_nothing(workshop, expected):
    with workshop.house(workers=2) as house:
        job = workshop.order()
        workshop.bell.ring(None)
        for enough in (10, 40, 70):
            house.live(lambda enough=enough: workshop.job(job).blocks_done >= enough)
            with redis.Redis(unix_socket_path=str(socket_of(workshop.settings.home))) as client:
                client.flushall()
        house.live(workshop.is_over(job))
    assert workshop.digest(job) == expected


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_broker_that_is_away_for_a_while_is_waited_for(workshop, expected):
    """Work goes on without it, and who was idle comes when it is back."""
    socket = socket_of(workshop.settings.home)
    with workshop.house() as house:
        pid = psutil.Process().pid
        job = workshop.order()
        house.live(lambda: workshop.job(job).blocks_done >= 10)
        broker = parts_of(pid)["redis"][0]
        broker.suspend()
        assert not is_answering(socket)
        house.live(workshop.is_over(job))
        later = workshop.order(content_key="later")
        broker.kill()
        house.live(workshop.is_over(later))
    assert workshop.digest(job) == workshop.digest(later) == expected

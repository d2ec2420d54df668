"""A house keeps its members up, and ends them with itself."""

import sys
import time

import psutil
import pytest

from service.embedded.broker import is_answering
from service.embedded.house import House, MemberRefused
from service.embedded.members import EXIT_REFUSED, Role
from service.embedded.places import socket_of
from tests.needs import needs_redis_server


def role(code: str, **options) -> Role:
    return Role(name="member", command=[sys.executable, "-S", "-c", code], **options)


def until(condition, *, seconds=20):
    give_up = time.monotonic() + seconds

    def is_over():
        assert time.monotonic() < give_up
        return condition()

    return is_over


def test_a_member_that_ends_is_started_again(tmp_path):
    mark = tmp_path / "mark"
    with House() as house:
        house.add(role(f"open({str(mark)!r}, 'a').write('.')"))
        house.live(until(lambda: mark.exists() and len(mark.read_text()) >= 3))


def test_a_member_that_cannot_run_ends_the_house():
    with House() as house:
        house.add(role(f"raise SystemExit({EXIT_REFUSED})"))
        with pytest.raises(MemberRefused):
            house.live(until(lambda: False))


def test_a_member_that_does_not_end_is_killed():
    with House() as house:
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(100)"
        member = house.add(role(code, patience_s=0.2))
        process = psutil.Process(member.pid)
        time.sleep(0.2)
    assert not process.is_running()


def test_the_private_redis_comes_back_where_it_was(tmp_path):
    needs_redis_server()
    socket = socket_of(tmp_path, base=tmp_path)
    with House() as house:
        house.add_broker(socket)
        first = next(c for c in psutil.Process().children() if str(socket) in " ".join(c.cmdline()))
        first.kill()
        house.live(until(lambda: not first.is_running() and is_answering(socket)))
    assert not is_answering(socket)

"""A child of a worker that does not come to its work ends, whatever the reason."""

import contextlib
import os

import pytest

from service.settings import Settings
from service.worker.leaving import WorkerLeaving
from service.worker.starting import Crew


class Ended(BaseException):
    """Instead of the end of this process."""


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Begin as a child of a worker does; a function that takes what goes wrong, and returns how it ended."""
    crew, ends = Crew(Settings(home=tmp_path), name="w"), []
    monkeypatch.setattr(crew._stop, "hold", lambda: None)
    monkeypatch.setattr(os, "kill", lambda pid, number: ends.append((pid == os.getppid(), int(number))))

    def end(code):
        ends.append(code)
        raise Ended

    monkeypatch.setattr(os, "_exit", end)

    def begin_with(error):
        def fail():
            raise error

        monkeypatch.setattr(crew, "_open", fail)
        with contextlib.suppress(Ended):
            crew._begin()
        return ends

    return begin_with


@pytest.mark.parametrize("error", [ValueError("not foreseen"), MemoryError(), SystemExit(3)])
def test_a_child_that_meets_the_unforeseen_ends(begin, caplog, error):
    assert begin(error) == [70]
    assert "cannot begin" in caplog.text


def test_a_child_that_is_told_to_leave_waits_for_its_end(begin):
    assert begin(WorkerLeaving()) == []

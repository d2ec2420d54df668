"""Reading ahead and writing behind keep order, bounds and errors."""

import threading

import pytest

from service.inference.threads import WriteBehind, read_ahead


def test_items_come_in_order():
    assert list(read_ahead(iter(range(100)), max_items=3)) == list(range(100))


def test_no_more_is_read_than_asked_for():
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    ahead = read_ahead(items(), max_items=2)
    assert next(ahead) == 0
    ahead.close()
    assert len(taken) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise OSError("the disk")

    ahead = read_ahead(items(), max_items=2)
    assert next(ahead) == 1
    with pytest.raises(OSError, match="the disk"):
        next(ahead)


def test_everything_is_written_before_leaving():
    written = []
    with WriteBehind(written.append, max_items=2) as behind:
        for number in range(50):
            behind.submit(number)
    assert written == list(range(50))


def test_an_error_of_the_writer_reaches_the_owner_and_does_not_block_it():
    def write(number):
        if number == 3:
            raise OSError("disk full")

    def submit_all():
        with WriteBehind(write, max_items=1) as behind:
            for number in range(50):
                behind.submit(number)

    with pytest.raises(OSError, match="disk full"):
        submit_all()


def test_what_waits_is_dropped_when_the_owner_fails():
    gate, written = threading.Event(), []

    def write(number):
        gate.wait(5)
        written.append(number)

    def fail():
        with WriteBehind(write, max_items=10) as behind:
            for number in range(5):
                behind.submit(number)
            threading.Timer(0.1, gate.set).start()
            raise KeyError("owner")

    with pytest.raises(KeyError):
        fail()
    assert len(written) <= 1

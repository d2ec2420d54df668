"""A disk without room makes jobs wait, not fail: nothing is taken up, nothing costs an attempt."""

import logging
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.jobs.records import JobStatus, UnitKind, UnitStatus
from service.room import Room, is_full
from service.worker.waiting import NoRoom, RoomWatch
from tests.needs import lacking
from tests.worker.conftest import claim, work
from tests.worker.hooks import hook
from tests.worker.test_failures import bad_block

NUM_BYTES = 6 * 2**20
"""Of the small disk; the map under way takes less."""


@pytest.fixture
def small_disk(workshop) -> Iterator[Path]:
    """The folder of maps as a disk of its own."""
    folder = workshop.settings.maps_folder
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={NUM_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mounting, capture_output=True, check=False).returncode:
        lacking("a disk of a few MiB", "run as root, where file systems may be mounted")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, *, num_bytes_left: int) -> Path:
    """Fill a disk but for so many bytes; removing the file that is returned makes room."""
    filler = folder / "filler"
    filler.write_bytes(bytes(NUM_BYTES // 2))
    with filler.open("ab") as file:
        file.write(bytes(Room(folder=folder, kept_free_bytes=num_bytes_left).num_bytes))
    return filler


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("num_bytes_left", [0, 4096, 16_384, 100_000])
def test_blocks_wait_for_a_disk_that_is_really_full(
    workshop, processor, expected, small_disk, num_bytes_left
):
    job = workshop.order()
    filler = fill(small_disk, num_bytes_left=num_bytes_left)
    with pytest.raises(NoRoom):
        work(workshop, processor)
    open_units = [unit for unit in workshop.store.units(job.id) if unit.status != UnitStatus.DONE]
    assert {unit.attempts for unit in open_units} == {0}
    assert not list(small_disk.rglob("*.part*"))
    assert "No space left on device" in workshop.store.log(job.id)[-1].text
    filler.unlink()
    work(workshop, processor)
    assert workshop.job(job).status == JobStatus.SUCCESSFUL, workshop.job(job).error
    assert workshop.digest(job) == expected


@pytest.mark.parametrize("backend", ["sqlite"])
def test_products_and_pictures_wait_for_a_disk_that_is_really_full(workshop, processor, expected, small_disk):
    job = workshop.order(has_pictures=True)
    seen = set()
    while (lease := claim(workshop)) is not None:
        if lease.kind != UnitKind.BLOCK:
            for num_bytes_left in (0, 8192, 50_000, 200_000):
                filler = fill(small_disk, num_bytes_left=num_bytes_left)
                with pytest.raises(NoRoom):
                    processor.process(lease)
                filler.unlink()
                lease = claim(workshop)
                assert {unit.attempts for unit in lease.units} == {1}
            seen.add(lease.kind)
        processor.process(lease)
    assert seen == {UnitKind.SHEET, UnitKind.PICTURE}
    assert workshop.job(job).status == JobStatus.SUCCESSFUL, workshop.job(job).error
    assert workshop.digest(job) == expected


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_workers_take_nothing_up_below_the_mark(workshop, small_disk):
    filler = fill(small_disk, num_bytes_left=2**20)
    with workshop.house(workers=2, ORTHOSCAPE_DISK_KEPT_FREE_BYTES=str(2**21)) as house:
        job = workshop.order()
        workshop.bell.ring(None)
        began = time.monotonic()
        house.live(lambda: time.monotonic() - began > 8 and len(workshop.store.fleet.workers()) == 2)
        assert workshop.job(job).status == JobStatus.ACCEPTED
        filler.unlink()
        house.live(workshop.is_over(job))
    assert workshop.job(job).status == JobStatus.SUCCESSFUL
    assert {unit.attempts for unit in workshop.store.units(job.id)} == {1}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["sqlite"])
def test_a_write_that_finds_a_disk_full_is_tried_again_when_there_is_room(workshop, tmp_path, expected):
    """A quota, say, of which nothing but the write tells."""
    room = tmp_path / "room"
    environment = hook(tmp_path / "hook", block=bad_block(workshop), deed="full", until=room)
    with workshop.house(workers=2, **environment) as house:
        job = workshop.order()
        workshop.bell.ring(None)

        def times_given_back() -> int:
            return sum("given back" in entry.text for entry in workshop.store.log(job.id))

        is_over = workshop.is_over(job)
        house.live(lambda: times_given_back() >= 2 or is_over())
        began = time.monotonic()
        house.live(lambda: time.monotonic() - began > 5)
        assert not is_over()
        assert times_given_back() <= 6, "they wait longer each time"
        room.touch()
        house.live(workshop.is_over(job))
    assert workshop.job(job).status == JobStatus.SUCCESSFUL
    assert {unit.attempts for unit in workshop.store.units(job.id)} == {1}
    assert workshop.digest(job) == expected


def test_pauses_grow_while_writes_fail_and_end_with_a_lease(tmp_path, monkeypatch):
    now = 0.0
    monkeypatch.setattr("service.worker.waiting.time.monotonic", lambda: now)
    watch = RoomWatch(Room(folder=tmp_path, kept_free_bytes=0))
    pauses = []
    for _ in range(9):
        watch.note_full()
        began = now
        while not watch.is_open():
            now += 1.0
        pauses.append(now - began)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    watch.note_well()
    watch.note_full()
    now += 5.0
    assert watch.is_open()


def test_a_worker_says_once_that_it_waits_for_room(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    closed = Room(folder=tmp_path / "not" / "there", kept_free_bytes=2**60)
    watch = RoomWatch(closed)
    assert [watch.is_open() for _ in range(5)] == [False] * 5
    assert caplog.text.count("waits for room") == 1


def test_a_full_disk_is_known_by_number_or_by_word():
    assert is_full(OSError(28, "x"))
    assert is_full(OSError(122, "x"))
    error = RuntimeError("write failed")
    error.__cause__ = RuntimeError("_tiffWriteProc: No space left on device")
    assert is_full(error)
    assert not is_full(OSError(2, "x"))
    assert not is_full(ValueError("full of mistakes"))

"""What is written at one go is seen to grow."""

import time

import pytest

from service.rasters.growing import nothing, watched


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("service.rasters.growing._LOOK_S", 0.01)


def write_slowly(path, *, num_parts):
    with path.open("wb", buffering=0) as file:
        for _ in range(num_parts):
            file.write(b"part")
            time.sleep(0.05)


@pytest.mark.parametrize("name", ["a.tif", "a.tif.ovr.tmp"])
def test_a_file_that_grows_is_a_sign_of_life(tmp_path, name):
    parts = []
    with watched(tmp_path / "a.tif", lambda: parts.append(1)):
        write_slowly(tmp_path / name, num_parts=5)
    assert 2 <= len(parts) <= 5


def test_a_file_that_does_not_grow_is_none(tmp_path):
    parts = []
    (tmp_path / "b.tif").touch()
    with watched(tmp_path / "a.tif", lambda: parts.append(1)):
        write_slowly(tmp_path / "b.tif", num_parts=5)
    assert parts == []


def test_what_ends_it_is_raised_when_the_file_is_written_and_signs_go_on_till_then(tmp_path):
    parts = []

    def part():
        parts.append(1)
        raise KeyError(len(parts))

    with pytest.raises(KeyError, match="1"), watched(tmp_path / "a.tif", part):
        write_slowly(tmp_path / "a.tif", num_parts=5)
    assert (tmp_path / "a.tif").stat().st_size == 20
    assert len(parts) >= 2


def test_an_error_of_the_writing_comes_first(tmp_path):
    def part():
        raise KeyError

    def write():
        write_slowly(tmp_path / "a.tif", num_parts=2)
        raise ValueError("disk")

    with pytest.raises(ValueError, match="disk"), watched(tmp_path / "a.tif", part):
        write()


def test_nobody_watches_where_nobody_wants_to_know(tmp_path):
    with watched(tmp_path / "gone" / "a.tif", nothing):
        time.sleep(0.05)

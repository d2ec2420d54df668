import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from service.rasters.client import ReaderChild
from service.rasters.errors import ReaderDied, UnreadableRaster
from service.rasters.limits import Limits
from service.rasters.windows import Window

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are POSIX")


def test_limits_round_trip_through_json():
    limits = Limits(max_bands=3, request_s=1.5)
    assert Limits.from_json(limits.to_json()) == limits


@posix_only
def test_the_child_runs_under_its_limits(child, facts_of, make_raster):
    import resource  # noqa: PLC0415

    facts_of(make_raster())
    assert resource.prlimit(child.pid, resource.RLIMIT_AS) == (Limits().address_space_bytes,) * 2
    assert resource.prlimit(child.pid, resource.RLIMIT_CORE) == (0, 0)
    assert resource.prlimit(child.pid, resource.RLIMIT_NOFILE) == (Limits().open_files,) * 2


@posix_only
def test_the_child_knows_nothing_of_the_parents_environment(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("GDAL_SKIP", "")
    with ReaderChild(Limits()) as child:
        environment = psutil.Process(child.pid).environ()
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "VRT" in environment["GDAL_SKIP"]


def test_an_error_that_nobody_foresaw_names_the_file(child):
    with pytest.raises(UnreadableRaster, match=r"^a\.tif: .*unexpected keyword"):
        child.request("facts", about="a.tif", path="a.tif", nonsense=1)


@posix_only
def test_a_child_that_is_killed_is_a_clear_error_then_and_later():
    with ReaderChild(Limits()) as child:
        os.kill(child.pid, signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(ReaderDied, match=r"a\.tif: the process that reads it ended"):
                child.request("facts", about="a.tif", path="a.tif", source_crs=None)


def test_a_request_that_is_interrupted_never_answers_the_next(make_raster, tmp_path):
    facts_path = str(make_raster())
    layer = {
        "path": facts_path,
        "driver": "GTiff",
        "bands": {"red": 1},
        "file_width": 120,
        "file_height": 100,
    }
    layer |= {"col_off": 0, "row_off": 0, "width": 120, "height": 100}

    def interrupt(_share):
        raise KeyboardInterrupt

    with ReaderChild(Limits()) as child:
        with pytest.raises(KeyboardInterrupt):
            child.request(
                "copy", about="a", progress=interrupt, layer=layer, target=str(tmp_path / "copy.tif")
            )
        with pytest.raises(ReaderDied):
            child.request("facts", about="a", path=facts_path, source_crs=None)


@posix_only
def test_ctrl_c_is_the_parents_business(child, make_raster):
    os.kill(child.pid, signal.SIGINT)
    path = str(make_raster())
    assert child.request("facts", about=path, path=path, source_crs=None)["width"] == 120


def test_a_child_outlives_the_thread_that_started_it(make_raster):
    path = str(make_raster())
    made = []
    thread = threading.Thread(target=lambda: made.append(ReaderChild(Limits())))
    thread.start()
    thread.join()
    time.sleep(0.2)
    with made[0] as child:
        assert child.request("facts", about=path, path=path, source_crs=None)["width"] == 120


@posix_only
def test_the_child_ends_with_its_parent():
    script = (
        "import os, sys; from service.rasters.client import ReaderChild, Limits;"
        "child = ReaderChild(Limits()); print(child.pid, flush=True); sys.stdin.read(1); os._exit(1)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    child.wait(timeout=10)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (Window(0, 0, 10, 10), Window(5, 6, 10, 10), Window(5, 6, 5, 4)),
        (Window(0, 0, 10, 10), Window(10, 0, 10, 10), Window(10, 0, 0, 10)),
        (Window(-5, -5, 10, 10), Window(-2, 0, 1, 100), Window(-2, 0, 1, 5)),
    ],
)
def test_windows_intersect(one, other, expected):
    assert one.intersection(other) == other.intersection(one) == expected


def test_windows_of_negative_sides_are_refused():
    with pytest.raises(ValueError, match="-1 x 5"):
        Window(0, 0, -1, 5)

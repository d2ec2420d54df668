"""Killed at any moment and started again, a map is the same, and what was done is not done again."""

import hashlib
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.cli.conftest import MadeMap, files_under, noise

HEIGHT, WIDTH = 500, 620
NUM_BLOCKS = 8 * 11  # the first column of cores begins 32 px before the scene
DEADLINE_S = 60
ONE_CORE = {"ORTHOSCAPE_BLOCK_CORES": "1"}


@pytest.fixture
def scene(make_raster):
    return make_raster(pixels=noise(3, HEIGHT, WIDTH, seed=8))


@pytest.fixture
def command(scene, tmp_path):
    path = tmp_path / "out" / "map.tif"
    return ["predict", scene, "-o", path, "--model", "tiny-rgb", "--confidence", "--quiet"]


@pytest.fixture
def one_core_here(monkeypatch):
    """Blocks of one core in this process too: only then a job under way is the same."""
    for name, value in ONE_CORE.items():
        monkeypatch.setenv(name, value)


def blocks_done(folder):
    """The block files of the job under way."""
    found = (Path(at) / name for at, _, names in os.walk(folder) for name in names)
    return sorted(path for path in found if path.name.startswith("r"))


def identities(paths):
    """What changes when a file is written again."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def wait_until(is_reached, process):
    """Wait for something, or for the end of the process."""
    give_up = time.monotonic() + DEADLINE_S
    while not is_reached() and process.poll() is None:
        assert time.monotonic() < give_up
        time.sleep(0.002)


def kill(process):
    """Kill a process as the system would, without a word; returns its children, which are to end too."""
    process.send_signal(signal.SIGSTOP)  # at this very moment: looking for children takes a while
    if process.poll() is not None:
        return []  # it was faster
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return children


@pytest.mark.slow
@pytest.mark.parametrize("num_kills", [1, 20])
def test_a_map_killed_at_random_moments_is_the_same_map(num_kills, scene, command, start, predict, tmp_path):
    whole = predict(scene, "--confidence", name="whole.tif")
    chance, orphans, done, out = random.Random(num_kills), [], {}, tmp_path / "out"
    # A fifth before the first block, a fifth while the file is written, the rest between blocks.
    moments = [0] * (num_kills // 5) + [NUM_BLOCKS] * (num_kills // 5)
    moments += [chance.randrange(1, NUM_BLOCKS) for _ in range(num_kills - len(moments))]
    num_killed = 0
    for moment in sorted(moments):
        process = start(*command, **ONE_CORE)
        if moment:
            wait_until(lambda enough=moment: len(blocks_done(out)) >= enough, process)
        time.sleep(chance.random() * (0.02 if moment else 0.8))
        if process.poll() is not None:
            break  # it was faster: the map is there
        orphans += kill(process)
        num_killed += 1
        if list(out.glob(".*.job/map.done")):
            break  # the map is there, only its blocks had still to go
        now = identities(blocks_done(out))
        assert {path: now.get(path) for path in done} == done, "blocks that were done were done again"
        done = now
    assert num_killed >= num_kills - num_kills // 5
    process = start(*command, **ONE_CORE)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, output
    if "map  " in output:
        assert (f"resumed  {len(done)} blocks" in output) == bool(done)
    made = MadeMap(out / "map.tif", output)
    assert digest(made) == digest(whole)
    confidence = (
        MadeMap(path.with_name(f"{path.stem}_confidence.tif"), "") for path in (made.path, whole.path)
    )
    assert len({digest(raster) for raster in confidence}) == 1
    assert sorted(path.name for path in out.iterdir()) == ["map.qml", "map.tif", "map_confidence.tif"]
    _, alive = psutil.wait_procs(orphans, timeout=5)
    assert not alive, "children of killed processes live on"


@pytest.mark.slow
@pytest.mark.usefixtures("one_core_here")
def test_of_two_commands_at_once_one_is_refused(command, start, orthoscape, tmp_path):
    first = start(*command, **ONE_CORE)
    wait_until(lambda: len(blocks_done(tmp_path / "out")) >= 2, first)
    os.kill(first.pid, signal.SIGSTOP)
    _, status = os.waitpid(first.pid, os.WUNTRACED)  # returns once all its threads stand still
    assert os.WIFSTOPPED(status)
    before = files_under(tmp_path)
    second = orthoscape(*command)
    assert second.exit_code == 1
    assert "another process is making" in second.output
    another_map = orthoscape(*command, "--force", "--bands", "B,G,R")
    assert another_map.exit_code == 1
    assert "another process is making" in another_map.output
    assert files_under(tmp_path).keys() == before.keys()
    os.kill(first.pid, signal.SIGCONT)
    output, _ = first.communicate(timeout=DEADLINE_S)
    assert first.returncode == 0, output
    assert orthoscape(*command).output.endswith("nothing to do\n")


@pytest.mark.usefixtures("one_core_here")
def test_an_interrupt_ends_with_130_and_is_gone_on_from(command, start, orthoscape, tmp_path):
    process = start(*command, **ONE_CORE)
    wait_until(lambda: len(blocks_done(tmp_path / "out")) >= 2, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    assert "run the same command again" in output
    result = orthoscape(*command)
    assert result.exit_code == 0
    assert "resumed" in result.output


def test_a_killed_reader_fails_the_command(command, start):
    process = start(*command)
    wait_until(lambda: psutil.Process(process.pid).children(), process)
    for child in psutil.Process(process.pid).children():
        child.kill()
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert "the process that reads it ended (signal 9)" in output
    assert "Traceback" not in output


def digest(made):
    return hashlib.sha256(np.ascontiguousarray(made.classes_HW).tobytes()).hexdigest()


def test_no_trace_is_left_at_home(make_raster, start, tmp_path):
    """ONNX Runtime writes a device id and an event database under the user's cache unless told not to."""
    for name in ("user", "cache", "data", "config"):
        (tmp_path / name).mkdir()
    process = start(
        *("predict", make_raster(), "-o", tmp_path / "map.tif", "--model", "tiny-rgb"),
        HOME=str(tmp_path / "user"),
        XDG_CACHE_HOME=str(tmp_path / "cache"),
        XDG_DATA_HOME=str(tmp_path / "data"),
        XDG_CONFIG_HOME=str(tmp_path / "config"),
    )
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, output
    assert "Mpx" in output  # the progress bar, and nothing to warn about
    assert "Warning" not in output
    left = [path for name in ("user", "cache", "data", "config") for path in (tmp_path / name).rglob("*")]
    assert not left


def test_a_refusal_of_the_process_exits_1(make_raster, start, tmp_path):
    process = start("predict", make_raster(crs=None), "-o", tmp_path / "map.tif", "--model", "tiny-rgb")
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert "--source-crs" in output

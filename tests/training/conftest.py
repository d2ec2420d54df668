"""Training tests need the `train` extra, the generator's do not; all stay small enough for one thread."""

import importlib.util
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
HAS_TORCH = importlib.util.find_spec("torch") is not None

WITHOUT_TORCH = {
    "test_landscapes.py",
    "test_cli.py",
    "test_flair.py",
    "test_flair_hub.py",
    "test_dubai.py",
    "test_naip_chesapeake.py",
}

if not HAS_TORCH:
    collect_ignore = [str(path) for path in HERE.glob("test_*.py") if path.name not in WITHOUT_TORCH]

sys.path.insert(0, str(HERE))


@contextmanager
def _one_thread():
    if not HAS_TORCH:
        yield
        return
    import torch  # noqa: PLC0415 - only where it is installed

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def one_thread():
    """What is trained depends on the number of threads: a command under test may have set another."""
    with _one_thread():
        yield


@pytest.fixture(autouse=True, scope="module")
def one_thread_for_fixtures():
    """The same for fixtures of a module, which are made before the one above."""
    with _one_thread():
        yield

"""What some tests need of the machine: skipped at home without it, failed where CI is set."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from service.embedded.broker import RedisMissing, find_redis_server


def lacking(what: str, remedy: str) -> None:
    """Skip the test at hand, or fail it in CI, since a check that never runs is none."""
    reason = f"{what} is not here: {remedy}"
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def needs_redis_server() -> Path:
    """The Redis server that an embedded house would run."""
    try:
        return find_redis_server()
    except RedisMissing as error:
        lacking("a Redis server", error.remedy or "")
        raise


def needs_postgresql() -> None:
    """PostgreSQL from the package index."""
    if importlib.util.find_spec("pgserver") is None:
        lacking("PostgreSQL", "pip install pgserver")


def needs_chromium() -> Path:
    """The system's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return Path(found)
    lacking("Chromium", "apt install chromium")
    raise AssertionError("lacking returned")

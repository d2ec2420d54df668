"""The compose file as Docker reads it: variables put in, doubled dollars made single."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
_VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::-([^}]*))?\})")


def interpolated(value, variables):
    """A value of the compose file with ``${NAME:-default}`` put in."""
    if isinstance(value, dict):
        return {name: interpolated(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, variables) for each in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda m: m[1] or variables.get(m[2]) or m[3] or "", value)
    return value


@pytest.fixture(scope="session")
def raw_compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def compose(raw_compose):
    return interpolated(raw_compose, {})


@pytest.fixture(scope="session")
def services(compose):
    return compose["services"]


@pytest.fixture(scope="session")
def dockerfile():
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")

"""One limited child for all facts of a test session: starting one takes longer than most tests."""

import pytest

from service.rasters.client import ReaderChild
from service.rasters.inspect import read_facts
from service.rasters.limits import Limits


@pytest.fixture(scope="session")
def child():
    with ReaderChild(Limits()) as running:
        yield running


@pytest.fixture(scope="session")
def facts_of(child):
    """``facts_of(path, source_crs=None)``"""

    def ask(path, source_crs=None):
        return read_facts(path, child=child, source_crs=source_crs)

    return ask

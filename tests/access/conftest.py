"""A real Redis, a real store, a real app."""

import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access.keys import make_key
from service.access.principals import Scope, widened
from service.api.app import create_app
from service.embedded.broker import is_answering, redis_command
from service.jobs import schema
from service.jobs.keys import Keys, NewKey
from service.jobs.store import Store
from service.settings import Settings
from tests.needs import needs_redis_server


@pytest.fixture
def redis_socket():
    with tempfile.TemporaryDirectory(prefix="orr") as folder:
        socket = Path(folder) / "r"
        process = subprocess.Popen(redis_command(needs_redis_server(), socket))
        try:
            deadline = time.monotonic() + 20
            while not is_answering(socket):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield socket
        finally:
            process.terminate()
            process.wait()


@pytest.fixture(scope="session")
def settings(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def _store(settings):
    store = Store.open(settings.resolved_store_url)
    yield store
    store.close()


@pytest.fixture(scope="session")
def _client(settings, _store):
    with TestClient(create_app(settings, store=_store), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def store(_store, _client):
    """The one store, without keys and workers; its app has seen nothing of it yet."""
    with _store.database.writing() as connection:
        connection.execute(schema.keys.delete())
        connection.execute(schema.workers.delete())
    _client.app.state.door.ring._read_at = float("-inf")
    return _store


@pytest.fixture
def client(_client, store):  # noqa: ARG001  emptied first
    """The app, as a browser or a program on this machine meets it."""
    return _client


@pytest.fixture
def client_of(store):
    """The same of other settings."""
    with ExitStack() as stack:
        yield lambda settings: stack.enter_context(
            TestClient(create_app(settings, store=store), base_url="http://127.0.0.1:8000")
        )


@pytest.fixture
def key_of(store):
    """Makes a key of a scope and tells its text."""

    def make(scope, *, owner="town", lasts_s=None):
        fresh = make_key()
        scopes = sorted(widened(Scope(scope)))
        new = NewKey(
            id=fresh.id, owner=owner, name=owner, digest=fresh.digest, scopes=scopes, lasts_s=lasts_s
        )
        Keys(store.database).add(new)
        return fresh.text

    return make

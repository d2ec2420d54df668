"""The service over a real store, a worker's own functions, and a real server where bytes stream."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from service.api.app import create_app
from service.inference.offering import offered_class
from service.jobs.records import WorkerInfo
from service.jobs.schema import metadata
from service.jobs.store import Store
from service.settings import Settings
from service.worker.leaving import StopLine
from service.worker.pace import Pace
from service.worker.processing import Processor
from service.worker.shelf import Shelf
from service.worker.watchdog import Watchdog
from tests.artefacts import BANDS, write_tiny_artefact
from tests.cli.conftest import KeptChild

BASE = "http://127.0.0.1:8000"
TINY = {"model": "tiny-rgb"}


@pytest.fixture(scope="session")
def models_home(tmp_path_factory) -> Path:
    """A home with both tiny artefacts."""
    home = tmp_path_factory.mktemp("home")
    for model_id in BANDS:
        write_tiny_artefact(home / "models", model_id)
    return home


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory) -> Path:
    """An empty store, to be copied: making its tables takes longer than most tests."""
    path = tmp_path_factory.mktemp("store") / "orthoscape.sqlite"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session", autouse=True)
def end_of_kept_children() -> Iterator[None]:
    yield
    for child in KeptChild.kept.values():
        child.has_failed = True
        child.close()


@pytest.fixture(autouse=True)
def keep_children(monkeypatch) -> None:
    """Starting a reading process takes longer than a test's own work."""
    monkeypatch.setattr("service.intake.scenes.ReaderChild", KeptChild)
    monkeypatch.setattr("service.rasters.areas.ReaderChild", KeptChild)
    monkeypatch.setattr("service.rasters.reader.ReaderChild", KeptChild)


@dataclass
class CountingBell:
    """Calls nobody: tests work off what there is, when they want to."""

    rung: list[str | None] = field(default_factory=list)

    def ring(self, profile_class: str | None, *, times: int = 1) -> None:
        assert times == 1
        self.rung.append(profile_class)

    def is_reachable(self) -> bool:
        return True


@dataclass
class House:
    """A service, its store, and a worker that works when told."""

    settings: Settings
    store: Store
    bell: CountingBell
    app: FastAPI
    client: TestClient

    def register(self, profile_class: str, *, name="worker", mpx_per_s: float | None = 2.0) -> None:
        """A worker tells of itself."""
        self.store.fleet.register(
            WorkerInfo(id=name, profile_class=profile_class, host="here", pid=1, mpx_per_s=mpx_per_s)
        )
        self.forget_crew()

    def forget_crew(self) -> None:
        """The service asks anew who is alive."""
        self.app.state.services.crew._read_at = float("-inf")

    def work(self, *, leases: int = 10_000) -> int:
        """Do what is to be done, as a worker does it."""
        profile_class = offered_class(self.settings.engine, self.settings.precision)
        self.register(profile_class)
        watchdog = Watchdog(600.0)
        shelf = Shelf(self.settings, on_progress=watchdog.feed)
        processor = Processor(
            self.settings, store=self.store, shelf=shelf, pace=Pace(), watchdog=watchdog, stop=StopLine()
        )
        done = 0
        while done < leases and (lease := self.store.claim("worker", profile_class, lease_s=60.0)):
            processor.process(lease)
            done += 1
        shelf.close_sources()
        return done

    def fail(self, job_id: str) -> None:
        """A worker's blocks fail until the job does."""
        while not self.store.job(job_id).status.is_terminal:
            lease = self.store.claim(
                "worker", offered_class(self.settings.engine, self.settings.precision), lease_s=60.0
            )
            for unit in lease.units:
                self.store.fail_unit(lease, unit.id, "the disk is on fire")

    def send(self, path: Path, **fields: str):
        """POST /predict with a file in a form."""
        with path.open("rb") as file:
            return self.client.post("/predict", files={"file": (path.name, file)}, data=TINY | fields)

    @property
    def left(self) -> list[str]:
        """Files that lie with the uploads."""
        folder = self.settings.uploads_folder
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def settings_in(home: Path, models_home: Path, empty_store: Path, **changes: object) -> Settings:
    """Settings of a home with the tiny models and an empty store."""
    home.mkdir(exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to(models_home / "models")
        shutil.copy(empty_store, home / "orthoscape.sqlite")
    return Settings(**{"home": home, "threads": 1, "has_pictures": False, **changes})


@contextmanager
def opened(settings: Settings) -> Iterator[House]:
    """A service in this process."""
    store, bell = Store.open(settings.resolved_store_url), CountingBell()
    app = create_app(settings, store=store, bell=bell)
    with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
        yield House(settings, store, bell, app, client)
    store.close()


@pytest.fixture(scope="session")
def _shared_house(models_home, empty_store, tmp_path_factory) -> Iterator[House]:
    with opened(settings_in(tmp_path_factory.mktemp("shared"), models_home, empty_store)) as house:
        yield house


@pytest.fixture
def house(_shared_house) -> House:
    """An empty service with default settings; making one anew takes longer than most tests."""
    house = _shared_house
    with house.store.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    for folder in (house.settings.uploads_folder, house.settings.maps_folder):
        shutil.rmtree(folder, ignore_errors=True)
    house.bell.rung.clear()
    house.app.dependency_overrides.clear()
    house.forget_crew()
    return house


@pytest.fixture
def settings_of(models_home, empty_store, tmp_path) -> Callable[..., Settings]:
    """``settings_of(upload_max_bytes=...)``: of a home with the tiny models."""
    return lambda **changes: settings_in(tmp_path / "home", models_home, empty_store, **changes)


@pytest.fixture
def open_house(settings_of) -> Iterator[Callable[..., House]]:
    """``open_house(upload_max_bytes=...)``: a service with other settings."""
    with ExitStack() as stack:
        yield lambda **changes: stack.enter_context(opened(settings_of(**changes)))


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """A real server in a thread; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def serve(settings_of) -> Iterator[Callable[..., tuple[str, House]]]:
    """``serve()``: a real server, and the house that it serves."""
    with ExitStack() as stack:

        def start(**changes: object) -> tuple[str, House]:
            settings = settings_of(**changes)
            store, bell = Store.open(settings.resolved_store_url), CountingBell()
            stack.callback(store.close)
            app = create_app(settings, store=store, bell=bell)
            address = stack.enter_context(listening(app))
            return address, House(settings, store, bell, app, None)

        yield start

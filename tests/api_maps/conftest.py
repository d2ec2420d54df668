"""A real house in this process: an app over a store, and a worker's own functions to make maps with."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.crs import CRS
from starlette.testclient import TestClient

from service.api.app import create_app
from service.inference.offering import offered_class
from service.intake.choosing import choose_model, registry_of
from service.intake.planned import plan_maps
from service.intake.scenes import read_scenes
from service.jobs.records import MapRecord, NewJob, WorkerInfo
from service.jobs.store import Store
from service.maps.layout import MapFolder
from service.planning.preflight import ReadingOptions
from service.rasters.ground import bounds_degrees
from service.settings import Settings
from service.worker.leaving import StopLine
from service.worker.pace import Pace
from service.worker.processing import Processor
from service.worker.shelf import Shelf
from service.worker.watchdog import Watchdog
from tests.artefacts import write_tiny_artefact
from tests.cli.conftest import KeptChild
from tests.conftest import make_raster_file

LEFT, TOP = 942_000.0, 6_537_000.0  # Annecy, in Lambert-93
WORKER = "worker-of-tests"


class SilentBell:
    """Nobody is to be called: tests work off what there is."""

    def ring(self, profile_class: str | None, *, times: int = 1) -> None:
        """See `service.jobs.bell.Bell`."""


def scene(path: Path, *, height=160, width=180, seed=3, origin=(LEFT, TOP), crs="EPSG:2154", gsd=0.2) -> Path:
    """An image of soft blobs, so that classes form regions, with a corner of no data."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(1, 255, size=(3, height // 12 + 2, width // 12 + 2)).astype(float)
    pixels = np.stack([np.kron(band, np.ones((12, 12)))[:height, :width] for band in coarse]).astype(np.uint8)
    pixels[:, : height // 6, : width // 5] = 0
    tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    return make_raster_file(path, pixels=pixels, crs=crs, gsd=gsd, origin=origin, nodata=0, **tiles)


@dataclass(frozen=True)
class House:
    """Store, folders, and a worker that works when told."""

    settings: Settings
    store: Store
    shelf: Shelf
    """Of the worker: engines and plans are kept between tests."""

    def begin(
        self, *paths: Path, name: str = "annecy", owner: str = "local", date: str | None = "2024-06-15"
    ) -> MapRecord:
        """Accept a job for these scenes."""
        options = ReadingOptions()
        registry = registry_of(self.settings)
        scenes = read_scenes(list(paths), irc=[], heights=[], options=options, settings=self.settings)
        artefact = choose_model(registry, "tiny-rgb", scenes, options)
        (planned,) = plan_maps(scenes, artefact, options=options, aoi=None, name=name, settings=self.settings)
        plan = planned.plan
        grid = plan.grid
        job = self.store.create_job(
            NewJob(
                owner=owner,
                title=f"Land cover of {name}",
                map_name=name,
                request={},
                planned=planned,
                content_key=f"{plan.key}-{name}-{owner}",
                area_km2=0.01,
                bounds_wgs84=bounds_degrees(
                    CRS.from_wkt(grid.crs_wkt),
                    grid.transform_of(plan.data),
                    width=plan.data.width,
                    height=plan.data.height,
                ),
                nomenclature=artefact.manifest.nomenclature,
                acquisition_date=date,
                run_blocks=2,
                has_pictures=self.settings.has_pictures,
            )
        )
        return self.store.map(job.map_id)

    def work(self, *, leases: int = 10_000) -> int:
        """Work off so many leases; returns how many there were."""
        profile_class = offered_class(self.settings.engine)
        self.store.fleet.register(WorkerInfo(id=WORKER, profile_class=profile_class, host="here", pid=1))
        processor = Processor(
            self.settings,
            store=self.store,
            shelf=self.shelf,
            pace=Pace(),
            watchdog=Watchdog(600.0),
            stop=StopLine(),
        )
        done = 0
        while done < leases:
            lease = self.store.claim(WORKER, profile_class, lease_s=60.0)
            if lease is None:
                break
            processor.process(lease)
            done += 1
        self.shelf.close_sources()
        return done

    def folder(self, record: MapRecord) -> MapFolder:
        """The files of a map."""
        return MapFolder(self.settings.maps_folder / record.id)

    def classes(self, record: MapRecord):
        """Classes of a finished map of one sheet, as rasterio reads them."""
        (sheet,) = self.store.planned(record.job_id).plan.sheets
        with rasterio.open(self.folder(record).products(sheet).classes) as file:
            return file.read(1)


def make_house(folder: Path, **settings: object) -> House:
    write_tiny_artefact(folder / "models")
    known = {"home": folder, "threads": 1, "block_cores": 2, "broker_url": "redis://127.0.0.1:1/0"}
    chosen = Settings(**(known | settings))
    shelf = Shelf(chosen, on_progress=lambda: None)
    return House(chosen, Store.open(chosen.resolved_store_url), shelf)


@pytest.fixture(scope="session", autouse=True)
def end_of_kept_children() -> Iterator[None]:
    yield
    for child in KeptChild.kept.values():
        child.has_failed = True
        child.close()
    KeptChild.kept.clear()


@pytest.fixture(autouse=True)
def keep_children(monkeypatch) -> None:
    """One reading process for the tests here: to start one takes longer than its work."""
    monkeypatch.setattr("service.intake.scenes.ReaderChild", KeptChild)
    monkeypatch.setattr("service.rasters.areas.ReaderChild", KeptChild)
    monkeypatch.setattr("service.rasters.reader.ReaderChild", KeptChild)


@pytest.fixture(scope="session")
def house(tmp_path_factory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def client(house) -> Iterator[TestClient]:
    with TestClient(create_app(house.settings, store=house.store, bell=SilentBell())) as opened:
        yield opened


@pytest.fixture(scope="session")
def finished(house, tmp_path_factory) -> MapRecord:
    """A finished map of one scene in Lambert-93."""
    record = house.begin(scene(tmp_path_factory.mktemp("scenes") / "ortho.tif"))
    house.work()
    return house.store.map(record.id)


@dataclass(frozen=True)
class Drawn:
    """A PNG as it is seen."""

    rgba_HW4: np.ndarray

    @classmethod
    def of(cls, response) -> "Drawn":
        assert response.status_code == 200, response.text
        return cls(np.asarray(Image.open(io.BytesIO(response.content)).convert("RGBA")))

    @property
    def shown_HW(self):  # noqa: N802  axes
        return self.rgba_HW4[..., 3] > 0

    @property
    def colours(self) -> set[tuple[int, int, int]]:
        return {tuple(colour) for colour in self.rgba_HW4[self.shown_HW][:, :3].tolist()}


@pytest.fixture(scope="session")
def draw(client):
    """``draw(record, z, x, y, style="cvd")``: the tile, seen."""

    def get(record, z, x, y, *, tms="", scale="", **query) -> Drawn:
        return Drawn.of(client.get(f"/maps/{record.id}/tiles/{tms}{z}/{x}/{y}{scale}.png", params=query))

    return get


def native_tiles() -> list[tuple[int, int, int]]:
    """Tiles of ``2154_10cm`` at 0.2 m that show a map, pixel for pixel."""
    left, top = LEFT, TOP
    first_x, first_y = int(left // 51.2), int((12_000_000 - top) // 51.2)
    return [(20, first_x + x, first_y + y) for x in range(2) for y in range(2)]


def window_of(tile: tuple[int, int, int]) -> tuple[int, int]:
    """First row and column of the scene's pixels under a native tile; they may be negative."""
    _, x, y = tile
    return round((TOP - (12_000_000 - y * 51.2)) / 0.2), round((x * 51.2 - LEFT) / 0.2)


def under(tile: tuple[int, int, int], values_HW):
    """Values of a scene under a native tile, 255 outside."""
    row, col = window_of(tile)
    padded = np.pad(values_HW, 512, constant_values=255)
    return padded[512 + row : 768 + row, 512 + col : 768 + col]

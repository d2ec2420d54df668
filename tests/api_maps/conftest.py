"""A real house in this process: an app over a store, and a worker's own functions to make maps with."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
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
from tests.conftest import make_raster_file

LEFT, TOP = 942_000.0, 6_537_000.0  # Annecy, in Lambert-93
WORKER = "worker-of-tests"


class SilentBell:
    """Nobody is to be called: tests work off what there is."""

    def ring(self, profile_class: str | None, *, times: int = 1) -> None:
        """See `service.jobs.bell.Bell`."""


def scene(path: Path, *, height=300, width=340, seed=3, origin=(LEFT, TOP), crs="EPSG:2154", gsd=0.2) -> Path:
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

    def begin(
        self, *paths: Path, name: str = "annecy", owner: str = "local", date: str | None = "2024-06-15"
    ) -> MapRecord:
        """Accept a job for these scenes."""
        options = ReadingOptions()
        registry = registry_of(self.settings)
        scenes = read_scenes(
            list(paths), irc=[], heights=[], options=options, settings=self.settings
        )
        artefact = choose_model(registry, "tiny-rgb", scenes, options)
        (planned,) = plan_maps(
            scenes, artefact, options=options, aoi=None, name=name, settings=self.settings
        )
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
        self.store.register_worker(
            WorkerInfo(id=WORKER, profile_class=profile_class, host="here", pid=1)
        )
        watchdog = Watchdog(600.0)
        shelf = Shelf(self.settings, on_progress=watchdog.feed)
        processor = Processor(
            self.settings, store=self.store, shelf=shelf, pace=Pace(), watchdog=watchdog, stop=StopLine()
        )
        done = 0
        while done < leases:
            lease = self.store.claim(WORKER, profile_class, lease_s=60.0)
            if lease is None:
                break
            processor.process(lease)
            done += 1
        shelf.close_sources()
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
    known = {"home": folder, "threads": 1, "block_cores": 1, "broker_url": "redis://127.0.0.1:1/0"}
    chosen = Settings(**(known | settings))
    return House(chosen, Store.open(chosen.resolved_store_url))


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def client(house) -> Iterator[TestClient]:
    with TestClient(create_app(house.settings, store=house.store, bell=SilentBell())) as opened:
        yield opened


@pytest.fixture(scope="module")
def finished(house, tmp_path_factory) -> MapRecord:
    """A finished map of one scene in Lambert-93."""
    record = house.begin(scene(tmp_path_factory.mktemp("scenes") / "ortho.tif"))
    house.work()
    return house.store.map(record.id)

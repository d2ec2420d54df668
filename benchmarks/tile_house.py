"""A home with finished maps for the real service to serve: their files are there, their jobs are done."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rasterio.crs import CRS

from benchmarks.tile_maps import PLACES
from service.intake.planned import PlannedMap
from service.jobs.records import JobStatus, NewJob
from service.jobs.store import Store
from service.maps.layout import MapFolder
from service.planning.cores import PatchGeometry
from service.planning.jobs import JobPlan, SheetPlan
from service.rasters.ground import bounds_degrees
from service.rasters.sources import SourceSpec
from service.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.tile_maps import BenchMap

_WORKER, _PROFILE_CLASS = "benchmark", "benchmark"


def furnish(home: Path, maps: dict[str, BenchMap]) -> dict[str, str]:
    """Fill a home with maps as workers leave them, without a network having seen an image.

    Args:
        home: A new folder, on the disk on which the maps' files are: they are linked, not copied.
        maps: Finished maps by place.

    Returns:
        Their ids by place.
    """
    home.mkdir()
    settings = Settings(home=home)
    store = Store.open(settings.resolved_store_url)
    try:
        return {place: _finish(store, settings, place, bench_map) for place, bench_map in maps.items()}
    finally:
        store.close()


def _finish(store: Store, settings: Settings, place: str, bench_map: BenchMap) -> str:
    planned = _planned(place, bench_map)
    plan, window = planned.plan, bench_map.window
    job = store.create_job(
        NewJob(
            owner="local",
            title=f"Land cover of {place}",
            map_name=plan.name,
            request={},
            planned=planned,
            content_key=plan.key,
            area_km2=1.0,
            bounds_wgs84=bounds_degrees(
                CRS.from_wkt(plan.grid.crs_wkt),
                plan.grid.transform_of(window),
                width=window.width,
                height=window.height,
            ),
            nomenclature="cosia-16",
            has_pictures=False,
        )
    )
    products = MapFolder(settings.maps_folder / job.map_id).products(plan.sheets[0])
    products.classes.parent.mkdir(parents=True)
    os.link(bench_map.path, products.classes)
    while lease := store.claim(_WORKER, _PROFILE_CLASS, lease_s=60.0):
        for unit in lease.units:
            store.finish_unit(lease, unit.id)
    assert store.job(job.id).status == JobStatus.SUCCESSFUL
    return job.map_id


def _planned(place: str, bench_map: BenchMap) -> PlannedMap:
    """The plan of a scene with exactly the map's pixels."""
    window = bench_map.window
    source = SourceSpec(
        path="/nowhere/scene.tif",
        driver="GTiff",
        bands={"red": 1},
        file_width=window.width,
        file_height=window.height,
        col_off=window.col_off,
        row_off=window.row_off,
        width=window.width,
        height=window.height,
    )
    name = str(PLACES[place][0])
    plan = JobPlan(
        name=name,
        model="benchmark@1",
        model_digest="0" * 64,
        bands=("red",),
        grid=bench_map.grid,
        epsg=PLACES[place][0],
        data=window,
        geometry=PatchGeometry(core_px=1024, halo_px=80, stride_px=32),
        block_cores=2,
        sources=(source,),
        digests={source.path: "0" * 64},
        aoi_wkb_hex=None,
        sheets=(SheetPlan(name=name, window=window, transform=bench_map.grid.transform_of(window)),),
    )
    return PlannedMap(plan=plan, facts={}, notes=())

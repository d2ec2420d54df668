"""The blocks of a plan are those that hold data, found at once among thousands of sheets."""

import time

import numpy as np
import pytest
import shapely

from service.planning.blocks import plan_blocks
from service.planning.cores import PatchGeometry
from service.planning.grid import anchored_grid
from service.planning.jobs import JobPlan, SheetPlan
from service.planning.lattice import bounding_window
from service.rasters.sources import SourceSpec
from service.rasters.windows import Window

GRID = anchored_grid(crs_wkt="", epsg=2154, res=0.2)


def plan_of(extents, *, core_px=64, block_cores=2, aoi=None):
    sources = tuple(
        SourceSpec(
            path=f"{number}.tif",
            driver="GTiff",
            bands={"red": 1},
            file_width=extent.width,
            file_height=extent.height,
            col_off=extent.col_off,
            row_off=extent.row_off,
            width=extent.width,
            height=extent.height,
        )
        for number, extent in enumerate(extents)
    )
    data = bounding_window(extents)
    sheet = SheetPlan(name="map", window=data, transform=GRID.transform_of(data))
    return JobPlan(
        name="map",
        model="tiny@1.0.0",
        model_digest="0",
        bands=("red",),
        grid=GRID,
        epsg=2154,
        data=data,
        geometry=PatchGeometry(core_px=core_px, halo_px=8, stride_px=16),
        block_cores=block_cores,
        sources=sources,
        digests={},
        aoi_wkb_hex=aoi.wkb_hex if aoi else None,
        sheets=(sheet,),
    )


def plain_loop(plan):
    sheet, area = plan.sheets[0], plan.area
    blocks = plan_blocks(sheet.window, core_px=plan.geometry.core_px, block_cores=plan.block_cores)
    return [
        block
        for block in blocks
        if any(not block.window.intersection(source.extent).is_empty for source in plan.sources)
        and (area is None or area.meets(block.window))
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("has_area", [False, True])
def test_blocks_are_those_of_the_plain_loop(seed, has_area):
    random = np.random.default_rng(seed)
    # Offsets in steps of half a block, so that many extents end just where blocks do, below 0 too.
    extents = [
        Window(
            *(64 * random.integers(-30, 30, 2)).tolist(), *random.choice([1, 64, 65, 128, 300], 2).tolist()
        )
        for _ in range(25)
    ]
    bounds = GRID.bounds_of(bounding_window(extents))
    aoi = shapely.Point(bounds[0], bounds[1]).buffer((bounds[2] - bounds[0]) * 0.7) if has_area else None
    plan = plan_of(extents, aoi=aoi)
    found = plan.blocks_of(plan.sheets[0])
    assert found == plain_loop(plan)
    assert found


def test_thousands_of_sheets_are_asked_at_once():
    extents = [Window(col * 5000, row * 5000, 5000, 5000) for row in range(60) for col in range(60)]
    plan = plan_of(extents, core_px=512, block_cores=8)
    started = time.perf_counter()
    blocks = plan.blocks_of(plan.sheets[0])
    seconds = time.perf_counter() - started
    assert sum(block.window.num_px for block in blocks) == plan.data.num_px
    assert seconds < 5, "the plain loop takes minutes on a slow machine, this well under a second"


def test_what_is_kept_for_asking_is_no_part_of_the_plan():
    plan = plan_of([Window(0, 0, 100, 100)])
    plan.blocks_of(plan.sheets[0])
    assert JobPlan.model_validate_json(plan.model_dump_json()) == plan_of([Window(0, 0, 100, 100)])


def test_the_part_of_a_sheet_holds_what_decides_it_and_little_more():
    tiles = [Window(col * 200, row * 200, 200, 200) for row in range(10) for col in range(10)]
    plan = plan_of(tiles)
    sheet = SheetPlan(name="one", window=Window(420, 420, 150, 150), transform=(0.2, 0, 0, 0, -0.2, 0))
    part = plan.part_of(sheet)
    assert 1 <= len(part.sources) <= 9
    assert part.sheets == (sheet,)
    assert part.data == plan.data
    assert part.blocks_of(sheet) == plan.blocks_of(sheet)

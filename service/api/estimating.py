"""What a planned map would cost, before any work."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform_bounds

from service.planning.lattice import bounding_window
from service.rasters.ground import ground_size_m
from service.rasters.outlines import outlines

if TYPE_CHECKING:
    from service.planning.jobs import JobPlan
    from service.rasters.outlines import Ring

BYTES_PER_PX = 1.5
"""Of all files of a map: classes take 0.15 to 0.25 (DEFLATE), the confidence 0.9, the picture 0.4."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The size of a planned map."""

    num_px: int
    """Pixels that are segmented."""
    num_blocks: int
    area_km2: float
    """On the ground."""
    gsd_m: float
    """Size of a pixel on the ground, in metres, in the middle of the map."""
    bounds_wgs84: tuple[float, float, float, float]
    """Left, bottom, right, top in degrees."""
    outline: Ring
    """What the map covers, in degrees."""

    @property
    def product_bytes(self) -> int:
        """About what the map's files will take."""
        return round(self.num_px * BYTES_PER_PX)


def estimate_plan(plan: JobPlan) -> Estimate:
    """Measure a plan."""
    blocks = [block for sheet in plan.sheets for block in plan.blocks_of(sheet)]
    whole = bounding_window([sheet.window for sheet in plan.sheets])
    crs = CRS.from_wkt(plan.grid.crs_wkt)
    size_m = ground_size_m(crs, plan.grid.transform_of(whole), col=whole.width / 2, row=whole.height / 2)
    return Estimate(
        num_px=sum(block.window.num_px for block in blocks),
        num_blocks=len(blocks),
        area_km2=round(_mapped_px(plan) * size_m[0] * size_m[1] / 1e6, 6),
        gsd_m=round(math.sqrt(size_m[0] * size_m[1]), 4),
        bounds_wgs84=rounded(transform_bounds(crs, "EPSG:4326", *plan.grid.bounds_of(whole))),
        outline=outlines(plan.grid.crs_wkt, [plan.grid.bounds_of(whole)])[0],
    )


def rounded(bounds: tuple[float, ...]) -> tuple[float, float, float, float]:
    """Bounds in degrees, to a centimetre."""
    left, bottom, right, top = (round(value, 7) for value in bounds)
    return left, bottom, right, top


def _mapped_px(plan: JobPlan) -> float:
    """Pixels of the map that hold sources and lie in the area of interest."""
    grid = plan.grid
    extents = np.array([grid.bounds_of(source.extent) for source in plan.sources])
    covered = shapely.union_all(shapely.box(*extents.T))
    if plan.aoi_wkb_hex is not None:
        covered = covered.intersection(shapely.from_wkb(plan.aoi_wkb_hex))
    return float(covered.area / (grid.x_res * grid.y_res))

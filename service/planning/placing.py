"""Scenes put onto a grid: their own where it fits the model, an anchored one where it does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from rasterio.crs import CRS

from service.planning.grid import Grid, anchored_grid, native_grid
from service.planning.preflight import GSD_SLACK
from service.rasters.placing import companion_height, companion_irc, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.manifest import Range
    from service.planning.grid import GeoTransform
    from service.planning.preflight import FittingBands, ReadingOptions, SceneFacts
    from service.rasters.facts import RasterFacts
    from service.rasters.sources import SourceSpec
    from service.rasters.windows import Window

MAX_PIXEL_ASPECT = 1.05
"""Pixels longer than wide by more than this are resampled to squares."""


@dataclass(frozen=True, kw_only=True)
class GridChoice:
    """The grid on which a scene is inferred."""

    grid: Grid
    epsg: int | None
    """Code of its CRS."""
    is_native: bool
    """Whether it is the scene's own; otherwise the scene is resampled."""
    reason: str | None
    """Why it is resampled; None when it is not."""


def choose_grid(facts: RasterFacts, gsd_m: Range) -> GridChoice:
    """Keep a scene's own pixels where the model was trained for them, else choose the nearest such grid.

    Args:
        facts: A raster that `require_usable` and `check_resolution` let pass.
        gsd_m: The model's range of ground resolutions, in metres.
    """
    assert facts.transform is not None
    assert facts.gsd_m is not None
    assert facts.crs_wkt is not None
    finest, coarsest = min(facts.gsd_m), max(facts.gsd_m)
    reason, wanted_m = None, coarsest
    if facts.crs_is_geographic:
        reason, wanted_m = "its pixels are degrees", min(max(_pleasant(finest), gsd_m.min), gsd_m.max)
    elif finest < gsd_m.min * (1 - GSD_SLACK):
        reason, wanted_m = f"{finest:.3g} m is finer than the model's {gsd_m.min:g} m", gsd_m.nominal
    elif coarsest > gsd_m.max * (1 + GSD_SLACK):
        reason, wanted_m = f"{coarsest:.3g} m is coarser than the model's {gsd_m.max:g} m", gsd_m.max
    elif facts.is_rotated:
        reason, wanted_m = "its rows do not run east", _pleasant(coarsest)
    elif coarsest > finest * MAX_PIXEL_ASPECT:
        reason, wanted_m = (
            f"its pixels are no squares, {facts.gsd_m[0]:g} x {facts.gsd_m[1]:g} m",
            gsd_m.nominal,
        )
    if reason is None:
        grid = native_grid(facts.transform, crs_wkt=facts.crs_wkt, epsg=facts.epsg)
        return GridChoice(grid=grid, epsg=facts.epsg, is_native=True, reason=None)
    if facts.crs_is_geographic:
        epsg = utm_epsg(facts)
        return GridChoice(
            grid=anchored_grid(crs_wkt=CRS.from_epsg(epsg).to_wkt(), epsg=epsg, res=wanted_m),
            epsg=epsg,
            is_native=False,
            reason=f"{reason}: resampled to {wanted_m:g} m in EPSG:{epsg}",
        )
    metres_per_unit = facts.gsd_m[0] / _pixel_size(facts.transform)[0]
    res = _pleasant(wanted_m / metres_per_unit)
    return GridChoice(
        grid=anchored_grid(crs_wkt=facts.crs_wkt, epsg=facts.epsg, res=res),
        epsg=facts.epsg,
        is_native=False,
        reason=f"{reason}: resampled to {res * metres_per_unit:.3g} m",
    )


def place_scene(scene: SceneFacts, bands: FittingBands, *, grid: Grid, options: ReadingOptions) -> SourceSpec:
    """Describe how a scene's bands are read on a grid.

    Args:
        scene: The raster and its companions.
        bands: From `check_fits`.
        grid: From `choose_grid`, or that of a collection on which this scene lies too.
        options: What the caller said.

    Raises:
        CompanionMismatch: The IRC twin does not lie on the scene's pixels.
    """
    companions = []
    if bands.reads_irc:
        assert scene.irc is not None
        companions.append(companion_irc(scene.main, scene.irc, grid=grid.spec, nodata=options.nodata))
    if bands.reads_height:
        assert scene.height is not None
        companions.append(companion_height(scene.height, grid=grid.spec))
    return place(scene.main, bands.main, grid=grid.spec, nodata=options.nodata, companions=tuple(companions))


def connected_groups(windows: Sequence[Window], *, reach_px: int) -> list[list[int]]:
    """Group windows that see each other: those that lie within ``reach_px`` of each other, and so on.

    Args:
        windows: On one grid.
        reach_px: How far a patch sees, in pixels: the halo.

    Returns:
        Positions of the windows of each group, in order.
    """
    boxes = [
        shapely.box(window.col_off, window.row_off, window.col_end, window.row_end) for window in windows
    ]
    firsts, seconds = shapely.STRtree(boxes).query(boxes, predicate="dwithin", distance=reach_px)
    group_of = list(range(len(windows)))

    def root(position: int) -> int:
        while group_of[position] != position:
            group_of[position] = group_of[group_of[position]]
            position = group_of[position]
        return position

    for first, second in zip(firsts.tolist(), seconds.tolist(), strict=True):
        one, other = sorted((root(first), root(second)))
        group_of[other] = one
    groups: dict[int, list[int]] = {}
    for position in range(len(windows)):
        groups.setdefault(root(position), []).append(position)
    return list(groups.values())


def utm_epsg(facts: RasterFacts) -> int:
    """The EPSG code of the UTM zone on WGS84 at the middle of a raster."""
    assert facts.bounds_wgs84 is not None
    left, bottom, right, top = facts.bounds_wgs84
    zone = int(((left + right) / 2 + 180) // 6) % 60 + 1
    return (32600 if bottom + top >= 0 else 32700) + zone


def _pixel_size(transform: GeoTransform) -> tuple[float, float]:
    """Width and height of a pixel, in units of the CRS, along its own axes."""
    a, b, _, d, e, _ = transform
    return math.hypot(a, d), math.hypot(b, e)


def _pleasant(value: float) -> float:
    """Round to two significant digits, so that the sheets of one campaign get the same grid."""
    return float(f"{value:.2g}")

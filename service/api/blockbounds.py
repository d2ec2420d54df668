"""Where blocks lie, in degrees."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.crs import CRS
from rasterio.warp import transform

from service.api.estimating import rounded
from service.rasters.outlines import outlines
from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.jobs.records import Unit
    from service.jobs.store import Store
    from service.planning.grid import Grid
    from service.planning.jobs import JobPlan
    from service.rasters.outlines import Ring

Bounds = tuple[float, float, float, float]

_KEPT = 64
"""Jobs whose geometry is remembered."""


@dataclass(frozen=True)
class BlockGeometry:
    """What of a plan tells where its blocks lie; small, where a plan may be large."""

    grid: Grid
    cell_px: int
    sheets: Mapping[str, Window]

    @classmethod
    def of(cls, plan: JobPlan) -> BlockGeometry:
        """The geometry of a plan."""
        return cls(
            grid=plan.grid,
            cell_px=plan.geometry.core_px * plan.block_cores,
            sheets={sheet.name: sheet.window for sheet in plan.sheets},
        )

    def bounds(self, blocks: Sequence[Unit]) -> list[Bounds]:
        """West, south, east, north of each block."""
        if not blocks:
            return []
        left_N, bottom_N, right_N, top_N = np.array(self._in_crs(blocks)).T
        xs_4N = np.stack([left_N, right_N, left_N, right_N])
        ys_4N = np.stack([bottom_N, bottom_N, top_N, top_N])
        lons, lats = transform(CRS.from_wkt(self.grid.crs_wkt), "EPSG:4326", xs_4N.ravel(), ys_4N.ravel())
        lons_4N, lats_4N = np.reshape(lons, (4, -1)), np.reshape(lats, (4, -1))
        edges_4N = np.stack([lons_4N.min(0), lats_4N.min(0), lons_4N.max(0), lats_4N.max(0)])
        return [rounded(tuple(edges.tolist())) for edges in edges_4N.T]

    def outlines(self, blocks: Sequence[Unit]) -> list[Ring]:
        """What each block covers, in degrees: true polygons, that neighbours share the sides of."""
        return outlines(self.grid.crs_wkt, self._in_crs(blocks))

    def _in_crs(self, blocks: Sequence[Unit]) -> list[Bounds]:
        """Left, bottom, right, top of each block, in coordinates of the grid."""
        return [self.grid.bounds_of(self._window(block)) for block in blocks]

    def _window(self, block: Unit) -> Window:
        cell = Window(
            row_off=block.row * self.cell_px,
            col_off=block.col * self.cell_px,
            height=self.cell_px,
            width=self.cell_px,
        )
        return cell.intersection(self.sheets[block.sheet])


class Geometries:
    """Geometries of jobs, read from the store once each, by any thread."""

    def __init__(self, store: Store) -> None:
        """Remember none yet."""
        self._store = store
        self._lock = threading.Lock()
        self._known: OrderedDict[str, BlockGeometry] = OrderedDict()

    def of(self, job_id: str) -> BlockGeometry:
        """The geometry of a job.

        Raises:
            JobUnknown: There is no such job, or its map is deleted.
        """
        with self._lock:
            known = self._known.pop(job_id, None)
        if known is None:
            known = BlockGeometry.of(self._store.planned(job_id).plan)
        with self._lock:
            self._known[job_id] = known
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return known

"""Which pixels of a core lie inside the area of interest."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rasterio.features import geometry_mask
from rasterio.transform import Affine

from service.planning.lattice import lattice_cell

if TYPE_CHECKING:
    from service.inference.strips import Mask
    from service.planning.areas import Area
    from service.planning.grid import Grid
    from service.rasters.windows import Window


class AreaMask:
    """Burns an area of interest into cores.

    Always burnt by whole cells of the lattice of cores, so that a pixel on the rim is in or out whatever
    window is asked for.
    """

    def __init__(self, area: Area, grid: Grid, *, core_px: int) -> None:
        self._area = area
        self._grid = grid
        self._core_px = core_px
        self._burn = lru_cache(maxsize=64)(self._burn_cell)

    def __call__(self, window: Window) -> Mask | None:
        """Where a window inside one core is to be kept (H, W); None for everywhere."""
        if self._area.holds(window):
            return None
        row, col = window.row_off // self._core_px, window.col_off // self._core_px
        cell = lattice_cell(row, col, cell_px=self._core_px)
        inside_HW: Mask = self._burn(row, col)[window.slices_in(cell)]
        return inside_HW

    def _burn_cell(self, row: int, col: int) -> Mask:
        cell = lattice_cell(row, col, cell_px=self._core_px)
        inside_HW: Mask = geometry_mask(
            [self._area.geometry],
            out_shape=(cell.height, cell.width),
            transform=Affine(*self._grid.transform_of(cell)),
            invert=True,
        )
        return inside_HW

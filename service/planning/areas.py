"""Areas of interest on a grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from service.errors import PreflightError
from service.planning.lattice import bounding_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.planning.grid import Grid
    from service.rasters.windows import Window


class AreaOutsideData(PreflightError):
    """The area of interest and the scene do not meet."""


class Area:
    """A polygon, or several, in the coordinates of a grid; a pixel is inside when its centre is."""

    def __init__(self, geometry: shapely.Geometry, grid: Grid) -> None:
        """Prepare the geometry for many questions.

        Args:
            geometry: Polygons in the CRS of the grid.
            grid: What windows are counted on.
        """
        self.geometry = geometry
        self._grid = grid
        shapely.prepare(geometry)

    def window(self, extents: Sequence[Window]) -> Window:
        """The pixels that the area's bounds cover, of the smallest window around some data.

        Args:
            extents: Of each source of data.

        Raises:
            AreaOutsideData: The area meets none of them, though it may lie between them.
        """
        data = bounding_window(extents)
        window = self._grid.window_covering(self.geometry.bounds).intersection(data)
        if window.is_empty or not any(self.meets(extent) for extent in extents):
            raise AreaOutsideData(
                f"the area of interest, {_spelt(self.geometry.bounds)}, lies outside the data, "
                f"{_spelt(self._grid.bounds_of(data))} (left, bottom, right, top in the scene's CRS)",
                remedy="check the order of its coordinates (GeoJSON is longitude, latitude) and its CRS",
            )
        return window

    def meets(self, window: Window) -> bool:
        """Whether the area and a window touch."""
        return bool(self.geometry.intersects(shapely.box(*self._grid.bounds_of(window))))

    def holds(self, window: Window) -> bool:
        """Whether a window lies wholly inside."""
        return bool(self.geometry.contains_properly(shapely.box(*self._grid.bounds_of(window))))


def _spelt(bounds: tuple[float, float, float, float]) -> str:
    return "(" + ", ".join(f"{value:.10g}" for value in bounds) + ")"

"""Where the pixels of a tile lie on the grid of a map.

A tile is 65 536 pixels; transforming each takes thirty milliseconds. So every 16th is transformed, the pixels
between are interpolated, and where that would be off by a good part of a pixel, every 8th is, and so on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from service.rasters.windows import Window
from service.tiles.matrices import cell_size, find_tile_matrix_set, origin

if TYPE_CHECKING:
    from service.planning.grid import Grid

F64 = np.typing.NDArray[np.float64]

_STEP_PX = 16
_MAX_ERROR_PX = 0.125
"""Of a tile's pixel; as GDAL's own warping."""
_TIE_PX = 1e-6
"""Of a grid's pixel; added to each position, so that one on a border between cells, where rounding would pick
either, falls into the right and lower one. GDAL's rule, whose 1e-10 (``GDALRasterBand::IRasterIO``,
``GWKNearest``) is less than coordinates are rounded by: see docs/decisions/0009."""
_OUTSIDE = -1e12
"""Grid position of what has no place in the map's CRS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileFrame:
    """Where the pixels of a tile lie in the CRS of its tile matrix set."""

    tms: str
    left: float
    top: float
    pixel: float
    """Side of a pixel, in units of the CRS."""
    size_px: int

    @classmethod
    def of(cls, tms: str, z: int, x: int, y: int, *, size_px: int = 256) -> TileFrame:
        """The frame of a tile that exists."""
        matrix_set = find_tile_matrix_set(tms)
        left, top = origin(matrix_set)
        side = cell_size(matrix_set, z) * 256
        return cls(tms=tms, left=left + x * side, top=top - y * side, pixel=side / size_px, size_px=size_px)


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Where the pixels of a part of a tile lie on a grid: their centres, in fractions of its pixels.

    Held as nodes, ``step_px`` apart from the part's first pixel on, the last beyond its end.
    """

    height: int
    """Rows of the part."""
    width: int
    """Columns of the part."""
    step_px: int
    cols_YX: F64
    """Grid columns of the nodes."""
    rows_YX: F64
    """Grid rows of the nodes."""
    is_parallel: bool
    """Whether the axes of tile and grid are, so that columns and rows can be looked up apart."""

    @property
    def window(self) -> Window:
        """The grid pixels that hold all positions."""
        return Window.between(
            row_off=math.floor(self.rows_YX.min()),
            col_off=math.floor(self.cols_YX.min()),
            row_end=math.floor(self.rows_YX.max()) + 1,
            col_end=math.floor(self.cols_YX.max()) + 1,
        )

    @property
    def scale(self) -> float:
        """Grid pixels to a pixel of the tile, in its middle, along the axis where they are fewer."""
        y, x = (size // 2 for size in self.cols_YX.shape)
        ends = ((y, x - 1), (y - 1, x))
        steps = (
            math.hypot(self.cols_YX[y, x] - self.cols_YX[end], self.rows_YX[y, x] - self.rows_YX[end])
            for end in ends
        )
        return float(min(steps)) / self.step_px

    def meeting(self, window: Window) -> tuple[tuple[slice, slice], Positions] | None:
        """The rows and columns outside which no position lies in a window, and what lies in them, if any."""
        least_col, most_col = _extremes(self.cols_YX)
        least_row, most_row = _extremes(self.rows_YX)
        hit_YX = (most_col >= window.col_off) & (least_col < window.col_end)
        hit_YX &= (most_row >= window.row_off) & (least_row < window.row_end)
        ys, xs = np.flatnonzero(hit_YX.any(axis=1)), np.flatnonzero(hit_YX.any(axis=0))
        if not ys.size:
            return None
        top, left = int(ys[0]), int(xs[0])
        bottom, right = int(ys[-1]) + 1, int(xs[-1]) + 1
        nodes = slice(top, bottom + 1), slice(left, right + 1)
        rows = slice(top * self.step_px, min(bottom * self.step_px, self.height))
        cols = slice(left * self.step_px, min(right * self.step_px, self.width))
        part = replace(
            self,
            height=rows.stop - rows.start,
            width=cols.stop - cols.start,
            cols_YX=self.cols_YX[nodes],
            rows_YX=self.rows_YX[nodes],
        )
        return (rows, cols), part

    def in_cells(self, window: Window, level: int) -> Positions:
        """The same in cells of 2^level pixels, counted from the corner of a window."""
        size = float(1 << level)
        return replace(
            self,
            cols_YX=(self.cols_YX - window.col_off) / size,
            rows_YX=(self.rows_YX - window.row_off) / size,
        )

    def dense_cols(self) -> F64:
        """Column of each pixel; one row of them where the axes are parallel."""
        nodes_YX = self.cols_YX[:1] if self.is_parallel else self.cols_YX
        return _between(nodes_YX, self.step_px, self.height, self.width)

    def dense_rows(self) -> F64:
        """Row of each pixel; one column of them where the axes are parallel."""
        nodes_YX = self.rows_YX[:, :1] if self.is_parallel else self.rows_YX
        return _between(nodes_YX, self.step_px, self.height, self.width)


def part_of_tile(frame: TileFrame, grid: Grid, window: Window) -> tuple[slice, slice] | None:
    """Rows and columns of a tile that a window of a grid may reach; None where they do not meet."""
    left, bottom, right, top = extent_in(frame.tms, grid, window)
    first_x, last_x = (left - frame.left) / frame.pixel, (right - frame.left) / frame.pixel
    first_y, last_y = (frame.top - top) / frame.pixel, (frame.top - bottom) / frame.pixel
    cols = slice(max(math.floor(first_x), 0), min(math.ceil(last_x), frame.size_px))
    rows = slice(max(math.floor(first_y), 0), min(math.ceil(last_y), frame.size_px))
    return None if cols.start >= cols.stop or rows.start >= rows.stop else (rows, cols)


def locate(frame: TileFrame, grid: Grid, part: tuple[slice, slice]) -> Positions:
    """Find the grid positions of a part of a tile, to within half a pixel of the tile."""
    step_px = _STEP_PX
    while True:
        found = _located(frame, grid, part, step_px)
        if step_px == 1 or _is_good(found):
            return found
        step_px //= 2


@lru_cache(maxsize=256)
def transformer_between(tms: str, crs_wkt: str) -> pyproj.Transformer | None:
    """From the CRS of a tile matrix set to that of a grid, x before y; None where they are the same.

    A transformer is safe in any thread: pyproj keeps one for each.
    """
    tile_crs = pyproj.CRS.from_wkt(find_tile_matrix_set(tms).crs.to_wkt())
    grid_crs = pyproj.CRS.from_wkt(crs_wkt)
    if tile_crs.equals(grid_crs, ignore_axis_order=True):
        return None
    codes = {tile_crs.to_epsg(), grid_crs.to_epsg()}
    if len(codes) == 1 and None not in codes:
        return None
    return pyproj.Transformer.from_crs(tile_crs, grid_crs, always_xy=True)


@lru_cache(maxsize=1024)
def extent_in(tms: str, grid: Grid, window: Window) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a window in the CRS of a tile matrix set, a little more than less."""
    bounds = grid.bounds_of(window)
    transformer = transformer_between(tms, grid.crs_wkt)
    if transformer is None:
        return bounds
    left, bottom, right, top = transformer.transform_bounds(*bounds, densify_pts=51, direction="INVERSE")
    if not all(map(math.isfinite, (left, bottom, right, top))):
        return (-math.inf, -math.inf, math.inf, math.inf)
    slack_x, slack_y = (right - left) / 1000, (top - bottom) / 1000  # edges bend between the points
    return left - slack_x, bottom - slack_y, right + slack_x, top + slack_y


def _located(frame: TileFrame, grid: Grid, part: tuple[slice, slice], step_px: int) -> Positions:
    """Transform the nodes that lie this far apart."""
    rows, cols = part
    height, width = rows.stop - rows.start, cols.stop - cols.start
    x_px = np.arange(-(-width // step_px) + 1) * step_px + (cols.start + 0.5)
    y_px = np.arange(-(-height // step_px) + 1) * step_px + (rows.start + 0.5)
    x_YX, y_YX = np.meshgrid(frame.left + x_px * frame.pixel, frame.top - y_px * frame.pixel)
    transformer = transformer_between(frame.tms, grid.crs_wkt)
    if transformer is not None:
        x_YX, y_YX = transformer.transform(x_YX, y_YX)
        x_YX, y_YX = (np.where(np.isfinite(values), values, _OUTSIDE) for values in (x_YX, y_YX))
    return Positions(
        height=height,
        width=width,
        step_px=step_px,
        cols_YX=(x_YX - grid.x_origin) / grid.x_res + _TIE_PX,
        rows_YX=(grid.y_origin - y_YX) / grid.y_res + _TIE_PX,
        is_parallel=transformer is None,
    )


def _is_good(positions: Positions) -> bool:
    """Whether what lies between the nodes may be interpolated.

    A curve departs from its chord by an eighth of its second difference, a bilinear surface along both. A
    node without a place makes a difference beyond all measure.
    """
    if positions.is_parallel:
        return True
    if min(positions.cols_YX.shape) < 3:  # too few nodes to tell
        return positions.step_px == 1
    errors = (
        np.abs(np.diff(nodes_YX, 2, axis=axis)).max() / 8
        for nodes_YX in (positions.cols_YX, positions.rows_YX)
        for axis in (0, 1)
    )
    return bool(sum(errors) <= 2 * _MAX_ERROR_PX * positions.scale)


def _between(nodes_YX: F64, step_px: int, height: int, width: int) -> F64:
    """Interpolate between nodes, linearly along each axis that has more than one.

    Sums of products by hand: a matrix product would wake BLAS's threads for each tile.
    """
    share_S = np.arange(step_px) / step_px
    if nodes_YX.shape[1] > 1:
        first_YX, slope_YX = nodes_YX[:, :-1], np.diff(nodes_YX, axis=1)
        nodes_YX = first_YX[:, :, None] + slope_YX[:, :, None] * share_S
        nodes_YX = nodes_YX.reshape(len(nodes_YX), -1)[:, :width]
    if nodes_YX.shape[0] > 1:
        first_YX, slope_YX = nodes_YX[:-1], np.diff(nodes_YX, axis=0)
        dense_YSX = slope_YX[:, None] * share_S[:, None]
        dense_YSX += first_YX[:, None]
        nodes_YX = dense_YSX.reshape(-1, nodes_YX.shape[1])[:height]
    return nodes_YX


def _extremes(values_YX: F64) -> tuple[F64, F64]:
    """Least and greatest of the corners of each cell between nodes."""
    corners = (values_YX[:-1, :-1], values_YX[:-1, 1:], values_YX[1:, :-1], values_YX[1:, 1:])
    least_YX, most_YX = corners[0], corners[0]
    for corner_YX in corners[1:]:
        least_YX, most_YX = np.minimum(least_YX, corner_YX), np.maximum(most_YX, corner_YX)
    return least_YX, most_YX

"""Where the pixels of a tile lie on the grid of a map.

A tile is 65 536 pixels; transforming each takes thirty milliseconds. So 17 x 17 nodes are transformed and the
pixels between them interpolated, and where that would be off by half a pixel, more nodes are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyproj

from service.rasters.windows import Window
from service.tiles.matrices import cell_size, find_tile_matrix_set, origin

if TYPE_CHECKING:
    from service.planning.grid import Grid

F64 = np.typing.NDArray[np.float64]

_NUM_NODES = 17
_MAX_ERROR_PX = 0.25
"""Of a tile's pixel, by an estimate that is twice too careful where the projection is smooth."""
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
    """Where the pixel centres of a part of a tile lie on a grid, in fractions of its pixels.

    Shapes are those of the part, or with one axis of length 1 where the axes of tile and grid are parallel.
    """

    cols_HW: F64
    rows_HW: F64
    node_x_px: F64
    """Columns of the nodes, within the part; evenly apart, so not always whole."""
    node_y_px: F64
    node_cols_YX: F64
    """Grid columns of the nodes."""
    node_rows_YX: F64
    scale: float
    """Grid pixels to a pixel of the tile: the lesser of its two axes."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the part."""
        return self.rows_HW.shape[0], self.cols_HW.shape[1]

    @property
    def is_parallel(self) -> bool:
        """Whether columns and rows can be looked up apart."""
        is_parallel: bool = self.cols_HW.shape[0] == 1
        return is_parallel

    @property
    def window(self) -> Window:
        """The grid pixels that hold all positions; nothing far outside."""
        lowest, highest = -(2**40), 2**40
        return Window.between(
            row_off=max(math.floor(self.node_rows_YX.min()), lowest),
            col_off=max(math.floor(self.node_cols_YX.min()), lowest),
            row_end=min(math.floor(self.node_rows_YX.max()) + 1, highest),
            col_end=min(math.floor(self.node_cols_YX.max()) + 1, highest),
        )

    def part_in(self, window: Window) -> tuple[slice, slice] | None:
        """Rows and columns of the part outside which no position lies in a window; None where none does."""
        least_col, most_col, least_row, most_row = self._cells
        hit_YX = (most_col >= window.col_off) & (least_col < window.col_end)
        hit_YX = hit_YX & (most_row >= window.row_off) & (least_row < window.row_end)
        ys, xs = np.flatnonzero(hit_YX.any(axis=1)), np.flatnonzero(hit_YX.any(axis=0))
        if not ys.size:
            return None
        return (
            slice(math.floor(self.node_y_px[ys[0]]), math.ceil(self.node_y_px[ys[-1] + 1]) + 1),
            slice(math.floor(self.node_x_px[xs[0]]), math.ceil(self.node_x_px[xs[-1] + 1]) + 1),
        )

    @cached_property
    def _cells(self) -> tuple[F64, F64, F64, F64]:
        """Least and greatest column, least and greatest row of the cells between nodes."""
        return (*_extremes(self.node_cols_YX), *_extremes(self.node_rows_YX))


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
    rows, cols = part
    transformer = transformer_between(frame.tms, grid.crs_wkt)
    if transformer is None:
        return _parallel(frame, grid, rows, cols)
    num_nodes = _NUM_NODES
    while True:
        found = _located(frame, grid, part, transformer, num_nodes)
        if found is not None:
            return found
        num_nodes = 2 * num_nodes - 1


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


def _parallel(frame: TileFrame, grid: Grid, rows: slice, cols: slice) -> Positions:
    x_W = frame.left + (np.arange(cols.start, cols.stop) + 0.5) * frame.pixel
    y_H = frame.top - (np.arange(rows.start, rows.stop) + 0.5) * frame.pixel
    cols_1W = ((x_W - grid.x_origin) / grid.x_res)[None]
    rows_H1 = ((grid.y_origin - y_H) / grid.y_res)[:, None]
    node_x_px, _ = _nodes(cols_1W.shape[1], _NUM_NODES)
    node_y_px, _ = _nodes(rows_H1.shape[0], _NUM_NODES)
    return Positions(
        cols_HW=cols_1W,
        rows_HW=rows_H1,
        node_x_px=node_x_px,
        node_y_px=node_y_px,
        node_cols_YX=cols_1W[:, np.rint(node_x_px).astype(int)],
        node_rows_YX=rows_H1[np.rint(node_y_px).astype(int)],
        scale=min(frame.pixel / grid.x_res, frame.pixel / grid.y_res),
    )


def _located(
    frame: TileFrame,
    grid: Grid,
    part: tuple[slice, slice],
    transformer: pyproj.Transformer,
    num_nodes: int,
) -> Positions | None:
    """Positions from this many nodes a side; None where they are too few."""
    rows, cols = part
    node_y_px, weights_HY = _nodes(rows.stop - rows.start, num_nodes)
    node_x_px, weights_WX = _nodes(cols.stop - cols.start, num_nodes)
    x_X = frame.left + (node_x_px + cols.start + 0.5) * frame.pixel
    y_Y = frame.top - (node_y_px + rows.start + 0.5) * frame.pixel
    x_YX, y_YX = np.meshgrid(x_X, y_Y)
    crs_x_YX, crs_y_YX = transformer.transform(x_YX, y_YX)
    cols_YX = (crs_x_YX - grid.x_origin) / grid.x_res
    rows_YX = (grid.y_origin - crs_y_YX) / grid.y_res
    is_exact = weights_HY is None and weights_WX is None
    is_finite = bool(np.isfinite(cols_YX).all() and np.isfinite(rows_YX).all())
    if not is_exact and not is_finite:
        return None
    if not is_finite:
        nowhere_YX = ~(np.isfinite(cols_YX) & np.isfinite(rows_YX))
        cols_YX[nowhere_YX] = rows_YX[nowhere_YX] = _OUTSIDE
    scale = _scale(cols_YX, rows_YX, node_x_px, node_y_px)
    if not is_exact and max(_bend(cols_YX), _bend(rows_YX)) > _MAX_ERROR_PX * scale:
        return None
    return Positions(
        cols_HW=_interpolated(cols_YX, weights_HY, weights_WX),
        rows_HW=_interpolated(rows_YX, weights_HY, weights_WX),
        node_x_px=node_x_px,
        node_y_px=node_y_px,
        node_cols_YX=cols_YX,
        node_rows_YX=rows_YX,
        scale=scale,
    )


@lru_cache(maxsize=512)
def _nodes(size_px: int, num_nodes: int) -> tuple[F64, F64 | None]:
    """Places of the nodes along one axis, in pixels, and the weight of each at each pixel.

    The first and the last pixel are nodes. Weights are None where every pixel is one.
    """
    if size_px <= num_nodes:
        return np.arange(size_px, dtype=np.float64) if size_px > 1 else np.zeros(2), None
    node_px = np.linspace(0, size_px - 1, num_nodes)
    pixels = np.arange(size_px)
    weights_SN = np.stack([np.interp(pixels, node_px, row) for row in np.eye(num_nodes)], axis=1)
    return node_px, weights_SN


def _interpolated(values_YX: F64, weights_HY: F64 | None, weights_WX: F64 | None) -> F64:
    if weights_HY is not None:
        values_YX = weights_HY @ values_YX
    if weights_WX is not None:
        values_YX = values_YX @ weights_WX.T
    return values_YX


def _bend(values_YX: F64) -> float:
    """Greatest distance between the bilinear surface through the nodes and the true one, estimated.

    A curve departs from its chord by an eighth of its second difference.
    """
    second_x, second_y = np.diff(values_YX, 2, axis=1), np.diff(values_YX, 2, axis=0)
    return float(max(np.abs(second_x).max(initial=0), np.abs(second_y).max(initial=0))) / 4


def _scale(cols_YX: F64, rows_YX: F64, node_x_px: F64, node_y_px: F64) -> float:
    """Grid pixels to a pixel of the tile, in the middle of it, along the axis where they are fewer."""
    steps = []
    middle_y, middle_x = len(node_y_px) // 2, len(node_x_px) // 2
    for axis, middle, node_px in ((1, middle_x, node_x_px), (0, middle_y, node_y_px)):
        distance_px = float(node_px[middle] - node_px[middle - 1])
        if distance_px:
            ends = [(middle_y, middle - end) if axis else (middle - end, middle_x) for end in (0, 1)]
            cols, rows = ([float(values[end]) for end in ends] for values in (cols_YX, rows_YX))
            steps.append(math.hypot(cols[0] - cols[1], rows[0] - rows[1]) / distance_px)
    return min(steps, default=1.0)


def _extremes(values_YX: F64) -> tuple[F64, F64]:
    """Least and greatest of the corners of each cell between nodes; an axis of length 1 stays so."""
    least, most = values_YX, values_YX
    for axis in (0, 1):
        if least.shape[axis] > 1:
            first, second = (slice(None, -1), slice(1, None))
            index = (slice(None),) * axis
            least = np.minimum(least[(*index, first)], least[(*index, second)])
            most = np.maximum(most[(*index, first)], most[(*index, second)])
    return least, most

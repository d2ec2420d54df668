"""Bring a raster of another geometry onto the grid, in fixed chunks. Runs in the child.

A chunk's pixels depend on the chunk's place and the file alone, never on the window asked for: the same
place always gets the same pixels.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.warp import reproject
from rasterio.warp import transform as transform_points

from service.rasters.facts import Transform
from service.rasters.sources import Layer, WarpSpec
from service.rasters.transforms import apply, invert, shifted
from service.rasters.windows import Window

Pixels = tuple[NDArray[np.uint8], NDArray[np.bool_]]
ReadNative = Callable[[Window], Pixels]

_HALF = 128  # a pixel is valid where at least half of its weight is
_EDGE_POINTS = 33


class ChunkCache:
    """Chunks already resampled, the longest unused dropped first; not for several threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._chunks: OrderedDict[tuple[str, int, int], Pixels] = OrderedDict()

    def get(self, key: tuple[str, int, int], compute: Callable[[], Pixels]) -> Pixels:
        """The chunk of this key, computed when it is not held."""
        chunk = self._chunks.pop(key, None)
        if chunk is None:
            chunk = compute()
            self._held_bytes += chunk[0].nbytes + chunk[1].nbytes
        self._chunks[key] = chunk
        while self._held_bytes > self._max_bytes and len(self._chunks) > 1:
            _, (image, valid) = self._chunks.popitem(last=False)
            self._held_bytes -= image.nbytes + valid.nbytes
        return chunk


def read_warped(layer: Layer, window: Window, read_native: ReadNative, cache: ChunkCache, key: str) -> Pixels:
    """Read part of a warped layer.

    Args:
        layer: The layer; its ``warp`` says how.
        window: Pixels of the grid.
        read_native: Reads pixels of the north-up view of the file.
        cache: Where chunks are kept.
        key: Names the layer in the cache.

    Returns:
        ``image_CHW`` uint8, 0 where invalid, and ``valid_HW``.
    """
    assert layer.warp is not None
    image_CHW = np.zeros((len(layer.bands), window.height, window.width), dtype=np.uint8)
    valid_HW = np.zeros((window.height, window.width), dtype=np.bool_)
    for chunk in chunks_of(layer.warp, window):
        part = chunk.intersection(window)
        chunk_image, chunk_valid = cache.get(
            (key, chunk.col_off, chunk.row_off), partial(_resample, layer, chunk, read_native)
        )
        there, here = part.slices_in(chunk), part.slices_in(window)
        image_CHW[:, *here] = chunk_image[:, *there]
        valid_HW[here] = chunk_valid[there]
    return image_CHW, valid_HW


def chunks_of(warp: WarpSpec, window: Window) -> Iterator[Window]:
    """The anchored chunks that a window touches, row by row."""
    side = warp.chunk_px
    first_row = window.row_off - (window.row_off - warp.chunk_row_off) % side
    first_col = window.col_off - (window.col_off - warp.chunk_col_off) % side
    for row in range(first_row, window.row_end, side):
        for col in range(first_col, window.col_end, side):
            yield Window(col, row, side, side)


def _resample(layer: Layer, chunk: Window, read_native: ReadNative) -> Pixels:
    warp = layer.warp
    assert warp is not None
    image_CHW = np.zeros((len(layer.bands), chunk.height, chunk.width), dtype=np.uint8)
    valid_HW = np.zeros((chunk.height, chunk.width), dtype=np.bool_)
    window = _source_window(layer, warp, chunk)
    if window is None:
        return image_CHW, valid_HW
    native_CHW, native_valid_HW = read_native(window)
    if not native_valid_HW.any():
        return image_CHW, valid_HW
    source = np.concatenate([native_CHW, native_valid_HW[None].astype(np.uint8) * np.uint8(255)])
    target = np.zeros((len(layer.bands) + 1, chunk.height, chunk.width), dtype=np.uint8)
    reproject(
        source,
        target,
        src_transform=Affine(*shifted(warp.source_transform, cols=window.col_off, rows=window.row_off)),
        src_crs=CRS.from_wkt(warp.source_crs_wkt),
        dst_transform=Affine(*_chunk_transform(warp, chunk)),
        dst_crs=CRS.from_wkt(warp.grid.crs_wkt),
        src_alpha=len(layer.bands) + 1,
        dst_alpha=len(layer.bands) + 1,
        resampling=Resampling[warp.resampling],
        num_threads=1,
        warp_mem_limit=1024,  # MB: a chunk is never split
        tolerance=0.0,
        XSCALE=repr(1.0 / warp.scale_xy[0]),
        YSCALE=repr(1.0 / warp.scale_xy[1]),
    )
    valid_HW = target[-1] >= _HALF
    return np.where(valid_HW, target[:-1], np.uint8(0)), valid_HW


def _chunk_transform(warp: WarpSpec, chunk: Window) -> Transform:
    """Transform of a chunk, computed from whole pixels so that it is the same from any grid origin."""
    a, _, c, _, e, f = warp.grid.transform
    return a, 0.0, _on_anchor(c, a, chunk.col_off), 0.0, e, _on_anchor(f, e, chunk.row_off)


def _on_anchor(origin: float, step: float, offset_px: int) -> float:
    """Coordinate of a pixel edge; from the CRS origin in whole pixels when the grid is anchored."""
    whole = round(origin / step)
    phase = origin - whole * step
    is_anchored = abs(phase) < 1e-6 * abs(step)
    return (whole + offset_px) * step if is_anchored else origin + offset_px * step


def _source_window(layer: Layer, warp: WarpSpec, chunk: Window) -> Window | None:
    """The source pixels that a chunk needs, with the kernel's margin; None when it lies outside."""
    steps = np.linspace(0, chunk.width, _EDGE_POINTS)
    cols, rows = (axis.ravel() for axis in np.meshgrid(steps, steps * chunk.height / chunk.width))
    xs, ys = apply(_chunk_transform(warp, chunk), cols, rows)
    source_xs, source_ys = transform_points(
        CRS.from_wkt(warp.grid.crs_wkt), CRS.from_wkt(warp.source_crs_wkt), xs, ys
    )
    source_cols, source_rows = apply(invert(warp.source_transform), np.array(source_xs), np.array(source_ys))
    finite = np.isfinite(source_cols) & np.isfinite(source_rows)
    if not finite.any():
        return None
    margins = [math.ceil(2 * scale) + 2 for scale in warp.scale_xy]
    left = math.floor(source_cols[finite].min()) - margins[0]
    top = math.floor(source_rows[finite].min()) - margins[1]
    right = math.ceil(source_cols[finite].max()) + margins[0]
    bottom = math.ceil(source_rows[finite].max()) + margins[1]
    needed = Window(left, top, right - left, bottom - top).intersection(
        Window(0, 0, layer.file_width, layer.file_height)
    )
    return None if needed.is_empty else needed

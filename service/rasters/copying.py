"""Copy a raster that is slow to read in windows to a tiled one. Runs in the child."""

from collections.abc import Callable, Iterator

import numpy as np
import rasterio
from rasterio.windows import Window as RasterioWindow

from service.rasters.layers import OpenRasters, read_native
from service.rasters.limits import Limits
from service.rasters.sources import Layer
from service.rasters.windows import Window

_STRIP_PX = 8 * 2**20
"""Pixels copied at once, so that the copy's memory does not depend on the raster's."""
_TILE_PX = 512


def copy_tiled(layer: Layer, target: str, *, limits: Limits, progress: Callable[[float], None]) -> None:
    """Write the bands of a layer, 8-bit and north-up, and their validity as a last band, tiled.

    Args:
        layer: What to copy; its warp does not matter here.
        target: A new file.
        limits: Of the child.
        progress: Called with the share done after every part.

    Raises:
        RasterError: The source is damaged.
    """
    dataset = OpenRasters(limits).get(layer)
    windows = list(copy_windows(layer.file_width, layer.file_height, dataset.block_shapes[0]))
    profile = {
        "driver": "GTiff",
        "width": layer.file_width,
        "height": layer.file_height,
        "count": len(layer.bands) + 1,
        "dtype": "uint8",
        "tiled": True,
        "blockxsize": _TILE_PX,
        "blockysize": _TILE_PX,
        "interleave": "pixel",
        "predictor": 2,
        "bigtiff": "IF_SAFER",
        "num_threads": limits.decode_threads,
    }
    compression = {"compress": "ZSTD", "zstd_level": 1} if _has_zstd() else {"compress": "LZW"}
    with rasterio.open(target, "w", **profile, **compression) as copy:
        for done, window in enumerate(windows, start=1):
            image_CHW, valid_HW = read_native(dataset, layer, window)
            mask_1HW = valid_HW[None].astype(np.uint8) * np.uint8(255)
            part = RasterioWindow(window.col_off, window.row_off, window.width, window.height)
            copy.write(np.concatenate([image_CHW, mask_1HW]), window=part)
            progress(done / len(windows))


def copy_windows(width: int, height: int, block_shape: tuple[int, int]) -> Iterator[Window]:
    """Cover a raster once with windows of whole internal blocks, of about ``_STRIP_PX``, row by row."""
    block_height, block_width = block_shape
    blocks_wide = max(_STRIP_PX // (block_height * block_width), 1)
    step_x = min(blocks_wide * block_width, -(-width // block_width) * block_width)
    blocks_high = max(_STRIP_PX // (block_height * step_x), 1) if step_x >= width else 1
    step_y = blocks_high * block_height
    for row in range(0, height, step_y):
        for col in range(0, width, step_x):
            yield Window(col, row, min(step_x, width - col), min(step_y, height - row))


def _has_zstd() -> bool:
    """Whether this GDAL writes ZSTD; tried once on a file in memory."""
    try:
        with (
            rasterio.MemoryFile() as memory,
            memory.open(driver="GTiff", width=1, height=1, count=1, dtype="uint8", compress="ZSTD"),
        ):
            return True
    except rasterio.errors.RasterioError:
        return False

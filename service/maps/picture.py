"""The picture of a sheet's source: compressed, for eyes, beside its map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.shutil import copy as copy_raster
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from service.rasters.windows import Window
from service.rasters.writing import TILE_PX, appearing

if TYPE_CHECKING:
    from pathlib import Path

    from service.planning.jobs import JobPlan, SheetPlan

    U8 = np.typing.NDArray[np.uint8]
    Mask = np.typing.NDArray[np.bool_]

_BAND_ROWS = 512
_QUALITY = 80


class PictureSource(Protocol):
    """Where pixels of the source come from."""

    def read(self, window: Window) -> tuple[U8, Mask]:
        """Pixels ``image_CHW`` of a window of the grid and which are valid, ``valid_HW``."""
        ...


def write_picture(
    source: PictureSource, plan: JobPlan, sheet: SheetPlan, path: Path, *, token: str | None = None
) -> None:
    """Write what eyes would see of a sheet's source, on the sheet's pixels, as a COG with overviews.

    Red, green and blue where the model reads them, else its first three bands, else its first in grey; JPEG in
    YCbCr with a mask where there is no data. Memory does not depend on the sheet's height.

    Args:
        source: Opened with the plan's bands.
        plan: Of the job, or the part of it that is the sheet.
        sheet: Of the plan.
        path: Where it appears.
        token: Part of the temporary names.

    Raises:
        RasterError: The source cannot be read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = channels_of(plan.bands)
    with appearing(path, token=token) as part:
        pixels = part.with_suffix(".pixels.tif")
        try:
            _copy_pixels(source, plan, sheet, pixels, channels)
            _compress(pixels, part)
        finally:
            pixels.unlink(missing_ok=True)


def channels_of(bands: tuple[str, ...]) -> tuple[int, int, int]:
    """Positions of the bands that are shown as red, green and blue."""
    if {"red", "green", "blue"} <= set(bands):
        return bands.index("red"), bands.index("green"), bands.index("blue")
    return (0, 1, 2) if len(bands) >= 3 else (0, 0, 0)


def _copy_pixels(
    source: PictureSource, plan: JobPlan, sheet: SheetPlan, target: Path, channels: tuple[int, int, int]
) -> None:
    """Write red, green, blue and validity, tiled, uncompressed, band of rows by band of rows."""
    width, height = sheet.window.width, sheet.window.height
    profile = {
        "driver": "GTiff",
        "width": width,
        "height": height,
        "count": 4,
        "dtype": "uint8",
        "crs": CRS.from_wkt(plan.grid.crs_wkt),
        "transform": Affine(*sheet.transform),
        "tiled": True,
        "blockxsize": TILE_PX,
        "blockysize": TILE_PX,
        "interleave": "pixel",
        "bigtiff": "IF_SAFER",
        "sparse_ok": True,
        "photometric": "RGB",
        "alpha": "yes",
    }
    with rasterio.open(target, "w", **profile) as file:
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
        for row in range(0, height, _BAND_ROWS):
            rows = min(_BAND_ROWS, height - row)
            image_CHW, valid_HW = source.read(
                Window(sheet.window.col_off, sheet.window.row_off + row, width, rows)
            )
            if valid_HW.any():
                rgba_4HW = np.concatenate([image_CHW[list(channels)], valid_HW[None] * np.uint8(255)])
                file.write(rgba_4HW, window=RasterioWindow(0, row, width, rows))


def _compress(pixels: Path, target: Path) -> None:
    """Make the COG; its overviews are means of the valid pixels."""
    copy_raster(
        str(pixels),
        str(target),
        driver="COG",
        COMPRESS="JPEG",
        QUALITY=_QUALITY,
        BLOCKSIZE=TILE_PX,
        OVERVIEW_RESAMPLING="AVERAGE",
        BIGTIFF="IF_SAFER",
        NUM_THREADS="ALL_CPUS",
    )

"""The picture of a sheet's source: compressed, for eyes, beside its map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.shutil import copy as copy_raster
from rasterio.transform import Affine
from rasterio.windows import Window as RasterioWindow

from service.rasters.growing import nothing, watched
from service.rasters.windows import Window
from service.rasters.writing import TILE_PX, appearing
from service.room import full_disk_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    plan: JobPlan,
    sheet: SheetPlan,
    path: Path,
    *,
    source: PictureSource,
    token: str | None = None,
    on_part: Callable[[], object] = nothing,
) -> None:
    """Write what eyes would see of a sheet's source, on the sheet's pixels, as a COG with overviews.

    Red, green and blue where the model reads them, else its first three bands, else its first in grey; JPEG
    in YCbCr with a mask where there is no data. Memory does not depend on the sheet's height.

    Args:
        plan: Of the job, or the part of it that is the sheet.
        sheet: Of the plan.
        path: Where it appears, in a folder of the sheet that is made where it is not there.
        source: Opened with the plan's bands.
        token: Part of the temporary names.
        on_part: Called after each band of rows and while the copy grows; what it raises ends the writing.

    Raises:
        RasterError: The source cannot be read.
    """
    path.parent.mkdir(exist_ok=True)
    with appearing(path, token=token) as part:
        pixels = part.with_suffix(".pixels.tif")
        try:
            with full_disk_told(path.parent):
                with _opened(pixels, plan, sheet) as file:
                    for image_CHW, row in _bands(source, sheet, channels_of(plan.bands)):
                        file.write(image_CHW, window=RasterioWindow(0, row, file.width, image_CHW.shape[1]))
                        on_part()
                with watched(part, on_part):
                    _compress(pixels, part)
        finally:
            pixels.unlink(missing_ok=True)


def channels_of(bands: tuple[str, ...]) -> tuple[int, int, int]:
    """Positions of the bands that are shown as red, green and blue."""
    if {"red", "green", "blue"} <= set(bands):
        return bands.index("red"), bands.index("green"), bands.index("blue")
    return (0, 1, 2) if len(bands) >= 3 else (0, 0, 0)


def _opened(path: Path, plan: JobPlan, sheet: SheetPlan) -> Any:  # noqa: ANN401 - rasterio has no types
    """A new raster of red, green, blue and opacity; what is not written is transparent."""
    file = rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=sheet.window.width,
        height=sheet.window.height,
        count=4,
        dtype="uint8",
        crs=CRS.from_wkt(plan.grid.crs_wkt),
        transform=Affine(*sheet.transform),
        tiled=True,
        blockxsize=TILE_PX,
        blockysize=TILE_PX,
        interleave="pixel",
        bigtiff="IF_SAFER",
        sparse_ok=True,
        photometric="RGB",
        alpha="yes",
    )
    file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    return file


def _bands(
    source: PictureSource, sheet: SheetPlan, channels: tuple[int, int, int]
) -> Iterator[tuple[U8, int]]:
    """Red, green, blue and opacity of each band of rows, and the sheet's row at which it begins."""
    window = sheet.window
    for row in range(0, window.height, _BAND_ROWS):
        rows = min(_BAND_ROWS, window.height - row)
        image_CHW, valid_HW = source.read(Window(window.col_off, window.row_off + row, window.width, rows))
        yield np.concatenate([image_CHW[list(channels)], valid_HW[None] * np.uint8(255)]), row


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

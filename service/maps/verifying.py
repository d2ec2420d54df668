"""A finished sheet read back, before the blocks that it was made of go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from service.errors import MapError
from service.maps.finishing import NODATA, count_values
from service.rasters.growing import nothing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from service.maps.finishing import SheetReport
    from service.maps.products import Products
    from service.planning.jobs import SheetPlan

_BAND_ROWS = 512


class ProductDamaged(MapError):
    """A file of a sheet does not hold what was written."""


def verify_sheet(
    sheet: SheetPlan, products: Products, report: SheetReport, *, on_part: Callable[[], object] = nothing
) -> None:
    """Read the rasters of a sheet back, every pixel, and compare them with what was counted.

    Args:
        sheet: The sheet.
        products: Its files.
        report: What was counted as they were written.
        on_part: Called after each band of rows; what it raises ends the reading.

    Raises:
        ProductDamaged: One does not open, has another size, or holds other classes.
    """
    expected = np.zeros(256, dtype=np.int64)
    for value, count in report.pixel_counts.items():
        expected[value] = count
    expected[NODATA] = report.num_nodata_px
    found = _histogram_of(products.classes, sheet, on_part)
    if not np.array_equal(found, expected):
        raise _damaged(products.classes, f"counts of {np.flatnonzero(found != expected).tolist()} differ")
    if products.confidence is not None:
        num_nodata_px = int(_histogram_of(products.confidence, sheet, on_part)[NODATA])
        if num_nodata_px != report.num_nodata_px:
            raise _damaged(products.confidence, f"{num_nodata_px} pixels without data")


def _histogram_of(path: Path, sheet: SheetPlan, on_part: Callable[[], object]) -> NDArray[np.int64]:
    """Pixels by value, read band of rows by band of rows."""
    counts = np.zeros(256, dtype=np.int64)
    try:
        with rasterio.open(path, driver="GTiff") as file:
            if (file.height, file.width) != (sheet.window.height, sheet.window.width):
                raise _damaged(path, f"{file.width} x {file.height} pixels")
            for row in range(0, file.height, _BAND_ROWS):
                rows = min(_BAND_ROWS, file.height - row)
                counts += count_values(file.read(1, window=RasterioWindow(0, row, file.width, rows)))
                on_part()
    except RasterioError as error:
        raise _damaged(path, str(error)) from error
    return counts


def _damaged(path: Path, what: str) -> ProductDamaged:
    return ProductDamaged(
        f"{path} does not hold what was written: {what}", remedy="check the disk; resume the job"
    )

"""Windows of our own rasters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window as RasterioWindow

from service.tiles.errors import PieceGone

if TYPE_CHECKING:
    from pathlib import Path

    from service.rasters.windows import Window
    from service.tiles.handles import Handles

U8 = np.typing.NDArray[np.uint8]


def read_band(handles: Handles, path: Path, band: int, window: Window, *, level: int = 0) -> U8:
    """Read a window of a band of a file of ours.

    Raises:
        PieceGone: The file is not there, or is another than it was.
    """
    with handles.borrowed(path, level=level) as dataset:
        if window.col_end > dataset.width or window.row_end > dataset.height:
            raise PieceGone(f"{path} is {dataset.width} x {dataset.height} px, not as large as its map")
        part = RasterioWindow(window.col_off, window.row_off, window.width, window.height)
        values_HW: U8 = dataset.read(band, window=part)
    return values_HW

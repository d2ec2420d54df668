"""The sources of a plan as the pipeline reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.rasters.windows import Window

if TYPE_CHECKING:
    from service.inference.engine import U8
    from service.inference.strips import Mask
    from service.rasters.reader import SceneReader
    from service.rasters.windows import Window


class ReaderSource:
    """A `PixelSource` over the limited child process."""

    def __init__(self, reader: SceneReader, *, num_bands: int, tile_row_off: int, tile_height: int) -> None:
        """Wrap a reader.

        Args:
            reader: Opened with the roles of the model; its owner closes it.
            num_bands: How many roles.
            tile_row_off: A row of the grid at which a row of internal tiles begins.
            tile_height: Rows of an internal tile, in pixels.
        """
        self._reader = reader
        self.num_bands = num_bands
        self._tile_row_off = tile_row_off
        self._tile_height = tile_height

    def tile_row_end(self, row: int) -> int:
        """See `PixelSource.tile_row_end`."""
        rows = row - self._tile_row_off
        return self._tile_row_off + -(-rows // self._tile_height) * self._tile_height

    def read(self, window: Window) -> tuple[U8, Mask]:
        """See `PixelSource.read`."""
        return self._reader.read(window)

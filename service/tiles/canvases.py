"""The coarsest levels of sheets under way, put together once and completed as blocks come in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from service.planning.lattice import bounding_window
from service.rasters.levels import LAYERS, num_levels_of, num_stored_levels
from service.rasters.windows import Window
from service.tiles.keeping import Kept
from service.tiles.live import put_together

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.tiles.live import LiveBlock
    from service.tiles.palette import Product

U8 = np.typing.NDArray[np.uint8]
NODATA = 255
_MAX_BYTES = 96 * 2**20
"""A sheet of 32 768 px takes 5.6 MB."""


class Canvas:
    """The last stored level of one sheet and all coarser ones; safe to use from any thread."""

    def __init__(self, sheet: Window, layer: Product) -> None:
        self._layer = layer
        self._stored = num_stored_levels(sheet)
        self._levels: list[U8] = []
        """From the last stored on."""
        for level in range(self._stored, num_levels_of(sheet) + 1):
            height, width = (-(-size >> level) for size in (sheet.height, sheet.width))
            self._levels.append(np.full((height, width), NODATA, dtype=np.uint8))
        self._blocks: dict[Path, LiveBlock] = {}
        self._lock = threading.Lock()

    @property
    def num_bytes(self) -> int:
        """In memory."""
        return sum(level_HW.nbytes for level_HW in self._levels)

    def read(self, blocks: Sequence[LiveBlock], level: int, cells: Window) -> U8:
        """Values of a window of cells of a level beyond the last stored.

        Args:
            blocks: All that are done of those that reach into the cells.
            level: Which.
            cells: Counted from the sheet's corner.

        Raises:
            PieceGone: A file is no longer there.
        """
        with self._lock:
            new = [block for block in blocks if block.path not in self._blocks]
            if new:
                self._add(new)
            rows, cols = slice(cells.row_off, cells.row_end), slice(cells.col_off, cells.col_end)
            return self._levels[level - self._stored][rows, cols].copy()

    def _add(self, new: Sequence[LiveBlock]) -> None:
        """Put blocks in, with the cells that they share with those that are there."""
        touched = bounding_window([_touched(block, self._stored) for block in new])
        known = self._blocks | {block.path: block for block in new}
        near = [
            block
            for block in known.values()
            if not _touched(block, self._stored).intersection(touched).is_empty
        ]
        rows_N, cols_N = (
            np.arange(touched.row_off, touched.row_end),
            np.arange(touched.col_off, touched.col_end),
        )
        finest_HW = self._levels[0]
        inside = touched.intersection(Window(0, 0, finest_HW.shape[1], finest_HW.shape[0]))
        found_HW = put_together(near, self._stored, rows_N, cols_N, self._layer)
        finest_HW[_slices(inside)] = found_HW[: inside.height, : inside.width]
        self._halve_down(inside)
        self._blocks = known

    def _halve_down(self, changed: Window) -> None:
        halver = LAYERS[self._layer]
        for finer_HW, coarser_HW in zip(self._levels, self._levels[1:], strict=False):
            changed = Window.between(
                row_off=changed.row_off // 2,
                col_off=changed.col_off // 2,
                row_end=-(-changed.row_end // 2),
                col_end=-(-changed.col_end // 2),
            )
            below = Window(2 * changed.col_off, 2 * changed.row_off, 2 * changed.width, 2 * changed.height)
            coarser_HW[_slices(changed)] = halver(finer_HW[_slices(below)])


_CANVASES: Kept[Canvas] = Kept(max_cost=_MAX_BYTES, cost=lambda canvas: canvas.num_bytes)
"""Of this process."""


def canvas_of(block: LiveBlock, layer: Product) -> Canvas:
    """The canvas of the sheet that a block belongs to."""
    return _CANVASES.get((block.path.parent, layer), lambda: Canvas(block.sheet, layer))


def _touched(block: LiveBlock, level: int) -> Window:
    """The cells of a level that a block has pixels of."""
    side = 1 << level
    pixels = block.wholes[0]
    return Window.between(
        row_off=pixels.row_off // side,
        col_off=pixels.col_off // side,
        row_end=-(-pixels.row_end // side),
        col_end=-(-pixels.col_end // side),
    )


def _slices(window: Window) -> tuple[slice, slice]:
    return slice(window.row_off, window.row_end), slice(window.col_off, window.col_end)

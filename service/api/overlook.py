"""A whole map at the size of a picture: classes and image, from the coarsest levels that will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.rasters.windows import Window
from service.tiles.drawing import looked_at
from service.tiles.handles import HANDLES
from service.tiles.views import views_of

if TYPE_CHECKING:
    from pathlib import Path

    from service.api.mapindex import MapIndex
    from service.tiles.index import BlockIndex
    from service.tiles.views import SheetView

U8 = np.typing.NDArray[np.uint8]
NODATA, WHITE = 255, 255


class Overlook:
    """A map in cells of 2^level x 2^level pixels, counted from its corner."""

    def __init__(self, index: MapIndex, *, side_px: int) -> None:
        """Choose the level.

        Args:
            index: The map.
            side_px: Most cells along the longer side.
        """
        self._index = index
        longer = max(index.window.width, index.window.height)
        self.level = max(0, (-(-longer // side_px) - 1).bit_length())
        """Of the cells."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        window = self._index.window
        return _cells(window.height, self.level), _cells(window.width, self.level)

    def classes(self) -> U8:
        """Class values of what is done, 255 elsewhere."""

        def look(index: BlockIndex) -> U8:
            classes_HW = np.full(self.shape, NODATA, dtype=np.uint8)
            for view in views_of(index.pieces(index.window), HANDLES):
                cells_HW = self._thinned(view)
                self._paste(classes_HW, cells_HW, view.window)
            return classes_HW

        return looked_at(self._index, look)

    def image(self) -> U8 | None:
        """Red, green, blue of the sheets that have a picture, white elsewhere; None where none has."""
        image_HW3 = np.full((*self.shape, 3), WHITE, dtype=np.uint8)
        has_any = False
        for sheet in self._index.frame.plan.sheets:
            path = self._index.picture_of(sheet)
            if path is not None:
                has_any = True
                size = (_cells(sheet.window.height, self.level), _cells(sheet.window.width, self.level))
                self._paste(image_HW3, _thinned_picture(path, size), sheet.window)
        return image_HW3 if has_any else None

    def _thinned(self, view: SheetView) -> U8:
        """A sheet at our level, from the coarsest of its own that is no coarser."""
        level = min(self.level, view.num_levels)
        whole = Window(0, 0, _cells(view.window.width, level), _cells(view.window.height, level))
        step = 1 << (self.level - level)
        row, col = min(step // 2, whole.height - 1), min(step // 2, whole.width - 1)
        cells_HW: U8 = view.read(level, whole, "classes")[row::step, col::step]
        return cells_HW

    def _paste(self, whole_HW: U8, part_HW: U8, window: Window) -> None:
        """Lay the cells of a sheet where they belong, to within a cell."""
        top = (window.row_off - self._index.window.row_off) >> self.level
        left = (window.col_off - self._index.window.col_off) >> self.level
        place_HW = whole_HW[top : top + part_HW.shape[0], left : left + part_HW.shape[1]]
        part_HW = part_HW[: place_HW.shape[0], : place_HW.shape[1]]
        np.copyto(place_HW, part_HW, where=part_HW != NODATA if part_HW.ndim == 2 else True)


def _thinned_picture(path: Path, size: tuple[int, int]) -> U8:
    """Red, green, blue of a picture at another size, white where there is no data."""
    with HANDLES.borrowed(path) as dataset:
        image_3HW = dataset.read((1, 2, 3), out_shape=(3, *size))
        is_valid_HW = dataset.dataset_mask(out_shape=size) > 0
    shown_HW3: U8 = np.where(is_valid_HW[..., None], image_3HW.transpose(1, 2, 0), WHITE).astype(np.uint8)
    return shown_HW3


def _cells(size_px: int, level: int) -> int:
    """Cells that so many pixels fill or begin."""
    return -(-size_px >> level)

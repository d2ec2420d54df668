"""What of a map is there: the `BlockIndex` that tiles are drawn from, over the files of a map's folder."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from rasterio.crs import CRS

from service.planning.blocks import Block
from service.planning.lattice import bounding_window, lattice_cell, split_on_lattice
from service.rasters.ground import ground_size_m
from service.tiles.index import Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.maps.layout import MapFolder
    from service.planning.grid import Grid
    from service.planning.jobs import JobPlan, SheetPlan
    from service.rasters.windows import Window

_MANY_BLOCKS = 64
"""Where a window meets more blocks of a sheet, its folder is listed rather than each name asked for."""
_BLOCK_FILE = re.compile(r"r(-?\d+)_c(-?\d+)\.tif")


class Frame:
    """What a map's plan says of places, for good: its grid, its sheets, its lattice of blocks.

    Of a plan of thousands of sources it keeps the sheets alone, and a tree to find them by.
    """

    def __init__(self, plan: JobPlan) -> None:
        self.plan = plan.model_copy(update={"sources": (), "digests": {}, "aoi_wkb_hex": None})
        """The plan without its sources: enough to name files."""
        self.sources = {Path(path).name: digest for path, digest in plan.digests.items()}
        """sha256 of each source by its file's name; folders of the server are nobody's business."""
        self.sheets_by_name = {sheet.name: sheet for sheet in plan.sheets}
        self.window = bounding_window([sheet.window for sheet in plan.sheets])
        self.cell_px = plan.geometry.core_px * plan.block_cores

    @property
    def grid(self) -> Grid:
        """The grid of the map."""
        return self.plan.grid

    @cached_property
    def _tree(self) -> shapely.STRtree:
        windows = [sheet.window for sheet in self.plan.sheets]
        return shapely.STRtree(np.array([_box(window) for window in windows], dtype=np.object_))

    def sheets_in(self, window: Window) -> list[SheetPlan]:
        """The sheets that share a pixel with a window, in the plan's order."""
        if window.intersection(self.window).is_empty:
            return []
        if len(self.plan.sheets) == 1:
            return list(self.plan.sheets)
        met = np.sort(self._tree.query(_box(window)))
        sheets = [self.plan.sheets[position] for position in met]
        return [sheet for sheet in sheets if not sheet.window.intersection(window).is_empty]

    @cached_property
    def gsd_m(self) -> float:
        """Mean ground size of a pixel at the middle of the map, in metres."""
        middle = (self.window.width / 2, self.window.height / 2)
        transform = self.grid.transform_of(self.window)
        sizes = ground_size_m(CRS.from_wkt(self.grid.crs_wkt), transform, col=middle[0], row=middle[1])
        return math.sqrt(sizes[0] * sizes[1])


@dataclass(frozen=True)
class FoundFiles:
    """What was found to be there and will stay; sets are only ever added to, which threads may do."""

    finished: set[str] = field(default_factory=set)
    """Names of sheets whose products are there."""
    pictured: set[str] = field(default_factory=set)
    """Names of sheets whose picture is there."""


class MapIndex:
    """The pieces of one map as they are at one moment; see `service.tiles.index.BlockIndex`."""

    def __init__(
        self,
        frame: Frame,
        folder: MapFolder,
        *,
        found: FoundFiles,
        version: str,
        is_final: bool,
        renew: Callable[[], MapIndex],
    ) -> None:
        self.frame = frame
        self.found = found
        self._folder = folder
        self._blocks = folder.blocks(frame.plan)
        self._version = version
        self._is_final = is_final
        self._renew = renew

    @property
    def grid(self) -> Grid:
        """The grid of the map."""
        return self.frame.grid

    @property
    def window(self) -> Window:
        """The pixels of the whole map, gaps between its sheets included."""
        return self.frame.window

    @property
    def is_final(self) -> bool:
        """Whether no pixel will change any more."""
        return self._is_final

    @property
    def version(self) -> str:
        """Grows with every block that is done."""
        return self._version

    def pieces(self, window: Window) -> Sequence[Piece]:
        """The pieces that meet a window: finished sheets, and of other sheets the blocks that are done."""
        pieces: list[Piece] = []
        for sheet in self.frame.sheets_in(window):
            if self.is_finished(sheet):
                products = self._folder.products(sheet)
                pieces.append(
                    Piece(
                        kind="sheet",
                        window=sheet.window,
                        sheet=sheet.window,
                        path=products.classes,
                        confidence=products.confidence,
                    )
                )
            else:
                pieces.extend(self._done_blocks(sheet, window))
        return pieces

    def pictures(self, window: Window) -> Sequence[Path]:
        """The pictures of the sheets that meet a window and have one."""
        found = (self.picture_of(sheet) for sheet in self.frame.sheets_in(window))
        return [path for path in found if path is not None]

    def refreshed(self) -> MapIndex:
        """The same map as it is now."""
        return self._renew()

    def is_finished(self, sheet: SheetPlan) -> bool:
        """Whether the products of a sheet are there."""
        return self._is_there(sheet, self.found.finished, self._folder.products(sheet).classes)

    def picture_of(self, sheet: SheetPlan) -> Path | None:
        """The picture of a sheet's source; None where it is not there."""
        path = self._folder.picture(sheet)
        return path if self._is_there(sheet, self.found.pictured, path) else None

    @staticmethod
    def _is_there(sheet: SheetPlan, known: set[str], path: Path) -> bool:
        if sheet.name in known:
            return True
        if not path.is_file():
            return False
        known.add(sheet.name)
        return True

    def _done_blocks(self, sheet: SheetPlan, window: Window) -> Iterator[Piece]:
        asked = window.intersection(sheet.window)
        cells = split_on_lattice(asked, cell_px=self.frame.cell_px) if self._is_few(asked) else None
        places = self._listed(sheet) if cells is None else ((row, col) for row, col, _ in cells)
        for row, col in places:
            cell = lattice_cell(row, col, cell_px=self.frame.cell_px).intersection(sheet.window)
            path = self._blocks.path_of(sheet, Block(row=row, col=col, window=cell))
            if not cell.intersection(window).is_empty and path.is_file():
                yield Piece(kind="block", window=cell, sheet=sheet.window, path=path)

    def _is_few(self, window: Window) -> bool:
        side = self.frame.cell_px
        return (window.width // side + 2) * (window.height // side + 2) <= _MANY_BLOCKS

    def _listed(self, sheet: SheetPlan) -> Iterator[tuple[int, int]]:
        """Places on the lattice of all blocks of a sheet that are done."""
        folder = self._blocks.path_of(sheet, Block(row=0, col=0, window=sheet.window)).parent
        try:
            names = sorted(path.name for path in folder.iterdir())
        except FileNotFoundError:  # nothing is done yet, or all of it is finished and gone
            return
        for name in names:
            found = _BLOCK_FILE.fullmatch(name)
            if found:
                yield int(found[1]), int(found[2])


def _box(window: Window) -> shapely.Geometry:
    return shapely.box(window.col_off, window.row_off, window.col_end, window.row_end)

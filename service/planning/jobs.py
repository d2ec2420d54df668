"""Job, sheet, block: the plan of one map, for one scene as for a country.

A plan is plain values that go through JSON; whoever holds it can process any run of its blocks.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict

from service.planning.areas import Area
from service.planning.blocks import Block, plan_blocks
from service.planning.cores import PatchGeometry, plan_cores, plan_patch
from service.planning.grid import GeoTransform, Grid
from service.planning.lattice import bounding_window, split_on_lattice
from service.rasters.sources import SourceSpec
from service.rasters.windows import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ALGORITHM = 1
"""Raised when the same plan comes to give other bytes: it enters the key of every job."""

SHEET_PX = 32_768
"""Side of a sheet of product, in pixels; at 0.2 m in Lambert-93 a z13 tile of ``2154_10cm``, 6 553.6 m."""


class SheetPlan(BaseModel):
    """One product file of a map."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Its file's name without extension."""
    window: Window
    """Its pixels on the grid."""
    transform: GeoTransform
    """Its geotransform; of a scene's map the scene's own, to the last bit."""


class JobPlan(BaseModel):
    """All that decides a map, but the machine it is made on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Of the map."""
    model: str
    """``id@version``."""
    model_digest: str
    bands: tuple[str, ...]
    """Roles in the order of the model's input."""
    grid: Grid
    epsg: int | None
    data: Window
    """Extent of all the sources."""
    geometry: PatchGeometry
    block_cores: int
    sources: tuple[SourceSpec, ...]
    """In order of precedence: where two are valid the first is used."""
    digests: dict[str, str]
    """sha256 of the content of each file, by path."""
    aoi_wkb_hex: str | None
    """Area of interest in the grid's CRS."""
    sheets: tuple[SheetPlan, ...]

    @property
    def key(self) -> str:
        """Digest of the content that decides the map; paths, names and the size of blocks do not."""
        plain = self.model_dump(mode="json", exclude={"name", "digests", "block_cores"})
        for sheet in plain["sheets"]:
            del sheet["name"]
        for source in plain["sources"]:
            for layer in (source, *source["companions"]):
                layer["path"] = self.digests[layer["path"]]
        canonical = json.dumps([ALGORITHM, plain], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def area(self) -> Area | None:
        """The area of interest, ready to be asked."""
        if self.aoi_wkb_hex is None:
            return None
        return Area(shapely.from_wkb(self.aoi_wkb_hex), self.grid)

    @cached_property
    def _extents(self) -> shapely.STRtree:
        """Extents of the sources, in pixels of the grid, to be asked for many blocks."""
        return shapely.STRtree(_boxes([source.extent for source in self.sources]))

    def blocks_of(self, sheet: SheetPlan) -> list[Block]:
        """The blocks of a sheet that may hold data inside the area of interest, row by row."""
        area = self.area
        blocks = plan_blocks(sheet.window, core_px=self.geometry.core_px, block_cores=self.block_cores)
        # Smaller by a quarter: boxes that only touch share no pixel.
        asked = _boxes([block.window for block in blocks], inset_px=0.25)
        with_data = np.unique(self._extents.query(asked)[0])
        found = [blocks[position] for position in with_data]
        return [block for block in found if area is None or area.meets(block.window)]

    def part_of(self, sheet: SheetPlan) -> JobPlan:
        """The plan of one sheet: all that decides it, and of a large collection no more than its neighbours.

        It gives the sheet's pixels, not the key of the whole.
        """
        reach_px = self.geometry.patch_px
        seen = Window.between(
            row_off=sheet.window.row_off - reach_px,
            col_off=sheet.window.col_off - reach_px,
            row_end=sheet.window.row_end + reach_px,
            col_end=sheet.window.col_end + reach_px,
        )
        positions = np.unique(self._extents.query(_boxes([seen])[0], predicate="intersects"))
        sources = tuple(self.sources[position] for position in positions)
        paths = {layer.path for source in sources for layer in (source, *source.companions)}
        changed = {
            "sources": sources,
            "digests": {path: digest for path, digest in self.digests.items() if path in paths},
            "sheets": (sheet,),
        }
        return JobPlan(**(dict(self) | changed))  # made anew: a copy would keep the tree of all sources

    def with_paths(self, paths: Mapping[str, str]) -> JobPlan:
        """The same plan with its files called otherwise; its key stays.

        Args:
            paths: From each path to the new one.
        """
        sources = tuple(
            source.model_copy(
                update={
                    "path": paths[source.path],
                    "companions": tuple(
                        layer.model_copy(update={"path": paths[layer.path]}) for layer in source.companions
                    ),
                }
            )
            for source in self.sources
        )
        digests = {paths[path]: digest for path, digest in self.digests.items()}
        return JobPlan(**(dict(self) | {"sources": sources, "digests": digests}))

    def forward_px(self, blocks: Sequence[Block]) -> int:
        """Pixels that the network sees for these blocks, halos and padding included."""
        return sum(
            patch.height * patch.width
            for block in blocks
            for core in plan_cores(block.window, core_px=self.geometry.core_px)
            for patch in (plan_patch(core, data=self.data, geometry=self.geometry),)
        )


def plan_sheets(
    sources: Sequence[SourceSpec],
    *,
    grid: Grid,
    name: str,
    area: Area | None,
    transform: GeoTransform | None = None,
) -> tuple[SheetPlan, ...]:
    """Choose the product files of a map.

    What fits into the size of one sheet becomes one file with exactly the extent of its sources; a larger
    collection is cut on the anchored lattice of sheets, of which only those with data exist.

    Args:
        sources: Placed on the grid.
        grid: The grid.
        name: Of the map; the file's when there is one, the prefix of all when there are several.
        area: Area of interest; the files shrink to it.
        transform: The geotransform of the one scene that is mapped on its own pixels.

    Raises:
        AreaOutsideData: The area meets no data.
    """
    extents = [source.extent for source in sources]
    data = bounding_window(extents)
    wanted = area.window(extents) if area is not None else data
    if len(sources) == 1 or max(wanted.width, wanted.height) <= SHEET_PX:
        exact = transform if transform is not None and wanted == data else grid.transform_of(wanted)
        return (SheetPlan(name=name, window=wanted, transform=exact),)
    parts: dict[tuple[int, int], list[Window]] = {}
    for extent in extents:
        for row, col, part in split_on_lattice(extent.intersection(wanted), cell_px=SHEET_PX):
            parts.setdefault((row, col), []).append(part)
    # A sheet shrinks to the data in its cell, so that sources far apart do not make files of nothing.
    windows = {cell: bounding_window(inside) for cell, inside in parts.items()}
    return tuple(
        SheetPlan(name=f"{name}_r{row}_c{col}", window=window, transform=grid.transform_of(window))
        for (row, col), window in sorted(windows.items())
        if area is None or area.meets(window)
    )


def _boxes(windows: Sequence[Window], *, inset_px: float = 0.0) -> NDArray[np.object_]:
    """Polygons of windows, in pixels of the grid."""
    sides_N4 = np.array([(w.col_off, w.row_off, w.col_end, w.row_end) for w in windows], dtype=np.float64)
    left_N, top_N, right_N, bottom_N = sides_N4.T
    boxes_N: NDArray[np.object_] = shapely.box(
        left_N + inset_px, top_N + inset_px, right_N - inset_px, bottom_N - inset_px
    )
    return boxes_N


def precedence(path: str, date: str | None) -> tuple[str, str]:
    """Sort key of overlapping sheets: the latest acquisition first, then by name; to be sorted ascending."""
    inverted = "".join(chr(0x10FFFF - ord(letter)) for letter in (date or ""))
    return (inverted or chr(0x10FFFF), Path(path).name)

"""The overviews of a block while its sheet is under way, such as the sheet's product will have them.

A product's overviews are counted from the corner of its sheet; blocks begin anywhere. So a block has the
cells of each level that lie wholly inside it, and with the outermost of them whoever reads its neighbours too
can work out the cells that lie across.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from isal import isal_zlib

from service.rasters.overviews import halve, halve_mean
from service.rasters.windows import Window
from service.rasters.writing import appearing, overview_levels

if TYPE_CHECKING:
    from pathlib import Path

U8 = np.typing.NDArray[np.uint8]

STORED_LEVELS = 4
"""Coarser levels are made of this one; a block of 2048 px has 128 x 128 cells of it."""
LAYERS = {"classes": halve, "confidence": halve_mean}
"""What is kept of a block, and how it is halved: as in the products."""
LEVELS_SUFFIX = ".levels"
"""Of the file beside a block's."""
_HEADER_BYTES = 2048
_DEFLATE_LEVEL = 1
_EDGES = "edges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """The outermost whole cells of one level of a block."""

    top: U8
    bottom: U8
    left: U8
    right: U8

    @property
    def num_bytes(self) -> int:
        """In memory."""
        return self.top.nbytes + self.bottom.nbytes + self.left.nbytes + self.right.nbytes


def num_levels_of(sheet: Window) -> int:
    """Overviews that the product of a sheet has."""
    return len(overview_levels(sheet.width, sheet.height))


def num_stored_levels(sheet: Window) -> int:
    """Levels that are kept with the blocks of a sheet."""
    return min(STORED_LEVELS, num_levels_of(sheet))


def whole_cells(block: Window, sheet: Window, level: int) -> Window:
    """The cells of a level that lie wholly inside a block, counted from the sheet's corner.

    A cell at the sheet's end is whole though it reaches beyond.
    """
    side = 1 << level
    inside = block.shifted(cols=-sheet.col_off, rows=-sheet.row_off)
    return Window.between(
        row_off=-(-inside.row_off // side),
        col_off=-(-inside.col_off // side),
        row_end=-(-inside.row_end // side) if block.row_end == sheet.row_end else inside.row_end // side,
        col_end=-(-inside.col_end // side) if block.col_end == sheet.col_end else inside.col_end // side,
    )


def write_levels(
    path: Path,
    layers: dict[str, U8],
    *,
    block: Window,
    sheet: Window,
    token: str | None = None,
) -> None:
    """Write the levels of a block.

    Args:
        path: Where they appear.
        layers: Values of the whole block by name: ``classes``, ``confidence``.
        block: Of the grid.
        sheet: Of the grid.
        token: Part of the temporary name.
    """
    parts: dict[str, bytes] = {}
    for name, values_HW in layers.items():
        levels = _levels(values_HW, name, block=block, sheet=sheet)
        edges = [side for level_HW in levels for side in _sides(level_HW)]
        parts[f"{name}/{_EDGES}"] = isal_zlib.compress(np.concatenate(edges), _DEFLATE_LEVEL)
        for level, level_HW in enumerate(levels[1:], start=1):
            parts[f"{name}/{level}"] = isal_zlib.compress(np.ascontiguousarray(level_HW), _DEFLATE_LEVEL)
    ends = np.cumsum([0, *(len(part) for part in parts.values())]).tolist()
    places = {name: [ends[number], len(part)] for number, (name, part) in enumerate(parts.items())}
    header = json.dumps(places, separators=(",", ":")).encode().ljust(_HEADER_BYTES)
    with appearing(path, token=token) as appears:
        appears.write_bytes(b"".join((header, *parts.values())))


def read_level(path: Path, layer: str, level: int, *, block: Window, sheet: Window) -> U8:
    """The whole cells of a level of a block.

    Raises:
        FileNotFoundError: The file is not there, or no longer.
    """
    cells = whole_cells(block, sheet, level)
    return _read_part(path, f"{layer}/{level}").reshape(cells.height, cells.width)


def read_edges(path: Path, layer: str, *, block: Window, sheet: Window) -> list[Edges]:
    """The outermost whole cells of each level of a block but the last, from its own pixels on.

    Raises:
        FileNotFoundError: The file is not there, or no longer.
    """
    values = _read_part(path, f"{layer}/{_EDGES}")
    edges: list[Edges] = []
    start = 0
    for level in range(num_stored_levels(sheet) + 1):
        cells = whole_cells(block, sheet, level)
        sides: list[U8] = []
        for length in (cells.width, cells.width, cells.height, cells.height):
            size = 0 if cells.is_empty else length
            sides.append(values[start : start + size])
            start += size
        edges.append(Edges(top=sides[0], bottom=sides[1], left=sides[2], right=sides[3]))
    return edges


def _levels(values_HW: U8, layer: str, *, block: Window, sheet: Window) -> list[U8]:
    """The whole cells of each level, from the block's own pixels on."""
    levels = [values_HW]
    finer = whole_cells(block, sheet, 0)
    for level in range(1, num_stored_levels(sheet) + 1):
        cells = whole_cells(block, sheet, level)
        top, left = 2 * cells.row_off - finer.row_off, 2 * cells.col_off - finer.col_off
        inside_HW = levels[-1][top : top + 2 * cells.height, left : left + 2 * cells.width]
        levels.append(LAYERS[layer](inside_HW))
        finer = cells
    return levels


def _sides(values_HW: U8) -> tuple[U8, ...]:
    """First row, last row, first column, last column."""
    if not values_HW.size:
        return (np.zeros(0, dtype=np.uint8),) * 4
    return values_HW[0], values_HW[-1], values_HW[:, 0], values_HW[:, -1]


def _read_part(path: Path, name: str) -> U8:
    with path.open("rb") as file:
        offset, size = json.loads(file.read(_HEADER_BYTES))[name]
        file.seek(_HEADER_BYTES + offset)
        packed = file.read(size)
    return np.frombuffer(isal_zlib.decompress(packed), dtype=np.uint8)

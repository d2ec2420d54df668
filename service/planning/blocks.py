"""Blocks, the unit of work and of retry, and runs of neighbouring blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.planning.lattice import split_on_lattice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.rasters.windows import Window


@dataclass(frozen=True, kw_only=True, order=True)
class Block:
    """Some n x n cores of the anchored lattice, cut to the area asked for."""

    row: int
    """Row on the lattice of blocks; may be negative."""
    col: int
    """Column on the lattice of blocks; may be negative."""
    window: Window
    """The pixels it decides."""

    @property
    def name(self) -> str:
        """A stable name, also that of its file, such as ``r-12_c340``."""
        return f"r{self.row}_c{self.col}"


def plan_blocks(window: Window, *, core_px: int, block_cores: int) -> list[Block]:
    """Cover a window with blocks of ``block_cores`` x ``block_cores`` cores, row by row."""
    return [
        Block(row=row, col=col, window=part)
        for row, col, part in split_on_lattice(window, cell_px=core_px * block_cores)
    ]


def plan_runs(blocks: Iterable[Block], *, max_cols: int, max_rows: int) -> list[tuple[Block, ...]]:
    """Group blocks into runs: rectangles of the lattice of blocks, of which some places may be empty.

    A run is read as one band, downwards: the rows of halo between its blocks are decoded once, and so are
    the columns. Its width bounds the memory that a reader needs.

    Args:
        blocks: In any order; what is already done is simply left out.
        max_cols: Most blocks side by side.
        max_rows: Most blocks one below the other.

    Returns:
        Runs, each with its blocks row by row. Runs come band by band, downwards within a band.
    """
    runs: dict[tuple[int, int], list[Block]] = {}
    for block in sorted(blocks):
        runs.setdefault((block.col // max_cols, block.row // max_rows), []).append(block)
    return [tuple(runs[key]) for key in sorted(runs)]

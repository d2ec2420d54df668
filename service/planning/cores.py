"""Cores, what of a patch is kept, and patches, what the network sees.

The cores of a model are the cells of a lattice of ``core_px`` that starts at the grid's origin. A patch is a
core grown by the halo. Inside the data every patch has the same size; at the edge of the data it is cut to
the data, then grown again by reflection and to the stride of the network. So what a pixel is given to see
depends on where it lies and on the data, never on the extent asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.planning.lattice import lattice_cell, split_on_lattice
from service.rasters.windows import Window


@dataclass(frozen=True, kw_only=True)
class PatchGeometry:
    """How a model wants its patches; it belongs to the model since it changes results."""

    core_px: int
    """Side of a core, in pixels."""
    halo_px: int
    """Pixels seen around a core and thrown away, on each side."""
    stride_px: int
    """The network takes heights and widths that are multiples of this, in pixels."""

    def __post_init__(self) -> None:
        if self.core_px <= 0 or self.stride_px <= 0 or self.halo_px < 0:
            raise ValueError(
                f"no geometry has core {self.core_px} px, halo {self.halo_px} px, stride {self.stride_px} px"
            )
        if self.patch_px % self.stride_px:
            raise ValueError(
                f"core {self.core_px} px and twice the halo of {self.halo_px} px are {self.patch_px} px, "
                f"which the network's stride of {self.stride_px} px does not divide"
            )

    @property
    def patch_px(self) -> int:
        """Side of a patch away from the edge of data, in pixels."""
        return self.core_px + 2 * self.halo_px


@dataclass(frozen=True, kw_only=True)
class Core:
    """The part of one lattice cell that is kept."""

    row: int
    """Row of the cell on the lattice of cores."""
    col: int
    """Column of the cell on the lattice of cores."""
    window: Window
    """The pixels kept: the cell, cut to the area asked for and to the data."""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What the network sees of one core: pixels to read, then to grow by reflection."""

    read: Window
    """Pixels to read; all inside the extent of the data."""
    pad_top: int
    """Rows to reflect above, in pixels."""
    pad_left: int
    """Columns to reflect on the left, in pixels."""
    pad_bottom: int
    """Rows to reflect below, in pixels."""
    pad_right: int
    """Columns to reflect on the right, in pixels."""

    @property
    def height(self) -> int:
        """Rows the network is given; a multiple of its stride."""
        return self.pad_top + self.read.height + self.pad_bottom

    @property
    def width(self) -> int:
        """Columns the network is given; a multiple of its stride."""
        return self.pad_left + self.read.width + self.pad_right

    def slices_of(self, core: Core) -> tuple[slice, slice]:
        """Row and column slices of a core's kept pixels in what the network returns."""
        rows, cols = core.window.slices_in(self.read)
        return (
            slice(rows.start + self.pad_top, rows.stop + self.pad_top),
            slice(cols.start + self.pad_left, cols.stop + self.pad_left),
        )


def plan_cores(window: Window, *, core_px: int) -> list[Core]:
    """Cover a window with cores of the anchored lattice, row by row, each pixel once.

    Args:
        window: What to cover, in pixels of the grid.
        core_px: Side of a core, in pixels; the halo around it is the reader's business.

    Source:
        Overlap-tile strategy, Ronneberger et al. 2015, fig. 2 (arXiv:1505.04597).
    """
    return [
        Core(row=row, col=col, window=part) for row, col, part in split_on_lattice(window, cell_px=core_px)
    ]


def plan_patch(core: Core, *, data: Window, geometry: PatchGeometry) -> Patch:
    """Choose the pixels that decide a core.

    Args:
        core: The core; what of it is kept does not matter here, only its cell does.
        data: Extent of all the data on the grid (of a folder of sheets: of all of them).
        geometry: Core, halo and stride of the model.

    Raises:
        ValueError: The core's cell holds no data.
    """
    cell = lattice_cell(core.row, core.col, cell_px=geometry.core_px).intersection(data)
    if cell.is_empty:
        raise ValueError(f"core {core.row}, {core.col} lies outside the data, {data}")
    top, bottom, row_off, row_end = _span(
        cell.row_off, cell.row_end, data.row_off, data.row_end, geometry=geometry
    )
    left, right, col_off, col_end = _span(
        cell.col_off, cell.col_end, data.col_off, data.col_end, geometry=geometry
    )
    return Patch(
        read=Window.between(row_off=row_off, col_off=col_off, row_end=row_end, col_end=col_end),
        pad_top=top,
        pad_bottom=bottom,
        pad_left=left,
        pad_right=right,
    )


def _span(
    start: int, end: int, data_start: int, data_end: int, *, geometry: PatchGeometry
) -> tuple[int, int, int, int]:
    """Lay one axis of a patch: reflected before, reflected after, first pixel read, pixel after the last.

    What the stride asks for beyond the halo is taken after the end, from real pixels where there are some.
    """
    wanted_start = start - geometry.halo_px
    side = end + geometry.halo_px - wanted_start
    wanted_end = wanted_start + -(-side // geometry.stride_px) * geometry.stride_px
    read_start, read_end = max(wanted_start, data_start), min(wanted_end, data_end)
    return read_start - wanted_start, wanted_end - read_end, read_start, read_end

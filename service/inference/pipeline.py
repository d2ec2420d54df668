"""One run of blocks: read ahead, segment, write behind.

    reader thread ──▶ patches ──▶ engine (this thread) ──▶ results ──▶ writer thread

All three work at once and across the blocks of a run, so the engine never waits between blocks. The queues
are bounded: memory depends on the width of the run, never on the raster.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.inference.strips import RollingStrip
from service.inference.threads import WriteBehind, read_ahead
from service.planning.cores import Core, Patch, PatchGeometry, plan_cores, plan_patch
from service.planning.lattice import bounding_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.inference.engine import U8, Engine
    from service.inference.strips import Mask, PixelSource
    from service.planning.blocks import Block
    from service.rasters.windows import Window

NODATA = 255
"""Value of classes and of confidence where there is no data; never 0, which is a class."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a run is made of; plain values, the same for every engine."""

    blocks: Sequence[Block]
    """The blocks to decide, of one run."""
    data: Window
    """Extent of all the data on the grid."""
    geometry: PatchGeometry
    """Core, halo and stride of the model."""
    queue_patches: int = 4
    """Patches read ahead, and results not yet written, at most."""


@dataclass(frozen=True, kw_only=True)
class BlockResult:
    """What one block came to."""

    block: Block
    classes_HW: U8
    """Class values; 255 where there is no data or outside the area of interest."""
    confidence_HW: U8
    """Percent, 0-100; 255 where classes are."""
    engine_s: float | None = None
    """Seconds inside the engine; None when nothing was to be segmented."""


@dataclass(kw_only=True)
class RunFigures:
    """Where the work and the time of a run went; added up over runs."""

    num_kept_px: int = 0
    """Pixels decided by the network."""
    num_forward_px: int = 0
    """Pixels given to the network, halos and padding included."""
    num_cores: int = 0
    """Cores segmented."""
    num_empty_cores: int = 0
    """Cores without data, which cost no inference."""
    engine_s: float = 0.0
    """Seconds inside the engine."""
    waiting_s: float = 0.0
    """Seconds the engine waited for pixels."""

    def add(self, other: RunFigures) -> None:
        """Add another run's figures to these."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One core on its way through the pipeline."""

    block: Block
    core: Core
    patch: Patch
    kept_HW: Mask
    """Where the core's window is to get a class."""
    image_NCHW: U8 | None
    """The patch; None when there is nothing to segment."""


class _Segmented(NamedTuple):
    """What the engine made of one core."""

    classes_HW: U8
    confidence_HW: U8
    engine_s: float


def process_run(
    request: RunRequest,
    *,
    source: PixelSource,
    engine: Engine,
    commit: Callable[[BlockResult], None],
    keep: Callable[[Window], Mask | None] | None = None,
    on_core: Callable[[Window], None] | None = None,
) -> RunFigures:
    """Segment the blocks of one run and hand each over as soon as it is whole.

    Args:
        request: Blocks and geometry.
        source: Pixels of the grid, bands in the model's order; used by one thread.
        engine: Used by the calling thread.
        commit: Called with each finished block, in a thread of its own, in order of completion.
        keep: Where a window lies inside the area of interest (H, W), or None for everywhere.
        on_core: Told each core that is done; what it raises ends the run, blocks committed stay.

    Raises:
        ServiceError: Whatever reading or writing raised.
    """
    figures = RunFigures()
    gather = _BlockGatherer(request, commit)
    works = read_ahead(_cut_patches(request, source, keep), max_items=request.queue_patches)
    with closing(works), WriteBehind(gather.accept, max_items=request.queue_patches) as writer:
        waiting_since = time.perf_counter()
        for work in works:
            figures.waiting_s += time.perf_counter() - waiting_since
            writer.submit((work, _segment(work, engine, figures)))
            if on_core is not None:
                on_core(work.core.window)
            waiting_since = time.perf_counter()
    return figures


def _segment(work: _Work, engine: Engine, figures: RunFigures) -> _Segmented | None:
    """Run the engine on one patch; returns the kept windows of classes and confidence."""
    if work.image_NCHW is None:
        figures.num_empty_cores += 1
        return None
    started = time.perf_counter()
    classes_NHW, confidence_NHW = engine.segment(work.image_NCHW)
    engine_s = time.perf_counter() - started
    figures.engine_s += engine_s
    figures.num_cores += 1
    figures.num_forward_px += work.patch.height * work.patch.width
    figures.num_kept_px += work.core.window.num_px
    rows, cols = work.patch.slices_of(work.core)
    return _Segmented(classes_NHW[0, rows, cols], confidence_NHW[0, rows, cols], engine_s)


def _cut_patches(
    request: RunRequest, source: PixelSource, keep: Callable[[Window], Mask | None] | None
) -> Iterator[_Work]:
    """Read the run downwards, one row of cores after the other, and cut its patches."""
    rows: dict[int, list[tuple[Block, Core, Patch]]] = defaultdict(list)
    for block in request.blocks:
        for core in plan_cores(block.window, core_px=request.geometry.core_px):
            patch = plan_patch(core, data=request.data, geometry=request.geometry)
            rows[core.row].append((block, core, patch))
    extent = bounding_window(patch.read for row in rows.values() for _, _, patch in row)
    strip = RollingStrip(source, col_off=extent.col_off, col_end=extent.col_end)
    for _, row in sorted(rows.items()):
        needed = bounding_window(patch.read for _, _, patch in row)
        strip.advance(row_off=needed.row_off, row_end=needed.row_end, last_row=extent.row_end)
        for block, core, patch in sorted(row, key=lambda item: item[1].col):
            kept_HW = strip.valid(core.window)
            inside_HW = keep(core.window) if keep is not None else None
            kept_HW = kept_HW.copy() if inside_HW is None else kept_HW & inside_HW
            yield _Work(
                block=block,
                core=core,
                patch=patch,
                kept_HW=kept_HW,
                image_NCHW=_pad(strip.image(patch.read), patch)[None] if kept_HW.any() else None,
            )


def _pad(image_CHW: U8, patch: Patch) -> U8:
    """Grow what was read to the patch, by reflection; always a copy, since the strip rolls on."""
    padding = ((0, 0), (patch.pad_top, patch.pad_bottom), (patch.pad_left, patch.pad_right))
    if not any(map(any, padding)):
        return image_CHW.copy()
    return np.pad(image_CHW, padding, mode="reflect")


class _BlockGatherer:
    """Puts cores together into blocks; used by the writer's thread alone."""

    def __init__(self, request: RunRequest, commit: Callable[[BlockResult], None]) -> None:
        self._commit = commit
        self._missing = Counter(
            {
                block.name: len(plan_cores(block.window, core_px=request.geometry.core_px))
                for block in request.blocks
            }
        )
        self._open: dict[str, BlockResult] = {}
        self._engine_s: dict[str, float] = {}

    def accept(self, item: tuple[_Work, _Segmented | None]) -> None:
        """Take one core; commits its block when it was the last."""
        work, segmented = item
        block = work.block
        result = self._open.get(block.name)
        if result is None:
            shape = (block.window.height, block.window.width)
            result = BlockResult(
                block=block,
                classes_HW=np.full(shape, NODATA, dtype=np.uint8),
                confidence_HW=np.full(shape, NODATA, dtype=np.uint8),
            )
            self._open[block.name] = result
        if segmented is not None:
            window = work.core.window.slices_in(block.window)
            for target_HW, values_HW in (
                (result.classes_HW, segmented.classes_HW),
                (result.confidence_HW, segmented.confidence_HW),
            ):
                target_HW[window] = np.where(work.kept_HW, values_HW, NODATA)
            self._engine_s[block.name] = self._engine_s.get(block.name, 0.0) + segmented.engine_s
        self._missing[block.name] -= 1
        if not self._missing[block.name]:
            del self._open[block.name]
            self._commit(replace(result, engine_s=self._engine_s.pop(block.name, None)))

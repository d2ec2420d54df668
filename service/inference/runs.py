"""Running: the blocks of a sheet segmented, in whatever process.

The second of the three steps, planning, running, finishing; the command line calls it for a whole sheet,
workers for the run that they lease.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from service.inference.keeping import AreaMask
from service.inference.pipeline import RunRequest, process_run
from service.inference.reading import ReaderSource
from service.intake.scenes import reader_limits
from service.rasters.reader import SceneReader
from service.rasters.sources import Layer, SourceSpec
from service.rasters.staging import StagingCache, held_copies, needs_staging, stage
from service.rasters.writing import TILE_PX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.inference.engine import Engine
    from service.inference.pipeline import BlockResult, RunFigures
    from service.inference.strips import PixelSource
    from service.intake.planned import PlannedMap
    from service.planning.blocks import Block
    from service.planning.jobs import JobPlan
    from service.rasters.limits import Limits
    from service.rasters.windows import Window
    from service.settings import Settings

AnyLayer = TypeVar("AnyLayer", Layer, SourceSpec)


def segment_run(  # noqa: PLR0913  the pipeline's own, and the plan
    plan: JobPlan,
    blocks: Sequence[Block],
    *,
    source: PixelSource,
    engine: Engine,
    commit: Callable[[BlockResult], None],
    queue_patches: int,
    on_core: Callable[[Window], None] | None = None,
) -> RunFigures:
    """Segment neighbouring blocks of a plan and hand each over as soon as it is whole.

    Args:
        plan: The job, or the part of it that is a sheet: both give the same pixels.
        blocks: Of one run; see `service.planning.blocks.plan_runs`.
        source: From `opened`.
        engine: Loaded with the plan's model.
        commit: Called with each finished block, in a thread of its own.
        queue_patches: Patches read ahead, and results not yet written, at most.
        on_core: Told each core that is done; what it raises ends the run, blocks committed stay.

    Raises:
        ServiceError: Whatever reading or writing raised.
    """
    area = plan.area
    keep = AreaMask(area, plan.grid, core_px=plan.geometry.core_px) if area is not None else None
    request = RunRequest(blocks=blocks, data=plan.data, geometry=plan.geometry, queue_patches=queue_patches)
    return process_run(request, source=source, engine=engine, commit=commit, keep=keep, on_core=on_core)


@contextlib.contextmanager
def opened(planned: PlannedMap, sources: Sequence[SourceSpec], *, limits: Limits) -> Iterator[ReaderSource]:
    """Open the sources of a plan, as `staged_sources` gave them, in the limited child process."""
    first, original = sources[0], planned.plan.sources[0]
    tile_height = planned.facts[original.path].internal_tile[0]
    if first.warp is not None:
        tile_height = first.warp.chunk_px
    elif first.path != original.path:
        tile_height = TILE_PX
    layers = (layer for source in sources for layer in (source, *source.companions))
    copies = {layer.path for layer in layers}.difference(planned.facts)
    with held_copies(copies), SceneReader(sources, roles=planned.plan.bands, limits=limits) as reader:
        yield ReaderSource(
            reader,
            num_bands=len(planned.plan.bands),
            tile_row_off=first.row_off,
            tile_height=tile_height,
        )


def staged_sources(
    planned: PlannedMap, settings: Settings, on_stage: Callable[[str, float], None]
) -> tuple[SourceSpec, ...]:
    """Copy what is slow to read in windows, once, to tiled files; the rest stays where it is."""
    cache = StagingCache(folder=settings.staging_folder, max_bytes=settings.staging_max_bytes)
    in_use: list[str] = []

    def settle(layer: AnyLayer) -> AnyLayer:
        if not needs_staging(planned.facts[layer.path]):
            return layer
        copy = stage(
            layer,
            cache,
            limits=reader_limits(settings),
            content_sha256=planned.plan.digests[layer.path],
            in_use=in_use,
            progress=lambda share: on_stage(layer.path, share),
        )
        in_use.append(copy.path)
        return copy

    return tuple(
        settle(source).model_copy(update={"companions": tuple(settle(layer) for layer in source.companions)})
        for source in planned.plan.sources
    )

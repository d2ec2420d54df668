"""One map made in this process: every block, then every sheet.

The same three functions that workers call, planning, running, finishing, without a broker.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from models.nomenclature import NOMENCLATURES
from service.catalogue.qml import qgis_style
from service.cli.existing import is_this_map
from service.cli.inputs import reader_limits
from service.inference.keeping import AreaMask
from service.inference.pipeline import BlockResult, RunFigures, RunRequest, process_run
from service.inference.reading import ReaderSource
from service.maps.blockfolder import BlockFolder
from service.maps.finishing import finish_confidence, finish_sheet
from service.maps.provenance import provenance_tags
from service.planning.blocks import plan_runs
from service.rasters.reader import SceneReader
from service.rasters.sources import Layer, SourceSpec
from service.rasters.staging import StagingCache, needs_staging, stage
from service.rasters.writing import TILE_PX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from models.artefact import Artefact
    from service.cli.planning import PlannedMap
    from service.inference.engine import Engine
    from service.inference.strips import PixelSource
    from service.maps.finishing import SheetReport
    from service.planning.blocks import Block
    from service.planning.jobs import SheetPlan
    from service.rasters.limits import Limits
    from service.rasters.windows import Window
    from service.settings import Settings

AnyLayer = TypeVar("AnyLayer", Layer, SourceSpec)

_WHOLE_HEIGHT = 1_000_000
"""Blocks one below the other in a run of this process: no other worker waits for its turn."""


@dataclass(frozen=True, kw_only=True)
class Products:
    """Where the files of one sheet go."""

    classes: Path
    confidence: Path | None

    @property
    def style(self) -> Path:
        """The QGIS style beside the classes."""
        return self.classes.with_suffix(".qml")

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of the sheet."""
        return (*self.rasters, self.style)

    @property
    def rasters(self) -> tuple[Path, ...]:
        """The rasters of the sheet."""
        return (self.classes,) if self.confidence is None else (self.classes, self.confidence)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Whom to tell how far a map is."""

    on_stage: Callable[[str, float], None]
    """A source being staged, and the share done."""
    on_resumed: Callable[[int], None]
    """Pixels that an earlier call had done."""
    on_core: Callable[[Window], None]
    """A core done."""
    on_step: Callable[[str], None]
    """What is done now."""


@dataclass(kw_only=True)
class MadeMap:
    """A finished map."""

    reports: dict[str, SheetReport] = field(default_factory=dict)
    """By name of the sheet; only of those finished now."""
    figures: RunFigures = field(default_factory=RunFigures)
    """Of the blocks that were not done before."""
    num_resumed_blocks: int = 0
    """Blocks that an earlier, interrupted call had done."""


class MapMaker:
    """Makes maps in this process: processes what is missing, sheet by sheet."""

    def __init__(self, artefact: Artefact, engine: Engine, settings: Settings) -> None:
        """Take what is the same for every map.

        Args:
            artefact: The model.
            engine: Loaded with it.
            settings: Of this machine.
        """
        self._artefact = artefact
        self._engine = engine
        self._settings = settings
        self.nomenclature = NOMENCLATURES[artefact.manifest.nomenclature]

    def job_folder(self, planned: PlannedMap, folder: Path) -> Path:
        """The folder of a map under way; its name is the content that decides the map and its blocks."""
        content = f"{planned.plan.key} {self._engine.profile.key} {planned.plan.block_cores}"
        return folder / f".{planned.plan.name}.{hashlib.sha256(content.encode()).hexdigest()[:16]}.job"

    def make(self, planned: PlannedMap, products: dict[str, Products], progress: Progress) -> MadeMap:
        """Make a map, or what is missing of it.

        Blocks live in a hidden folder beside the products and are kept until their sheet is finished, so a
        call that was killed goes on where it was.

        Args:
            planned: What to make.
            products: Where to write, by name of the sheet.
            progress: Whom to tell.

        Raises:
            ServiceError: Reading, segmenting or writing failed; blocks done stay.
        """
        folder = self.job_folder(planned, next(iter(products.values())).classes.parent)
        folder.mkdir(parents=True, exist_ok=True)
        made = MadeMap()
        for sheet in planned.plan.sheets:
            target, mark = products[sheet.name], folder / f"{sheet.name}.done"
            if mark.exists() and all(self._is_made(path, planned) for path in target.rasters):
                continue
            made.reports[sheet.name] = self._make_sheet(planned, sheet, target, folder, progress, made)
            mark.touch()
        shutil.rmtree(folder, ignore_errors=True)
        return made

    def _is_made(self, path: Path, planned: PlannedMap) -> bool:
        return is_this_map(path, planned.plan, self._engine.profile)

    def _make_sheet(
        self,
        planned: PlannedMap,
        sheet: SheetPlan,
        target: Products,
        folder: Path,
        progress: Progress,
        made: MadeMap,
    ) -> SheetReport:
        """Process what is missing of a sheet and finish it; of a large collection only its part is staged."""
        plan, part = planned.plan, planned.part_of(sheet)
        blocks = BlockFolder(folder, plan)
        wanted = part.plan.blocks_of(sheet)
        missing = blocks.missing(sheet, wanted)
        done = set(wanted).difference(missing)
        made.num_resumed_blocks += len(done)
        progress.on_resumed(sum(block.window.num_px for block in done))
        if missing:
            sources = staged_sources(part, self._settings, progress.on_stage)
            with opened(part, sources, limits=reader_limits(self._settings)) as source:
                for run in plan_runs(missing, max_cols=self._settings.run_blocks, max_rows=_WHOLE_HEIGHT):
                    made.figures.add(self._process(_Run(part, sheet, run), source, blocks, progress.on_core))
        progress.on_step(f"writing {target.classes.name}")
        tags = provenance_tags(plan, sheet, manifest=self._artefact.manifest, profile=self._engine.profile)
        if target.confidence is not None:
            finish_confidence(part.plan, sheet, blocks, path=target.confidence, tags=tags)
        report = finish_sheet(
            part.plan, sheet, blocks, path=target.classes, palette=self.nomenclature.palette(), tags=tags
        )
        target.style.write_text(qgis_style(self.nomenclature), encoding="utf-8")
        blocks.remove(sheet)
        return report

    def _process(
        self,
        run: _Run,
        source: PixelSource,
        blocks: BlockFolder,
        on_core: Callable[[Window], None],
    ) -> RunFigures:
        """Segment one run of a sheet's missing blocks."""
        plan = run.planned.plan
        area = plan.area
        keep = AreaMask(area, plan.grid, core_px=plan.geometry.core_px) if area is not None else None

        def commit(result: BlockResult) -> None:
            blocks.commit(run.sheet, result.block, result.classes_HW, result.confidence_HW)

        request = RunRequest(
            blocks=run.blocks,
            data=plan.data,
            geometry=plan.geometry,
            queue_patches=self._settings.queue_patches,
        )
        return process_run(
            request, source=source, engine=self._engine, commit=commit, keep=keep, on_core=on_core
        )


class _Run(NamedTuple):
    """Blocks of one sheet, read as one band."""

    planned: PlannedMap
    sheet: SheetPlan
    blocks: tuple[Block, ...]


@contextlib.contextmanager
def opened(planned: PlannedMap, sources: Sequence[SourceSpec], *, limits: Limits) -> Iterator[ReaderSource]:
    """Open the sources of a plan, as `staged_sources` gave them, in the limited child process."""
    first, original = sources[0], planned.plan.sources[0]
    tile_height = planned.facts[original.path].internal_tile[0]
    if first.warp is not None:
        tile_height = first.warp.chunk_px
    elif first.path != original.path:
        tile_height = TILE_PX
    with SceneReader(sources, roles=planned.plan.bands, limits=limits) as reader:
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

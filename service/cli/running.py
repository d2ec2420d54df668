"""One map made in this process: every block, then every sheet.

The same three functions that workers call, planning, running, finishing, without a broker.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from models.nomenclature import NOMENCLATURES
from service.catalogue.qml import qgis_style
from service.cli.existing import is_this_map
from service.inference.pipeline import RunFigures
from service.inference.runs import opened, segment_run, staged_sources
from service.intake.scenes import reader_limits
from service.maps.blockfolder import BlockFolder
from service.maps.products import Finisher
from service.planning.blocks import plan_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from models.artefact import Artefact
    from service.inference.engine import Engine
    from service.intake.planned import PlannedMap
    from service.maps.finishing import SheetReport
    from service.maps.products import Products
    from service.planning.jobs import SheetPlan
    from service.rasters.windows import Window
    from service.settings import Settings

_WHOLE_HEIGHT = 1_000_000
"""Blocks one below the other in a run of this process: no other worker waits for its turn."""


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
        self.artefact = artefact
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
                    figures = segment_run(
                        part.plan,
                        run,
                        source=source,
                        engine=self._engine,
                        commit=lambda result: blocks.commit(
                            sheet, result.block, result.classes_HW, result.confidence_HW
                        ),
                        queue_patches=self._settings.queue_patches,
                        on_core=progress.on_core,
                    )
                    made.figures.add(figures)
        progress.on_step(f"writing {target.classes.name}")
        finisher = Finisher(
            plan=plan,
            manifest=self.artefact.manifest,
            nomenclature=self.nomenclature,
            profile=self._engine.profile,
            qgis_style=qgis_style(self.nomenclature),
            is_private=True,
        )
        report = finisher.finish(sheet, blocks, target)
        blocks.remove(sheet)
        return report

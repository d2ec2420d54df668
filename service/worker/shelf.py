"""What a worker keeps from one lease to the next: plans, engines, opened sources."""

from __future__ import annotations

import logging
from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from models.nomenclature import NOMENCLATURES
from service.errors import EngineError, JobError
from service.inference.loading import load_engine
from service.inference.runs import opened, staged_sources
from service.intake.choosing import registry_of
from service.intake.scenes import reader_limits
from service.worker.fitness import own_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from models.artefact import Artefact
    from models.nomenclature import Nomenclature
    from service.inference.engine import Engine
    from service.inference.strips import PixelSource
    from service.intake.planned import PlannedMap
    from service.planning.blocks import Block
    from service.planning.jobs import JobPlan, SheetPlan
    from service.settings import Settings

V = TypeVar("V")

_MAX_JOBS, _MAX_SHEETS, _MAX_SOURCES, _MAX_ENGINES = 4, 16, 2, 2
"""How many are kept: plans are some megabytes each, opened sources a process each, engines a model each."""

_log = logging.getLogger(__name__)


class ModelChanged(EngineError):
    """The model here is not the one that the job was planned with."""


class SheetUnknown(JobError):
    """A unit names a sheet or a block that its job's plan does not have."""


class Kept(Generic[V]):
    """The few values used last, by key."""

    def __init__(self, max_items: int, *, drop: Callable[[V], None] | None = None) -> None:
        """Start empty.

        Args:
            max_items: How many are kept.
            drop: Called with each value that is not kept any longer.
        """
        self._max_items, self._drop = max_items, drop
        self._items: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of a key; made when it is not kept."""
        if key not in self._items:
            while len(self._items) >= self._max_items:  # before, so that never one more is open
                self._let_go(next(iter(self._items)))
            self._items[key] = make()
        self._items.move_to_end(key)
        return self._items[key]

    def clear(self) -> None:
        """Keep none of them."""
        while self._items:
            self._let_go(next(iter(self._items)))

    def _let_go(self, key: Hashable) -> None:
        value = self._items.pop(key)
        if self._drop is not None:
            self._drop(value)


@dataclass(frozen=True)
class SheetJob:
    """One sheet of a job, and all that is needed to make it."""

    whole: PlannedMap
    sheet: SheetPlan

    @cached_property
    def part(self) -> PlannedMap:
        """What decides this sheet; of a large collection no more than its neighbours."""
        return self.whole.part_of(self.sheet)

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """The blocks of the sheet by name."""
        return {block.name: block for block in self.part.plan.blocks_of(self.sheet)}

    def block(self, name: str) -> Block:
        """A block by name.

        Raises:
            SheetUnknown: There is none of that name.
        """
        try:
            return self.blocks[name]
        except KeyError:
            raise SheetUnknown(f"the plan of {self.sheet.name} has no block {name}") from None


class OpenSources(NamedTuple):
    """The sources of a sheet, staged and opened in the limited child."""

    pixels: PixelSource
    stack: ExitStack


class Shelf:
    """What one worker keeps; used by one thread."""

    def __init__(self, settings: Settings, *, on_progress: Callable[[], None]) -> None:
        """Start empty.

        Args:
            settings: Of this machine.
            on_progress: Called while something long is prepared and moves on.
        """
        self._settings, self._on_progress = settings, on_progress
        self._jobs: Kept[PlannedMap] = Kept(_MAX_JOBS)
        self._sheets: Kept[SheetJob] = Kept(_MAX_SHEETS)
        self._artefacts: Kept[Artefact] = Kept(_MAX_ENGINES)
        self._engines: Kept[Engine] = Kept(_MAX_ENGINES)
        self._sources: Kept[OpenSources] = Kept(_MAX_SOURCES, drop=lambda item: item.stack.close())

    def sheet(self, job_id: str, name: str, planned: Callable[[], PlannedMap]) -> SheetJob:
        """A sheet of a job; the plan is asked for when it is not kept.

        Raises:
            SheetUnknown: The plan has no such sheet.
        """

        def make() -> SheetJob:
            whole = self._jobs.get(job_id, planned)
            for sheet in whole.plan.sheets:
                if sheet.name == name:
                    return SheetJob(whole, sheet)
            raise SheetUnknown(f"the plan of job {job_id} has no sheet {name}")

        return self._sheets.get((job_id, name), make)

    def artefact(self, job: SheetJob) -> Artefact:
        """The model of a job.

        Raises:
            WorkerUnfit: This machine does not have it, or has other content under its name.
        """
        plan = job.whole.plan
        with own_fault(plan.model_digest):
            return self._artefacts.get(plan.model_digest, lambda: self._artefact_of(plan))

    def _artefact_of(self, plan: JobPlan) -> Artefact:
        artefact = registry_of(self._settings).get(plan.model)
        if artefact.digest != plan.model_digest:
            raise ModelChanged(
                f"{plan.model} on this worker is {artefact.digest[:12]}, the job was planned with"
                f" {plan.model_digest[:12]}",
                remedy="install the same artefact on every worker",
            )
        return artefact

    def nomenclature(self, artefact: Artefact) -> Nomenclature:
        """The classes of a model."""
        return NOMENCLATURES[artefact.manifest.nomenclature]

    def engine(self, artefact: Artefact) -> Engine:
        """The engine of a model, loaded once and proved on its golden input.

        Raises:
            WorkerUnfit: It cannot be loaded here, has no graph of this machine's precision, or computes
                something else.
        """

        def load() -> Engine:
            settings = self._settings
            return load_engine(
                artefact,
                name=settings.engine,
                num_threads=settings.num_threads,
                precision=settings.precision,
            )

        with own_fault(artefact.digest):  # drivers and runtimes have errors of every kind
            return self._engines.get(artefact.digest, load)

    def sources(self, job_id: str, job: SheetJob) -> PixelSource:
        """The sources of a sheet, kept open over the runs of a job.

        Raises:
            RasterError: One is gone or damaged.
        """
        return self._sources.get((job_id, job.sheet.name), lambda: self._open(job)).pixels

    def close_sources(self) -> None:
        """Close what is open: not needed after work, perhaps not alive after a failure."""
        self._sources.clear()

    def _open(self, job: SheetJob) -> OpenSources:
        def tell(path: str, share: float) -> None:
            self._on_progress()
            _log.debug("copying to tiles: %.0f%%", 100 * share, extra={"source": path})

        with ExitStack() as stack:
            for is_last in (False, False, True):
                ready = staged_sources(job.part, self._settings, tell)
                try:
                    pixels = stack.enter_context(
                        opened(job.part, ready, limits=reader_limits(self._settings))
                    )
                    break
                except FileNotFoundError:  # another worker made room just before the copy was held
                    if is_last:
                        raise
            return OpenSources(pixels, stack.pop_all())

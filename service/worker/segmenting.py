"""A lease of blocks: one run of a sheet, segmented and committed block by block."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from service.inference.runs import segment_run
from service.jobs.errors import LeaseLost, ProfileMismatch, StoreUnavailable
from service.maps.layout import MapFolder
from service.planning.cores import plan_cores
from service.worker.fitness import own_fault
from service.worker.leaving import WorkerLeaving
from service.worker.lines import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.inference.pipeline import BlockResult
    from service.jobs.records import Lease, Unit
    from service.planning.blocks import Block
    from service.rasters.windows import Window
    from service.worker.desk import Desk
    from service.worker.shelf import SheetJob

OURS = (LeaseLost, StoreUnavailable, WorkerLeaving)
"""What ends a lease without being any block's fault."""

_log = logging.getLogger(__name__)


class RunOfBlocks:
    """The blocks of one lease on their way."""

    def __init__(self, desk: Desk, lease: Lease, job: SheetJob) -> None:
        """Look at what is there; nothing is written before the job's profile is pinned.

        Raises:
            WorkerUnfit: The model cannot be run here, or the job's blocks were made otherwise.
        """
        self._desk, self._lease, self._job = desk, lease, job
        self._engine = desk.shelf.engine(desk.shelf.artefact(job))
        with own_fault(lease.job_id, ProfileMismatch):
            desk.patiently(lambda: desk.store.pin_profile(lease.job_id, self._engine.profile))
        folder = MapFolder(desk.settings.maps_folder / lease.map_id)
        self._files = folder.blocks(job.whole.plan, token=lease.token)
        self._units: dict[str, Unit] = {unit.name: unit for unit in lease.units}
        """Those not settled yet."""
        self._to_do: deque[str] = deque()
        self._unwritten: str | None = None

    def process(self) -> None:
        """Make all blocks; those that cannot be made are told to the store, the others go on.

        Raises:
            LeaseLost: The lease lapsed, or the job was dismissed.
            WorkerLeaving: This worker was asked to leave.
            NoRoom: A disk is full.
        """
        self._settle_those_there()
        while self._units:
            try:
                self._segment([self._job.block(name) for name in self._units])
            except OURS:
                raise
            except Exception as error:  # noqa: BLE001  whatever a block raises is told as its failure
                self._desk.raise_if_full(error)
                self._fail(self._unwritten or self._next(), error)

    def _settle_those_there(self) -> None:
        """Settle blocks whose files a worker has written that died before it could say so."""
        blocks = [self._job.block(name) for name in self._units]
        missing = self._files.missing(self._job.sheet, blocks)
        for block in set(blocks).difference(missing):
            self._settle(block.name)

    def _segment(self, blocks: Sequence[Block]) -> None:
        self._unwritten = None
        self._to_do = _in_order(blocks, core_px=self._job.whole.plan.geometry.core_px)
        source = self._desk.shelf.sources(self._lease.job_id, self._job)
        started = time.monotonic()

        def on_core(_window: Window) -> None:
            self._to_do.popleft()
            self._desk.alive_and_free()

        figures = segment_run(
            self._job.part.plan,
            blocks,
            source=source,
            engine=self._engine,
            commit=self._commit,
            queue_patches=self._desk.settings.queue_patches,
            on_core=on_core,
        )
        self._desk.pace.note(sum(block.window.num_px for block in blocks), time.monotonic() - started)
        _log.info(
            "run of blocks done",
            extra={
                "job_id": self._lease.job_id,
                "sheet": self._job.sheet.name,
                "num_blocks": len(blocks),
                "engine_s": round(figures.engine_s, 3),
                "waiting_s": round(figures.waiting_s, 3),
            },
        )

    def _commit(self, result: BlockResult) -> None:
        """Write a block, then settle it; called in the writer's thread."""
        try:
            self._files.commit(self._job.sheet, result.block, result.classes_HW, result.confidence_HW)
        except Exception:
            self._unwritten = result.block.name
            raise
        self._settle(result.block.name, engine_s=result.engine_s)

    def _settle(self, name: str, *, engine_s: float | None = None) -> None:
        unit = self._units[name]
        self._desk.patiently(lambda: self._desk.store.finish_unit(self._lease, unit.id, engine_s=engine_s))
        del self._units[name]

    def _next(self) -> str:
        """The block whose core was next, and that could not be read or segmented."""
        return self._to_do[0] if self._to_do else next(iter(self._units))

    def _fail(self, name: str, error: Exception) -> None:
        _log.warning(
            "block failed",
            exc_info=error,
            extra={"job_id": self._lease.job_id, "sheet": self._job.sheet.name, "block": name},
        )
        unit = self._units.pop(name)
        self._desk.shelf.close_sources()  # the process that reads may have ended
        self._desk.patiently(lambda: self._desk.store.fail_unit(self._lease, unit.id, told(error)))


def _in_order(blocks: Sequence[Block], *, core_px: int) -> deque[str]:
    """For each core of a run, in the order of the pipeline, the name of its block."""
    cores = [
        (core.row, core.col, block.name)
        for block in blocks
        for core in plan_cores(block.window, core_px=core_px)
    ]
    return deque(name for _, _, name in sorted(cores))

"""A lease of a sheet: its product files put together, read back, and only then its blocks removed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from service.catalogue.qml import qgis_style
from service.jobs.records import UnitKind, UnitStatus
from service.maps.layout import MapFolder
from service.maps.products import Finisher, staged
from service.maps.verifying import verify_sheet
from service.planning.profile import ExecutionProfile

if TYPE_CHECKING:
    from service.jobs.records import Lease
    from service.maps.finishing import SheetReport
    from service.worker.desk import Desk
    from service.worker.shelf import SheetJob

_log = logging.getLogger(__name__)


def finish(desk: Desk, lease: Lease, job: SheetJob) -> None:
    """Make the product files of a sheet.

    Whoever looks at the map finds the blocks until the store says that the sheet is finished, and the
    products before it says so, but not before they are verified.

    Raises:
        ServiceError: They cannot be written, or do not hold what was written.
        LeaseLost: The lease lapsed, or the job was dismissed.
        WorkerLeaving: This worker was asked to leave.
    """
    folder = MapFolder(desk.settings.maps_folder / lease.map_id)
    blocks, products = folder.blocks(job.whole.plan, token=lease.token), folder.products(job.sheet)
    products.classes.parent.mkdir(exist_ok=True)
    artefact = desk.shelf.artefact(job)
    finisher = Finisher(
        plan=job.whole.plan,
        manifest=artefact.manifest,
        nomenclature=desk.shelf.nomenclature(artefact),
        profile=_profile(desk, lease, job),
        qgis_style=qgis_style(desk.shelf.nomenclature(artefact)),
    )
    holes, on_part = _given_up(desk, lease), desk.alive_and_free
    with staged(products, token=lease.token) as under_way:
        report = finisher.finish(job.sheet, blocks, under_way, holes=holes, on_part=on_part)
        verify_sheet(job.sheet, under_way, report, on_part=on_part)
        desk.alive()
    desk.patiently(lambda: desk.store.finish_unit(lease, lease.units[0].id, figures=_figures(report)))
    blocks.remove(job.sheet)
    _log.info("sheet finished", extra={"job_id": lease.job_id, "sheet": job.sheet.name})


def _profile(desk: Desk, lease: Lease, job: SheetJob) -> ExecutionProfile:
    """With which the blocks were made; this worker's own where every single one was given up."""
    pinned = desk.patiently(lambda: desk.store.job(lease.job_id)).profile
    if pinned is not None:
        return ExecutionProfile(**pinned)
    return desk.shelf.engine(desk.shelf.artefact(job)).profile


def _given_up(desk: Desk, lease: Lease) -> set[str]:
    """Names of the sheet's blocks that have failed for good; the job was told to go on without them."""
    failed = desk.patiently(
        lambda: desk.store.units(lease.job_id, kind=UnitKind.BLOCK, status=UnitStatus.FAILED, limit=1_000_000)
    )
    return {unit.name for unit in failed if unit.sheet == lease.sheet}


def _figures(report: SheetReport) -> dict[str, Any]:
    seams = report.seams
    return {
        "pixel_counts": {str(value): count for value, count in report.pixel_counts.items()},
        "num_nodata_px": report.num_nodata_px,
        "confidence_total": report.confidence_total,
        "seam": {
            "rate": seams.rate,
            "num_border": seams.num_border,
            "num_border_changes": seams.num_border_changes,
            "num_inside": seams.num_inside,
            "num_inside_changes": seams.num_inside_changes,
        },
    }

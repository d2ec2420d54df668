"""A lease of a picture: a sheet's source once more, compressed, for eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.maps.layout import MapFolder
from service.maps.picture import write_picture

if TYPE_CHECKING:
    from service.jobs.records import Lease
    from service.worker.desk import Desk
    from service.worker.shelf import SheetJob


def draw(desk: Desk, lease: Lease, job: SheetJob) -> None:
    """Make the picture of a sheet; its source is read in the limited child, as ever.

    Raises:
        ServiceError: It cannot be read or written.
        LeaseLost: The lease lapsed, or the job was dismissed.
    """
    path = MapFolder(desk.settings.maps_folder / lease.map_id).picture(job.sheet)
    source = desk.shelf.sources(lease.job_id, job)
    write_picture(
        job.part.plan, job.sheet, path, source=source, token=lease.token, on_part=desk.alive_and_free
    )
    desk.patiently(lambda: desk.store.finish_unit(lease, lease.units[0].id))

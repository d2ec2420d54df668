"""Deleting jobs and maps, whoever asks for it: from the store first, then their files.

What is left where a process dies in between is found later; see `service.api.leftovers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.api.predicting import release, uploads_of

if TYPE_CHECKING:
    from service.api.deps import Services
    from service.jobs.records import Job


def delete_job(job: Job, services: Services) -> None:
    """Delete a job that is over, its map and the files of both.

    Raises:
        JobUnderWay: It is not over.
    """
    uploads = uploads_of(job, services)
    services.store.delete_job(job.id)  # it may have been resumed meanwhile, and then reads them
    release(uploads, job)
    services.maps.discard(job.map_id)


def delete_map(map_id: str, services: Services, *, owner: str | None = None) -> None:
    """Delete a map and its files; its job stays, as history.

    Args:
        map_id: Of the map.
        services: Of this process.
        owner: Whose it must be; None deletes everybody's.

    Raises:
        MapUnknown: There is none, or it is another owner's.
        JobUnderWay: Its job is not over.
    """
    job = services.store.job(services.store.map(map_id, owner=owner).job_id)
    uploads = uploads_of(job, services)
    services.store.delete_map(map_id)
    release(uploads, job)
    services.maps.discard(map_id)

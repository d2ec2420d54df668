"""The drift of finished maps, measured once for each: a finished map does not change."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from models.errors import ContractError
from service.intake.map_drifting import measure_map_drift
from service.jobs.errors import MapUnknown
from service.jobs.records import JobStatus

if TYPE_CHECKING:
    from models.map_drift import MapDrift
    from models.registry import Registry
    from service.jobs.records import Job, MapRecord
    from service.jobs.store import Store

_REMEMBERED = 4096


class MapDrifts:
    """Answers how unlike what its model knows a job's map is."""

    def __init__(self, store: Store, registry: Registry) -> None:
        """Ask a store for what was counted, and the models for what they know."""
        self._store, self._registry = store, registry
        self._told: OrderedDict[str, MapDrift | None] = OrderedDict()
        self._lock = Lock()

    def of(self, job: Job) -> MapDrift | None:
        """The drift of a job's map.

        Returns:
            None while it is made, and where it is not known: the model is gone, or carries no reference, or
            nothing was counted.
        """
        if job.status != JobStatus.SUCCESSFUL:
            return None
        with self._lock:
            if job.id in self._told:
                self._told.move_to_end(job.id)
                return self._told[job.id]
        try:
            drift = self.of_map(self._store.map(job.map_id), model_digest=job.model_digest)
        except MapUnknown:
            return None
        with self._lock:
            self._told[job.id] = drift
            while len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
        return drift

    def of_map(self, record: MapRecord, *, model_digest: str) -> MapDrift | None:
        """The drift of a map by its record; None as of a job."""
        if record.status != JobStatus.SUCCESSFUL or record.pixel_counts is None:
            return None
        try:
            artefact = self._registry.get(record.model)
        except ContractError:
            return None
        if artefact.digest != model_digest:
            return None
        return measure_map_drift(artefact, record.pixel_counts, confidence_total=record.confidence_total)

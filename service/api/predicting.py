"""POST /predict: from what was said to a plan, to an equal job that is there, or to a new one."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from models.errors import ArtefactMissing
from service.api.asking import PRIORITIES
from service.api.estimating import estimate_plan
from service.api.problems import FieldError
from service.api.refusing import require_room
from service.api.sourcing import Sources, read_aoi, read_aoi_file
from service.api.words import job_title
from service.errors import Conflict, PreflightError, Unavailable
from service.intake.choosing import choose_model
from service.intake.planned import plan_maps
from service.intake.scenes import read_scenes, reader_limits
from service.jobs.errors import JobNotResumable, JobUnknown
from service.jobs.records import JobStatus, NewJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.artefact import Artefact
    from service.api.asking import Language, PredictFields
    from service.api.deps import Services
    from service.api.estimating import Estimate
    from service.api.forms import Received
    from service.api.uploadfolder import Upload
    from service.intake.planned import PlannedMap
    from service.jobs.records import Job

Outcome = Literal["created", "deduplicated", "resumed"]


class NothingToMap(PreflightError):
    """A request names no orthophoto."""


class SeveralMaps(PreflightError):
    """The sources do not lie side by side on one grid: they would be several maps."""


class SourceGone(Conflict):
    """A file that a job reads is not there any more."""


class NobodyComputes(Unavailable):
    """The workers that are there compute in precisions that the model has no graph of."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, understood: what to map, with which model, for whom."""

    fields: PredictFields
    owner: str
    language: Language
    artefact: Artefact
    planned: PlannedMap
    estimate: Estimate
    uploads: tuple[Upload, ...]
    """Those that are read."""

    @property
    def names(self) -> list[str]:
        """What the sources are called."""
        return [Path(source.path).name for source in self.planned.plan.sources]

    @property
    def acquisition_date(self) -> str | None:
        """As said, else the latest that the sources tell."""
        told = [facts.acquisition_date for facts in self.planned.facts.values() if facts.acquisition_date]
        return self.fields.acquisition_date or max(told, default=None)

    @cached_property
    def content_key(self) -> str:
        """Digest of all that decides the result but the machines it is made on."""
        content = {
            "plan": self.planned.plan.key,
            "max_failed_share": self.fields.max_failed_share,
            "acquisition_date": self.acquisition_date,
            "map": self.fields.map,  # a map of another name is another map to whoever looks for it by name
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def understand(
    received: Received, fields: PredictFields, services: Services, *, owner: str, language: Language
) -> Asked:
    """Read what was sent, in a limited process, choose the model and plan the map.

    Args:
        received: The files.
        fields: What was said.
        services: Of this process.
        owner: Who asks.
        language: Of the title, where none is given.

    Raises:
        ServiceError: It cannot be mapped as asked; nothing has been done.
    """
    settings = services.settings
    sources = Sources(services.uploads, settings, owner=owner)
    with services.wording.spoken():
        paths = {
            "file": _sent(received, "file") + sources.find(fields.source, field="source"),
            "irc": _sent(received, "irc") + sources.find(fields.irc, field="irc"),
            "height": _sent(received, "height") + sources.find(fields.height, field="height"),
        }
        if not paths["file"]:
            raise NothingToMap(
                "no orthophoto is sent or named",
                remedy="send one: curl -F file=@ortho.tif .../predict; or name an upload: source=upload:...",
            )
        scenes = read_scenes(
            paths["file"],
            irc=paths["irc"],
            heights=paths["height"],
            options=fields.reading,
            settings=settings,
        )
        try:
            artefact = choose_model(services.registry, fields.model, scenes, fields.reading)
        except ArtefactMissing as error:
            known = ", ".join(services.registry.ids())
            raise FieldError(
                "model", f"there is no model {fields.model!r}", remedy=f"default, or one of {known}"
            ) from error
        planned = plan_maps(
            scenes,
            artefact,
            options=fields.reading,
            aoi=_aoi(received, fields, services),
            name=fields.map or _name_after(paths["file"]),
            settings=settings,
        )
        if len(planned) > 1:
            raise _several(planned)
    return Asked(
        fields=fields,
        owner=owner,
        language=language,
        artefact=artefact,
        planned=planned[0],
        estimate=estimate_plan(planned[0].plan),
        uploads=(*received.uploads, *sources.used),
    )


def accept(asked: Asked, services: Services) -> tuple[Job, Outcome]:
    """Find the equal job that is there, take one up again that stopped, or make a new one.

    Within one owner: nobody learns what others have mapped.

    Raises:
        DiskFull: The files of a new map would not find room.
        NobodyComputes: No worker computes in a precision that the model has a graph of.
    """
    profile_class = services.crew.profile_class(asked.artefact.manifest.precisions)

    def is_of_class(job: Job) -> bool:
        return profile_class in (None, job.profile_class or profile_class)

    def is_same(job: Job) -> bool:
        return is_of_class(job) and not _has_stopped(job)

    if not asked.fields.force:
        known = services.store.same_job(owner=asked.owner, content_key=asked.content_key)
        if known is not None and is_same(known):
            return known, "deduplicated"
        if known is not None and is_of_class(known) and not missing_sources(known, services):
            return _taken_up(known, services)
    lacking = services.crew.lacks(asked.artefact.manifest)
    if lacking is not None:
        raise NobodyComputes(
            lacking, remedy="name another model, or start a worker with another ORTHOSCAPE_PRECISION"
        )
    require_room(services.room, asked.estimate.product_bytes)
    new = _new_job(asked, services, profile_class)
    if asked.fields.force:
        job = services.store.create_job(new)
    else:  # the same may have been asked at the same time
        job, is_new = services.store.create_unless_same(new, is_same=is_same)
        if not is_new:
            return job, "deduplicated"
    for upload in asked.uploads:
        upload.use(job.id)
    services.bell.ring(job.profile_class)
    return job, "created"


def _taken_up(job: Job, services: Services) -> tuple[Job, Outcome]:
    """Resume a job that stopped, unless somebody else has done so meanwhile."""
    try:
        return take_up(job, services), "resumed"
    except JobNotResumable:
        found = services.store.job(job.id)
        if _has_stopped(found):  # its map was deleted
            raise
        return found, "deduplicated"


def take_up(job: Job, services: Services) -> Job:
    """Resume a job that stopped; what is done stays done.

    Raises:
        SourceGone: A file that it reads is not there any more.
        JobNotResumable: It has not stopped.
    """
    missing = missing_sources(job, services) if _has_stopped(job) else []
    if missing:
        raise SourceGone(
            f"job {job.id} reads {', '.join(missing[:3])}, which is not there any more",
            remedy="send it again: POST /predict",
        )
    resumed = services.store.resume(job.id)
    services.bell.ring(resumed.profile_class)
    return resumed


def missing_sources(job: Job, services: Services) -> list[str]:
    """Names of the files that a job reads and that are not there any more."""
    return [Path(path).name for path in _files_of(job, services) if not Path(path).exists()]


def uploads_of(job: Job, services: Services) -> list[Upload]:
    """The uploads that a job reads; call while its plan is there, or none are known."""
    held = (services.uploads.holding(path) for path in _files_of(job, services))
    return [upload for upload in held if upload is not None]


def release(uploads: Sequence[Upload], job: Job) -> None:
    """Forget that a job reads uploads; what nobody else reads is removed."""
    for upload in uploads:
        if upload.folder.is_dir():
            upload.release(job.id)


def _files_of(job: Job, services: Services) -> list[str]:
    """Paths of the files that a job reads; none are known once its map is deleted, and its plan with it."""
    try:
        return list(services.store.planned(job.id).plan.digests)
    except JobUnknown:
        return []


def _has_stopped(job: Job) -> bool:
    return job.status in (JobStatus.FAILED, JobStatus.DISMISSED)


def _new_job(asked: Asked, services: Services, profile_class: str | None) -> NewJob:
    fields, plan = asked.fields, asked.planned.plan
    request = fields.model_dump(mode="json", exclude_unset=True, exclude={"aoi", "source"}) | {
        "names": asked.names[:100],
        "style": fields.style,
        "lang": asked.language,
    }
    return NewJob(
        owner=asked.owner,
        title=fields.title or job_title(asked.names, asked.language),
        map_name=plan.name,
        request=request,
        planned=asked.planned,
        content_key=asked.content_key,
        area_km2=asked.estimate.area_km2,
        bounds_wgs84=asked.estimate.bounds_wgs84,
        nomenclature=asked.artefact.manifest.nomenclature,
        acquisition_date=asked.acquisition_date,
        profile_class=profile_class,
        priority=PRIORITIES[fields.priority],
        max_failed_share=fields.max_failed_share,
        run_blocks=services.settings.run_blocks,
        has_pictures=services.settings.has_pictures,
    )


def _sent(received: Received, field: str) -> list[Path]:
    return [upload.data for upload in received.files.get(field, ())]


def _aoi(received: Received, fields: PredictFields, services: Services) -> str | None:
    files = received.files.get("aoi", [])
    if len(files) + (fields.aoi is not None) > 1:
        raise FieldError("aoi", "is given more than once", remedy="put all polygons into one file")
    if files:
        return read_aoi_file(files[0].data, name=files[0].about.name, limits=reader_limits(services.settings))
    return read_aoi(fields.aoi) if fields.aoi is not None else None


def _name_after(paths: Sequence[Path]) -> str:
    """A map's name after its first source: letters, digits, dots, dashes and underscores."""
    plain = unicodedata.normalize("NFKD", paths[0].stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:80] or "map"


def _several(planned: Sequence[PlannedMap]) -> SeveralMaps:
    groups = "; ".join(
        ", ".join(Path(source.path).name for source in entry.plan.sources[:5]) for entry in planned[:10]
    )
    return SeveralMaps(
        f"the sources lie in {len(planned)} groups that share no grid or do not touch: {groups}",
        remedy="ask for one map a group: POST /predict once for each",
    )

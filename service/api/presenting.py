"""Jobs as callers see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.api.refusing import shortage
from service.api.schemas import (
    BlockCounts,
    BlockOut,
    BlocksEvent,
    DriftOut,
    EstimateOut,
    JobOut,
    Link,
    LogLine,
    MapDriftOut,
    MapName,
    SettledBlock,
    SheetCounts,
    UploadOut,
    moment,
)
from service.api.words import link_title
from service.intake.drifting import drift_warning
from service.intake.map_drifting import map_drift_warnings
from service.jobs.records import JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.api.asking import Language
    from service.api.blockbounds import Bounds
    from service.api.deps import Services
    from service.api.predicting import Asked
    from service.api.uploadfolder import Upload
    from service.api.urls import Urls
    from service.jobs.records import Job, LogEntry, Unit
    from service.rasters.outlines import Ring

_JSON, _PNG, _TIFF = "application/json", "image/png", "image/tiff; application=geotiff"
_COG = f"{_TIFF}; profile=cloud-optimized"

_NEARLY = 99.9
"""Most percent that a job shows while its files are not finished."""


@dataclass(frozen=True)
class Presenter:
    """Makes answers of jobs, with addresses as the caller reaches them."""

    services: Services
    urls: Urls
    language: Language

    def job(self, job: Job, **flags: bool) -> JobOut:
        """A job as JSON shows it.

        Args:
            job: As it stands.
            flags: ``deduplicated`` or ``resumed``.
        """
        plain = self.services.wording.plain
        return JobOut(
            id=job.id,
            status=job.status,
            title=job.title,
            label=job.label,
            message=plain(self._message(job)),
            progress=progress_of(job),
            seconds_left=_seconds_left(job),
            created=moment(job.created),
            started=None if job.started is None else moment(job.started),
            finished=None if job.finished is None else moment(job.finished),
            updated=moment(job.updated),
            model=job.model,
            profile=job.profile_class,
            map=MapName(id=job.map_id, name=job.map_name),
            area_km2=job.area_km2,
            bounds=job.bounds_wgs84,
            blocks=BlockCounts(total=job.blocks_total, done=job.blocks_done, failed=job.blocks_failed),
            sheets=SheetCounts(total=job.sheets_total, done=job.sheets_done),
            notes=[plain(note) for note in job.notes],
            map_drift=self._map_drift(job),
            error=None if job.error is None else plain(job.error),
            links=self.links(job),
            **flags,
        )

    def _map_drift(self, job: Job) -> MapDriftOut | None:
        drift = self.services.map_drifts.of(job)
        if drift is None:
            return None
        return MapDriftOut(
            value=drift.value,
            threshold=drift.threshold,
            nearest=drift.nearest,
            confidence=drift.confidence,
            least_confidence=drift.least_confidence,
            warnings=map_drift_warnings(drift, model=job.model.partition("@")[0]),
        )

    def link(self, name: str, *parts: str, kind: str = _JSON, **query: str) -> Link:
        """A link, with its title in the caller's language."""
        href = self.urls(*parts, **query)
        title = link_title(name, self.language)
        return Link(href=href, type=kind, title=title, templated=True if "{" in href else None)

    def blocks(self, job: Job, units: Sequence[Unit]) -> list[BlockOut]:
        """Blocks with all that is known of them."""
        return [
            BlockOut(
                name=unit.name,
                sheet=unit.sheet,
                status=unit.status,
                bounds=bounds,
                outline=outline,
                attempts=unit.attempts,
                num_px=unit.num_px,
                error=None if unit.error is None else self.services.wording.plain(unit.error),
            )
            for unit, bounds, outline in zip(
                units, self._bounds(job, units), self._outlines(job, units), strict=True
            )
        ]

    def settled_blocks(self, job: Job, units: Sequence[Unit]) -> BlocksEvent:
        """Blocks as an event tells of them."""
        return BlocksEvent(
            blocks=[
                SettledBlock(name=unit.name, sheet=unit.sheet, status=unit.status, bounds=bounds)
                for unit, bounds in zip(units, self._bounds(job, units), strict=True)
            ]
        )

    def estimate(self, asked: Asked) -> EstimateOut:
        """What a dry run answers."""
        crew, wording, size = self.services.crew, self.services.wording, asked.estimate
        profile_class = crew.profile_class(asked.artefact.manifest.precisions)
        rate = crew.mpx_per_s(profile_class)
        lacking = shortage(self.services.room, size.product_bytes)
        drift = asked.planned.drift
        # A job keeps it among its notes; here, where one may still choose, it is a warning.
        strange = drift_warning(drift, model=asked.artefact.manifest.id) if drift and drift.is_far else None
        warnings = (
            strange,
            crew.lacks(asked.artefact.manifest),
            crew.word_on(profile_class),
            lacking and f"there is no room for this map: {lacking}",
        )
        return EstimateOut(
            num_px=size.num_px,
            num_blocks=size.num_blocks,
            num_sheets=len(asked.planned.plan.sheets),
            area_km2=size.area_km2,
            bounds=size.bounds_wgs84,
            outline=size.outline,
            gsd_m=size.gsd_m,
            seconds=None if rate is None else round(size.num_px / 1e6 / rate, 1),
            product_bytes=size.product_bytes,
            model=asked.planned.plan.model,
            bands=list(asked.planned.plan.bands),
            profile=profile_class,
            drift=None
            if drift is None
            else DriftOut(value=drift.value, threshold=drift.threshold, nearest=drift.nearest),
            notes=[wording.for_callers(note) for note in asked.planned.notes if note != strange],
            warnings=[warning for warning in warnings if warning],
        )

    def upload(self, upload: Upload, *, keep_s: float) -> UploadOut:
        """An upload as JSON shows it."""
        about = upload.about
        return UploadOut(
            id=upload.id,
            name=about.name,
            size=upload.num_bytes if upload.is_whole else about.size,
            offset=upload.num_bytes,
            is_whole=upload.is_whole,
            expires=moment(upload.last_change + keep_s),
            source=f"upload:{upload.id}",
            jobs=upload.users,
            links={"self": self.link("upload", "uploads", upload.id)},
        )

    def _bounds(self, job: Job, units: Sequence[Unit]) -> list[Bounds]:
        return self.services.geometries.of(job.id).bounds(units) if units else []

    def _outlines(self, job: Job, units: Sequence[Unit]) -> list[Ring]:
        return self.services.geometries.of(job.id).outlines(units) if units else []

    def log_line(self, entry: LogEntry) -> LogLine:
        """A line of a job's log."""
        return LogLine(at=moment(entry.at), level=entry.level, text=self.services.wording.plain(entry.text))

    def links(self, job: Job) -> dict[str, Link]:
        """Everything that can be done with a job, and where its map is."""
        own, of_map = ("jobs", job.id), ("maps", job.map_id)
        style = str(job.request.get("style", "cosia"))
        drawn = {} if style == "cosia" else {"style": style}
        tile = ("{z}", "{x}", "{y}.png")
        links: dict[str, Link] = {
            "self": self.link("self", *own),
            "events": self.link("events", *own, "events", kind="text/event-stream"),
            "logs": self.link("logs", *own, "logs"),
            "blocks": self.link("blocks", *own, "blocks"),
            "map": self.link("map", *of_map),
            "tilejson": self.link("tilejson", *of_map, "tilejson.json", **drawn),
            "xyz": self.link("xyz", *of_map, "tiles", *tile, kind=_PNG, **drawn),
            "image_xyz": self.link("image_xyz", *of_map, "image", "tiles", *tile, kind=_PNG),
            "wmts": self.link("wmts", *of_map, "WMTSCapabilities.xml", kind="application/xml", **drawn),
            "landcover": self.link("landcover", *of_map, "landcover.tif", kind=_COG),
            "confidence": self.link("confidence", *of_map, "confidence.tif", kind=_COG),
            "style": self.link("style", *of_map, "landcover.qml", kind="application/xml"),
            "sheets": self.link("sheets", *of_map, "sheets"),
            "legend": self.link("legend", *of_map, "legend.json", **drawn),
            "stats": self.link("stats", *of_map, "stats.json"),
            "preview": self.link("preview", *of_map, "preview.png", kind=_PNG),
            "thumbnail": self.link("thumbnail", *of_map, "thumbnail.png", kind=_PNG, **drawn),
            "item": self.link("item", *of_map, "item.json", kind="application/geo+json"),
        }
        if not job.status.is_terminal:
            links["cancel"] = self.link("cancel", *own)
        elif job.status != JobStatus.SUCCESSFUL:
            links["resume"] = self.link("resume", *own, "resume")
        if job.sheets_total != 1:
            for name in ("landcover", "confidence", "style"):
                del links[name]
        if not self.services.settings.has_pictures:
            del links["image_xyz"]
        return links

    def _message(self, job: Job) -> str:
        """What the store says, or why nothing happens."""
        if job.status.is_terminal:
            return job.message
        return self.services.crew.word_on(job.profile_class) or self.services.room.word or job.message


def progress_of(job: Job) -> float:
    """How much of a job is done, in percent."""
    if job.status == JobStatus.SUCCESSFUL:
        return 100.0
    share = job.px_done / job.px_total if job.px_total else 0.0
    return round(min(100 * share, _NEARLY), 2)


def _seconds_left(job: Job) -> float | None:
    """How long a running job will take, if it goes on as it did; counted by the store's clock."""
    if job.status != JobStatus.RUNNING or job.started is None or not job.px_done:
        return None
    elapsed_s = job.updated - job.started
    return round(elapsed_s * (job.px_total - job.px_done) / job.px_done, 1)


def headers_of(job: Job, urls: Urls) -> dict[str, str]:
    """Headers of an answer that is a job: where it is, and when to ask again."""
    headers: dict[str, Any] = {"Location": urls("jobs", job.id)}
    if not job.status.is_terminal:
        headers["Retry-After"] = "2"
    return headers

"""What the store takes and gives: plain frozen values.

Times are seconds since 1970 on the store's clock, never on that of the machine that asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from service.intake.planned import PlannedMap

Item = TypeVar("Item")


class JobStatus(StrEnum):
    """Where a job stands; the words of OGC API - Processes."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    DISMISSED = "dismissed"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will be done for the job any more, unless it is resumed."""
        return self not in (JobStatus.ACCEPTED, JobStatus.RUNNING)


class UnitKind(StrEnum):
    """What a unit of work makes."""

    BLOCK = "block"
    """One block's classes and confidence."""
    SHEET = "sheet"
    """The product files of a sheet, from its blocks."""
    PICTURE = "picture"
    """The compressed copy of the image under a sheet; its failure never fails a job."""


class UnitStatus(StrEnum):
    """Where a unit stands."""

    WAITING = "waiting"
    """A sheet whose blocks are not settled yet."""
    READY = "ready"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_settled(self) -> bool:
        """Whether nobody will work on it any more."""
        return self in (UnitStatus.DONE, UnitStatus.FAILED)


class LogLevel(StrEnum):
    """How much an entry of a job's log matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """All that is known of a job when it is accepted."""

    owner: str
    title: str
    map_name: str
    request: dict[str, Any]
    """As asked, for showing."""
    planned: PlannedMap
    content_key: str
    """Digest of the content that decides the result; see `Store.same_job`."""
    area_km2: float
    bounds_wgs84: tuple[float, float, float, float]
    """Left, bottom, right, top in degrees."""
    nomenclature: str
    acquisition_date: str | None = None
    profile_class: str | None = None
    """None: of the first worker that leases from it."""
    priority: int = 0
    """1 is high, -1 low; among the jobs of one owner."""
    max_failed_share: float = 0.0
    """The job goes on while no more than this share of its blocks has failed."""
    run_blocks: int = 4
    """Most blocks of one lease."""
    has_pictures: bool = True


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it stands."""

    id: str
    owner: str
    status: JobStatus
    title: str
    message: str
    """What happens now, what is waited for, or why it ended."""
    request: dict[str, Any]
    model: str
    model_digest: str
    profile_class: str | None
    profile: dict[str, Any] | None
    """Fields of the `ExecutionProfile` that its first run has pinned."""
    map_id: str
    map_name: str
    priority: int
    area_km2: float
    bounds_wgs84: tuple[float, float, float, float]
    num_px: int
    """Of all sheets."""
    notes: tuple[str, ...]
    """What is done that the user may not expect, such as resampling."""
    created: float
    started: float | None
    finished: float | None
    updated: float
    blocks_total: int
    blocks_done: int
    blocks_failed: int
    px_done: int
    px_total: int
    """Of all blocks."""
    sheets_total: int
    sheets_done: int
    seq: int
    """Grows by one with every settled unit and every change of status."""
    error: str | None
    content_key: str

    @property
    def label(self) -> str:
        """What to write over its map: the title that was given, else the map's name."""
        return label_of(self.request, self.map_name)


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One unit of work."""

    id: int
    kind: UnitKind
    sheet: str
    """Name of its sheet."""
    name: str
    """Of the block, such as ``r-12_c340``; of sheets and pictures the sheet's."""
    row: int
    """Of the block on the lattice of blocks; 0 for others."""
    col: int
    run: int
    """Blocks of one number are leased together; 0 for others."""
    num_px: int
    status: UnitStatus
    attempts: int
    """Times it was leased, but for leases given back."""
    error: str | None
    seq: int
    """The job's ``seq`` when it settled; 0 before."""
    figures: dict[str, Any] | None
    """What its worker found out, such as a sheet's counts."""
    worker_id: str | None
    """Who holds it."""


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right, for a while, to work on some units of one job."""

    token: str
    """Fresh for every claim: it fences off whoever held these units before."""
    worker_id: str
    job_id: str
    map_id: str
    kind: UnitKind
    units: tuple[Unit, ...]
    """Of one sheet; several only for blocks of one run."""
    sheet: str


@dataclass(frozen=True, kw_only=True)
class MapRecord:
    """A map as it stands."""

    id: str
    name: str
    owner: str
    job_id: str
    status: JobStatus
    """The job's."""
    title: str
    request: dict[str, Any]
    """Of the job, as asked."""
    model: str
    nomenclature: str
    epsg: int | None
    bounds_wgs84: tuple[float, float, float, float]
    acquisition_date: str | None
    area_km2: float
    created: float
    finished: float | None
    pixel_counts: dict[int, int] | None
    """Pixels by class value, of the sheets finished so far; None before the first."""
    confidence_total: int | None
    """Sum of their confidences, in percent; None where a sheet did not tell."""
    num_sheets: int
    has_pictures: bool
    seq: int
    """The job's: it changes whenever pixels do."""

    @property
    def label(self) -> str:
        """What to write over it: the title that was given, else its name."""
        return label_of(self.request, self.name)


def label_of(request: dict[str, Any], name: str) -> str:
    """What a map is called by people; a title that nobody gave only repeats the name of a file."""
    return str(request.get("title") or name)


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """A line of a job's log."""

    at: float
    level: LogLevel
    text: str


@dataclass(frozen=True, kw_only=True)
class WorkerInfo:
    """A worker as it told of itself."""

    id: str
    profile_class: str
    host: str
    pid: int
    mpx_per_s: float | None = None
    last_seen: float = 0.0
    """Set by the store."""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Item]):
    """Some items of a longer list."""

    items: list[Item] = field(default_factory=list)
    next_cursor: str | None = None
    """Opaque; None at the end."""

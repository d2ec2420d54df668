"""What the catalogue tells of a map, as plain values; whoever serves maps fills it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.map_drift import MapDrift
    from models.nomenclature import Nomenclature
    from service.planning.grid import GeoTransform

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top."""

ATTRIBUTION = "Orthoscape"
"""Written on maps beside what their sources ask for."""


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """One file of a map."""

    name: str
    """Under the map or the sheet: ``landcover.tif``."""
    size_bytes: int
    sheet: str | None = None
    """Name of the sheet, where the map has several."""
    sha256: str | None = None
    """Of its bytes, where known."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the pixels of a map lie."""

    epsg: int | None
    crs_wkt: str
    bounds: Bounds
    """In the CRS."""
    width: int
    """Pixels; of all sheets together, gaps included."""
    height: int
    transform: GeoTransform
    gsd_m: float
    """Mean ground size of a pixel, in metres."""


@dataclass(frozen=True, kw_only=True)
class MapFacts:
    """What is told of one map."""

    id: str
    name: str
    label: str
    """The title that was given, else its name."""
    status: str
    """The status of its job: OGC's word."""
    model: str
    """``id@version``."""
    nomenclature: Nomenclature
    bounds_wgs84: Bounds
    """In degrees."""
    created: float
    """Epoch seconds."""
    finished: float | None
    acquisition_date: str | None
    """ISO 8601, as precise as known: a day or a year."""
    zooms: Mapping[str, tuple[int, int]]
    """Least and greatest zoom that shows it, by tile matrix set."""
    version: str
    """Changes whenever a pixel does."""
    has_picture: bool
    """Whether tiles of its image can be had."""
    pixel_counts: Mapping[int, int] | None
    """Pixels by class value, of the sheets finished so far; None before the first is."""
    drift: MapDrift | None = None
    """How unlike what its model makes of training domains it is; None where nobody asked, or knows."""

    @property
    def is_finished(self) -> bool:
        """Whether every pixel is there."""
        return self.status == "successful"

    @property
    def title(self) -> str:
        """What it is called, with the date of the image where known."""
        return f"{self.label} ({self.acquisition_date})" if self.acquisition_date else self.label


def iso_time(epoch_s: float) -> str:
    """A moment as RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

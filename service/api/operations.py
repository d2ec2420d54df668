"""How the service is doing: what it lacks, what it runs on."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

import rasterio

from service.errors import Unavailable

if TYPE_CHECKING:
    from service.api.deps import Services

_LIBRARIES = (
    "orthoscape",
    "fastapi",
    "uvicorn",
    "celery",
    "redis",
    "sqlalchemy",
    "numpy",
    "pillow",
    "rio-tiler",
)


class NotReady(Unavailable):
    """The service cannot take and do a job now."""

    def __init__(self, lacks: dict[str, str]) -> None:
        super().__init__(
            "; ".join(lacks.values()), remedy="start what is missing; the service goes on by itself"
        )
        self.errors = [{"detail": detail, "part": part} for part, detail in lacks.items()]


def check_ready(services: Services) -> None:
    """Go on only if a job that came now would be done.

    Raises:
        NotReady: The store or the broker does not answer, no worker is alive, or the disk is full.
    """
    lacks: dict[str, str] = {}
    if not services.store.is_reachable():
        lacks["store"] = "the job store does not answer"
    elif not services.store.fleet.workers():
        lacks["worker"] = "no worker is alive"
    if (waits := services.room.word) is not None:
        lacks["disk"] = waits
    if not services.bell.is_reachable():
        lacks["broker"] = "the broker does not answer"
    if lacks:
        raise NotReady(lacks)


def software_versions() -> dict[str, str]:
    """What this process runs on, by name."""
    return {name: version(name) for name in _LIBRARIES} | {
        "python": platform.python_version(),
        "rasterio": rasterio.__version__,
        "gdal": rasterio.__gdal_version__,
    }

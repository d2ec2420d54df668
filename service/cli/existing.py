"""What lies where a map is to be written."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import rasterio
from rasterio.errors import RasterioIOError

from service.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.maps.products import Products
    from service.planning.jobs import JobPlan
    from service.planning.preflight import SceneFacts
    from service.planning.profile import ExecutionProfile


class OutputExists(JobError):
    """Something else is already there."""


class OutputIsSource(JobError):
    """The map would be written over its own source."""


def is_made(products: dict[str, Products], plan: JobPlan, profile: ExecutionProfile) -> bool:
    """Whether these very maps are there already.

    Raises:
        OutputExists: Something is there, and it is not this map; nothing is replaced unasked.
    """
    paths = [path for target in products.values() for path in target.rasters]
    there = [path for path in paths if path.exists()]
    for path in there:
        if not is_this_map(path, plan, profile):
            raise OutputExists(
                f"{path} is there and is not this map", remedy="name another output, or say --force"
            )
    return len(there) == len(paths)


def spare_sources(products: dict[str, Products], scenes: Sequence[SceneFacts]) -> None:
    """Refuse to write over what is read, even by force: the orthophoto would be gone.

    Raises:
        OutputIsSource: A product would take the place of a source.
    """
    sources = {Path(facts.path).resolve() for scene in scenes for facts in scene.all}
    for target in products.values():
        for path in target.paths:
            if path.resolve() in sources:
                raise OutputIsSource(f"{path} is read to make this map", remedy="name another output")


def is_this_map(path: Path, plan: JobPlan, profile: ExecutionProfile) -> bool:
    """Whether a file is a product of this plan, made with this profile."""
    try:
        with rasterio.open(path, driver="GTiff") as file:
            tags = file.tags()
    except RasterioIOError:
        return False
    if tags.get("JOB_KEY") != plan.key:
        return False
    return bool(json.loads(tags["ORTHOSCAPE_PROFILE"]) == asdict(profile))

"""What lies where a map is to be written."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import rasterio
from rasterio.errors import RasterioIOError

from service.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path

    from service.cli.running import Products
    from service.planning.jobs import JobPlan
    from service.planning.profile import ExecutionProfile


class OutputExists(JobError):
    """Something else is already there."""


def is_made(products: dict[str, Products], plan: JobPlan, profile: ExecutionProfile) -> bool:
    """Whether these very maps are there already.

    Raises:
        OutputExists: Something is there, and it is not this map; nothing is replaced unasked.
    """
    made = []
    for target in products.values():
        if not target.classes.exists():
            made.append(False)
            continue
        if not _is_this_map(target.classes, plan, profile):
            raise OutputExists(
                f"{target.classes} is there and is not this map", remedy="name another output, or say --force"
            )
        made.append(target.confidence is None or target.confidence.exists())
    return all(made)


def _is_this_map(path: Path, plan: JobPlan, profile: ExecutionProfile) -> bool:
    try:
        with rasterio.open(path) as file:
            tags = file.tags()
    except RasterioIOError:
        return False
    if tags.get("JOB_KEY") != plan.key:
        return False
    return bool(json.loads(tags["ORTHOSCAPE_PROFILE"]) == asdict(profile))

"""Where a map comes from, told inside the map."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import rasterio

if TYPE_CHECKING:
    from models.manifest import Manifest
    from service.planning.jobs import JobPlan, SheetPlan
    from service.planning.profile import ExecutionProfile


def software_versions() -> dict[str, str]:
    """Versions of what decides bytes: Orthoscape, rasterio, GDAL."""
    try:
        own = version("orthoscape")
    except PackageNotFoundError:
        own = "unknown"
    return {"orthoscape": own, "rasterio": rasterio.__version__, "gdal": rasterio.__gdal_version__}


def source_digest(plan: JobPlan) -> str:
    """One digest for all files of a job; of a single file its plain sha256."""
    digests = sorted(plan.digests.values())
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def provenance_tags(
    plan: JobPlan,
    sheet: SheetPlan,
    *,
    manifest: Manifest,
    profile: ExecutionProfile,
    beside: Path | None = None,
) -> dict[str, str]:
    """The tags of a sheet's products, as the TIFF carries them.

    ``ORTHOSCAPE_PLAN``, ``ORTHOSCAPE_PROFILE`` and ``ORTHOSCAPE_SOFTWARE`` are JSON; the rest is plain text.
    The plan is that of the sheet, so that its size does not grow with the collection.

    Args:
        plan: Of the whole job.
        sheet: Of the products.
        manifest: Of the model.
        profile: With which the blocks were made.
        beside: Folder of the products, from which the plan shall lead to the sources; None tells their names
            alone, since what is published says nothing of the machine that it was made on.
    """
    part = plan.part_of(sheet)
    versions = software_versions()
    return {
        "MODEL_ID": plan.model,
        "MODEL_SHA256": plan.model_digest,
        "NOMENCLATURE": manifest.nomenclature,
        "SOURCE_SHA256": source_digest(part),
        "JOB_KEY": plan.key,
        "ORTHOSCAPE_PROFILE": json.dumps(asdict(profile), sort_keys=True),
        "ORTHOSCAPE_SOFTWARE": json.dumps(versions, sort_keys=True),
        "ORTHOSCAPE_PLAN": part.with_paths(_told_paths(part, beside)).model_dump_json(),
        "TIFFTAG_SOFTWARE": f"Orthoscape {versions['orthoscape']}",
        "TIFFTAG_IMAGEDESCRIPTION": f"Land cover by {plan.model}; class values of {manifest.nomenclature}",
        "MODEL_LICENCE": manifest.licence,  # whose map it is, its maker knows
    }


def _told_paths(plan: JobPlan, beside: Path | None) -> dict[str, str]:
    """What the files of a plan are called in its products; no two alike."""
    if beside is not None:
        return {path: Path(os.path.relpath(path, beside)).as_posix() for path in plan.digests}
    times = Counter(Path(path).name for path in plan.digests)
    return {
        path: name if times[name] == 1 else f"{digest[:12]}-{name}"
        for path, digest in plan.digests.items()
        for name in (Path(path).name,)
    }

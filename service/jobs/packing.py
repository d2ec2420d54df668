"""Planned maps as bytes: compressed JSON, kept apart from the job's row."""

from __future__ import annotations

import json
import zlib

from service.intake.planned import PlannedMap
from service.planning.jobs import JobPlan
from service.rasters.facts import RasterFacts


def pack(planned: PlannedMap) -> bytes:
    """Write a planned map."""
    plain = {
        "plan": planned.plan.model_dump(mode="json"),
        "facts": {path: facts.model_dump(mode="json") for path, facts in planned.facts.items()},
        "notes": planned.notes,
    }
    # Not pydantic's own JSON, which writes a nodata value of NaN as null.
    return zlib.compress(json.dumps(plain, separators=(",", ":")).encode())


def unpack(packed: bytes) -> PlannedMap:
    """Read what `pack` wrote."""
    plain = json.loads(zlib.decompress(packed))
    return PlannedMap(
        plan=JobPlan.model_validate(plain["plan"]),
        facts={path: RasterFacts.model_validate(facts) for path, facts in plain["facts"].items()},
        notes=tuple(plain["notes"]),
    )

"""Where the pixels of a map come from, as far as this server knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from service.catalogue.items import Provenance
from service.tiles.errors import PieceGone
from service.tiles.handles import HANDLES

if TYPE_CHECKING:
    from pathlib import Path

    from models.registry import Registry
    from service.api.mapping import OpenMap

_UNKNOWN_LICENCE = "other"
"""STAC's word for a licence that has no name there."""


def provenance_of(opened: OpenMap, registry: Registry) -> Provenance:
    """Model, licence, sources, and the versions that a finished sheet names.

    Args:
        opened: The map.
        registry: Models of this machine; the map's may be none of them any more.
    """
    manifest = next((found for found in registry.manifests() if found.key == opened.record.model), None)
    first = opened.folder.products(opened.frame.plan.sheets[0]).classes
    return Provenance(
        software=_software(first),
        licence=manifest.licence if manifest is not None else _UNKNOWN_LICENCE,
        model_title=manifest.title if manifest is not None else opened.record.model,
        sources=dict(list(opened.frame.sources.items())[:_MAX_SOURCES]),
    )


_MAX_SOURCES = 256
"""Sources that are named one by one; of larger collections the first."""


def _software(product: Path) -> dict[str, str]:
    """The versions that a product names in its tags; none before it is there."""
    try:
        with HANDLES.borrowed(product) as dataset:
            tags = dataset.tags()
    except PieceGone:
        return {}
    software: dict[str, str] = json.loads(tags.get("ORTHOSCAPE_SOFTWARE", "{}"))
    profile = json.loads(tags.get("ORTHOSCAPE_PROFILE", "{}"))
    if profile:
        software[str(profile["engine"])] = str(profile["engine_version"])
    return software

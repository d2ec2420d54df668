"""`patches.geojson`: the outline of each patch with its domain and split, to be looked at on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.rasters.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from training.curation.patches import Patch
    from training.curation.sheets import Sheet
    from training.curation.splitting import Place


def outline(placed: Sequence[tuple[Patch, Place]], sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """A GeoJSON feature collection, in degrees.

    Args:
        placed: Patches, and whose they are.
        sheets: By their keys.
    """
    features = []
    for patch, place in placed:
        (ring,) = outlines(sheets[f"{patch.domain}/{patch.sheet}"].ortho.crs_wkt, [patch.bounds])
        features.append(
            {
                "type": "Feature",
                "id": patch.id,
                "geometry": {"type": "Polygon", "coordinates": [[list(point) for point in ring]]},
                "properties": {
                    "id": patch.id,
                    "domain": patch.domain,
                    "split": place.split,
                    "zone": place.zone,
                    "labelled_share": round(patch.labelled_share, 6),
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}

"""A static STAC 1.1 catalogue of a set: a catalog, a collection for each domain, an item for each patch.

Links and assets are relative, so that the folder can be moved or served as it is. Splits and the parts of
image and labels are told in the words of the ML AOI extension, classes in those of the classification
extension. The label extension is not used: it asks for GeoJSON beside each raster, and classification tells
values and colours.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from rasterio.crs import CRS

from models.nomenclature import COSIA
from service.rasters.outlines import outlines
from training.curation.times import interval, item_times
from training.data.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from training.curation.patches import Patch
    from training.curation.sheets import Sheet
    from training.curation.splitting import Place
    from training.data.samples import Split

STAC_VERSION = "1.1.0"
_EXTENSION = "https://stac-extensions.github.io/{}/schema.json"
CLASSIFICATION, FILE, ML_AOI, PROJECTION = (
    _EXTENSION.format(name)
    for name in ("classification/v2.0.0", "file/v2.1.0", "ml-aoi/v0.2.0", "projection/v2.0.0")
)
_GEOTIFF = "image/tiff; application=geotiff"
_MULTIHASH_SHA256 = "1220"
"""Code and length that make a sha256 a multihash."""
_SPLITS: dict[Split, str] = {"train": "train", "validation": "validate", "test": "test"}
"""ML AOI's words."""


def catalogue(
    placed: Sequence[tuple[Patch, Place]],
    sheets: Mapping[str, Sheet],
    *,
    name: str,
    licence: str,
    credit: str,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """All files of the catalogue, as paths below the folder of the set and their content; its root last.

    Args:
        placed: Patches, and whose they are.
        sheets: By their keys.
        name: Of the set.
        licence: SPDX expression, or ``other``.
        credit: Whose imagery and labels are.
    """
    by_domain: dict[str, list[tuple[Patch, Place]]] = defaultdict(list)
    for patch, place in placed:
        by_domain[patch.domain].append((patch, place))
        yield item_path(patch), _item(patch, place, sheets[f"{patch.domain}/{patch.sheet}"], licence=licence)
    for domain, members in by_domain.items():
        yield f"{domain}/collection.json", _collection(domain, members, licence=licence, credit=credit)
    yield (
        "catalog.json",
        {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": name,
            "title": name,
            "description": _description(placed, credit),
            "links": [
                {"rel": "root", "href": "./catalog.json", "type": "application/json"},
                *(
                    {
                        "rel": "child",
                        "href": f"./{domain}/collection.json",
                        "type": "application/json",
                        "title": domain,
                    }
                    for domain in by_domain
                ),
                {"rel": "describedby", "href": "./metadata.csv", "type": "text/csv"},
                {"rel": "describedby", "href": "./patches.geojson", "type": "application/geo+json"},
                {"rel": "describedby", "href": "./README.md", "type": "text/markdown"},
            ],
        },
    )


def item_path(patch: Patch) -> str:
    """Path of a patch's item, below the folder of the set."""
    return f"{patch.image.removesuffix('_image.tif')}.json"


def _item(patch: Patch, place: Place, sheet: Sheet, *, licence: str) -> dict[str, Any]:
    (ring,) = outlines(sheet.ortho.crs_wkt, [patch.bounds])
    code = patch.crs if patch.crs.startswith("EPSG:") else None
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [CLASSIFICATION, FILE, ML_AOI, PROJECTION],
        "id": patch.id,
        "collection": patch.domain,
        "geometry": {"type": "Polygon", "coordinates": [[list(point) for point in ring]]},
        "bbox": list(patch.box),
        "properties": {
            **item_times(patch.date),
            "license": licence,
            "gsd": patch.gsd_m,
            "proj:code": code,
            **({} if code else {"proj:wkt2": CRS.from_wkt(patch.crs).to_wkt("WKT2_2019")}),
            "proj:bbox": list(patch.bounds),
            "proj:shape": [patch.side_px, patch.side_px],
            "proj:transform": list(patch.transform),
            "ml-aoi:split": _SPLITS[place.split],
            "orthoscape:zone": place.zone,
            "orthoscape:labelled_share": round(patch.labelled_share, 6),
            "orthoscape:source": sheet.ortho.path.name,
            "orthoscape:source_sha256": sheet.sha256,
        },
        "links": [
            {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../collection.json", "type": "application/json"},
        ],
        "assets": {
            "image": {
                **_image_asset(patch.bands),
                "href": f"./{PurePosixPath(patch.image).name}",
                "file:size": patch.image_bytes,
                "file:checksum": _MULTIHASH_SHA256 + patch.image_sha256,
            },
            "labels": {
                **_labels_asset(patch.counts),
                "href": f"./{PurePosixPath(patch.labels).name}",
                "file:size": patch.labels_bytes,
                "file:checksum": _MULTIHASH_SHA256 + patch.labels_sha256,
            },
        },
    }


def _collection(
    domain: str, members: Sequence[tuple[Patch, Place]], *, licence: str, credit: str
) -> dict[str, Any]:
    patches = [patch for patch, _ in members]
    boxes = [patch.box for patch in patches]
    spans = [interval(patch.date) for patch in patches if patch.date]
    ends = [min(start for start, _ in spans), max(end for _, end in spans)] if spans else [None, None]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "stac_extensions": [CLASSIFICATION, ML_AOI],
        "id": domain,
        "title": domain,
        "description": _description(members, credit),
        "license": licence,
        "extent": {
            "spatial": {
                "bbox": [
                    [
                        *(min(box[axis] for box in boxes) for axis in (0, 1)),
                        *(max(box[axis] for box in boxes) for axis in (2, 3)),
                    ]
                ]
            },
            "temporal": {"interval": [ends]},
        },
        "summaries": {
            "gsd": sorted({patch.gsd_m for patch in patches}),
            "ml-aoi:split": sorted({_SPLITS[place.split] for _, place in members}),
        },
        "item_assets": {"image": _image_asset(patches[0].bands), "labels": _labels_asset(None)},
        "links": [
            {"rel": "root", "href": "../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../catalog.json", "type": "application/json"},
            *(
                {
                    "rel": "item",
                    "href": f"./{item_path(patch).removeprefix(f'{domain}/')}",
                    "type": "application/geo+json",
                }
                for patch in patches
            ),
        ],
    }


def _image_asset(bands: Sequence[str]) -> dict[str, Any]:
    return {
        "type": _GEOTIFF,
        "title": "Orthophoto",
        "roles": ["data"],
        "ml-aoi:role": "feature",
        "ml-aoi:reference-grid": True,
        "data_type": "uint8",
        "bands": [{"name": band} for band in bands],
    }


def _labels_asset(counts: Sequence[int] | None) -> dict[str, Any]:
    """Labels, with all classes, or with those of a patch and their pixels."""
    return {
        "type": _GEOTIFF,
        "title": "Land cover",
        "roles": ["data", "labels"],
        "ml-aoi:role": "label",
        "data_type": "uint8",
        "nodata": IGNORED,
        "classification:classes": _classes(counts),
    }


def _classes(counts: Sequence[int] | None) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    for land_cover in COSIA.classes:
        if counts is not None and not counts[land_cover.value]:
            continue
        entry: dict[str, Any] = {
            "value": land_cover.value,
            "name": land_cover.slug,
            "description": land_cover.name_en,
            "color_hint": land_cover.colour_cosia.removeprefix("#").upper(),
        }
        if counts is not None:
            entry["count"] = counts[land_cover.value]
            entry["percentage"] = round(100 * counts[land_cover.value] / sum(counts), 6)
        told.append(entry)
    return [*told, {"value": IGNORED, "name": "nodata", "description": "no label", "nodata": True}]


def _description(members: Sequence[tuple[Patch, Place]], credit: str) -> str:
    told = f"{len(members)} patches of orthophotos with land cover in the classes of {COSIA.id}."
    return f"{told} {credit}" if credit else told

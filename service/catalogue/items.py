"""The STAC item of a map: STAC 1.1 with classification, projection, processing, file and render."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rasterio.crs import CRS

from service.catalogue.facts import iso_time
from service.catalogue.styles import CONFIDENCE, IMAGE, styles_of
from service.catalogue.times import acquisition_times
from service.catalogue.words import class_name, word
from service.rasters.outlines import outlines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.nomenclature import Nomenclature
    from service.catalogue.addresses import MapAddresses
    from service.catalogue.facts import FileFacts, MapFacts, Place
    from service.catalogue.words import Language

STAC_VERSION = "1.1.0"
_EXTENSION = "https://stac-extensions.github.io/{}/schema.json"
CLASSIFICATION, PROJECTION, PROCESSING, FILE, RENDER = (
    _EXTENSION.format(name)
    for name in (
        "classification/v2.0.0",
        "projection/v2.0.0",
        "processing/v1.2.0",
        "file/v2.1.0",
        "render/v2.0.0",
    )
)
COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
MAX_SHEET_ASSETS = 256
"""Sheets whose files an item lists; of larger maps it links the list of sheets."""
_MULTIHASH_SHA256 = "1220"
"""Code and length that make a sha256 a multihash."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the pixels of a map come from."""

    software: Mapping[str, str]
    """Versions by name."""
    licence: str
    model_title: str
    sources: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each source by the name of its file, never by its path."""


def map_item(
    facts: MapFacts,
    place: Place,
    addresses: MapAddresses,
    *,
    files: Sequence[FileFacts],
    provenance: Provenance,
    language: Language = "en",
) -> dict[str, Any]:
    """Describe a map as a STAC item.

    Args:
        facts: Of the map.
        place: Of its pixels.
        addresses: Of the map.
        files: Those that are there.
        provenance: Of its pixels.
        language: Of titles; names of classes are keys and stay English.
    """
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [CLASSIFICATION, PROJECTION, PROCESSING, FILE, RENDER],
        "id": facts.id,
        "geometry": {"type": "Polygon", "coordinates": [rim_of(place)]},
        "bbox": list(facts.bounds_wgs84),
        "properties": {
            "title": facts.title,
            "description": f"{word('land cover', language)} {word('by', language)} {facts.model}",
            **acquisition_times(facts.acquisition_date, before=facts.created),
            "created": iso_time(facts.created),
            "updated": iso_time(facts.finished or facts.created),
            "license": provenance.licence,
            "gsd": round(place.gsd_m, 4),
            **_projection(place),
            "processing:level": "L4",
            "processing:software": dict(provenance.software),
            "processing:lineage": f"{provenance.model_title} ({facts.model})",
            "renders": _renders(facts, language),
            **({"orthoscape:sources": dict(provenance.sources)} if provenance.sources else {}),
            **({} if facts.drift is None else {"orthoscape:drift": asdict(facts.drift)}),
        },
        "links": _links(facts, addresses),
        "assets": _assets(facts, addresses, files, language),
    }


def rim_of(place: Place) -> list[list[float]]:
    """The rim of a map in degrees, counter-clockwise and closed, as GeoJSON wants it."""
    return [list(point) for point in outlines(place.crs_wkt, [place.bounds])[0]]


def _projection(place: Place) -> dict[str, Any]:
    code = {"proj:code": f"EPSG:{place.epsg}"} if place.epsg is not None else {"proj:code": None}
    return {
        **code,
        **({} if place.epsg is not None else {"proj:wkt2": CRS.from_wkt(place.crs_wkt).to_wkt("WKT2_2019")}),
        "proj:bbox": list(place.bounds),
        "proj:shape": [place.height, place.width],
        "proj:transform": list(place.transform),
    }


def class_objects(
    nomenclature: Nomenclature, language: Language = "en", *, pixel_counts: Mapping[int, int] | None = None
) -> list[dict[str, Any]]:
    """The classes as the classification extension tells them, nodata last.

    Args:
        nomenclature: The class scheme.
        language: Of the titles.
        pixel_counts: Pixels by class value; gives ``count``, and ``percentage`` of those with a class.
    """
    total = sum((pixel_counts or {}).values())
    objects: list[dict[str, Any]] = []
    for land_cover in nomenclature.classes:
        title = class_name(land_cover, language)
        entry = {
            "value": land_cover.value,
            "name": land_cover.slug,
            "title": title,
            "description": title,
            "color_hint": land_cover.colour_cosia.removeprefix("#").upper(),
        }
        if pixel_counts is not None:
            count = pixel_counts.get(land_cover.value, 0)
            entry["count"] = count
            entry["percentage"] = round(100 * count / total, 6) if total else 0.0
        objects.append(entry)
    no_class = word("no class", language)
    return [
        *objects,
        {
            "value": nomenclature.nodata,
            "name": "nodata",
            "title": no_class,
            "description": no_class,
            "nodata": True,
        },
    ]


def _renders(facts: MapFacts, language: Language) -> dict[str, Any]:
    renders = {}
    for style in styles_of(facts.nomenclature, language):
        colours = {
            str(value): list(colour) for value, colour in facts.nomenclature.palette(style.palette).items()
        }
        if style.grouping is not None:
            colours = {
                str(value): [*bytes.fromhex(group.colour.removeprefix("#")), 255]
                for group in facts.nomenclature.grouping(style.grouping).groups
                for value in group.values
            }
        renders[style.id] = {
            "title": style.title,
            "assets": ["landcover"],
            "nodata": facts.nomenclature.nodata,
            "colormap": colours,
            "resampling": "nearest",
            "minmax_zoom": list(facts.zooms["WebMercatorQuad"]),
        }
    return renders


def _links(facts: MapFacts, addresses: MapAddresses) -> list[dict[str, str]]:
    server = addresses.server
    return [
        {"rel": "self", "type": "application/geo+json", "href": addresses.of("item.json")},
        {"rel": "alternate", "type": "application/json", "href": addresses.of()},
        {
            "rel": "derived_from",
            "type": "application/geo+json",
            "href": server.model(facts.model),
            "title": facts.model,
        },
        {"rel": "tilejson", "type": "application/json", "href": addresses.of("tilejson.json")},
        {"rel": "wmts", "type": "application/xml", "href": addresses.of("WMTSCapabilities.xml")},
        {"rel": "sheets", "type": "application/json", "href": addresses.of("sheets")},
    ]


def _assets(
    facts: MapFacts, addresses: MapAddresses, files: Sequence[FileFacts], language: Language
) -> dict[str, Any]:
    assets: dict[str, Any] = {}
    for file in files[: MAX_SHEET_ASSETS * 3]:
        stem = file.name.partition(".")[0]
        key = f"{stem}_qml" if file.name.endswith(".qml") else stem
        name = file.name if file.sheet is None else f"sheets/{file.sheet}/{file.name}"
        asset = {
            **_described(key, facts, language, is_whole=file.sheet is None),
            "href": addresses.of(name),
            "file:size": file.size_bytes,
        }
        if file.sha256 is not None:
            asset["file:checksum"] = _MULTIHASH_SHA256 + file.sha256
        assets[key if file.sheet is None else f"{key}_{file.sheet}"] = asset
    assets["thumbnail"] = {
        "href": addresses.of("thumbnail.png"),
        "type": "image/png",
        "title": facts.title,
        "roles": ["thumbnail"],
    }
    assets["preview"] = {
        "href": addresses.of("preview.png"),
        "type": "image/png",
        "title": facts.title,
        "roles": ["overview"],
    }
    assets["legend"] = {"href": addresses.of("legend.png"), "type": "image/png", "roles": ["metadata"]}
    return assets


def _described(key: str, facts: MapFacts, language: Language, *, is_whole: bool) -> dict[str, Any]:
    """What is told of a file by its kind."""
    if key == "landcover":
        counts = facts.pixel_counts if is_whole else None
        return {
            "type": COG_TYPE,
            "title": word("land cover", language),
            "roles": ["data"],
            "data_type": "uint8",
            "nodata": facts.nomenclature.nodata,
            "classification:classes": class_objects(facts.nomenclature, language, pixel_counts=counts),
        }
    if key == CONFIDENCE:
        return {
            "type": COG_TYPE,
            "title": word(CONFIDENCE, language),
            "roles": ["data"],
            "data_type": "uint8",
            "nodata": 255,
            "unit": "%",
        }
    if key == IMAGE:
        return {"type": COG_TYPE, "title": word(IMAGE, language), "roles": ["visual"]}
    return {"type": "application/xml", "title": "QGIS", "roles": ["metadata"]}

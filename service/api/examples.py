"""Bodies of requests and answers as /docs shows them: whole, and true to the code, which a test holds."""

from __future__ import annotations

from typing import Any

_SERVER = "http://localhost:8000"
_JOB, _MAP = "01kb5t9qw3h8m2x4c6v8b0n1d2", "01kb5t9qw3h8m2x4c6v8b0n1d3"
_JSON, _PNG, _XML = "application/json", "image/png", "application/xml"
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def _link(path: str, title: str, kind: str = _JSON) -> dict[str, Any]:
    link: dict[str, Any] = {"href": _SERVER + path, "type": kind, "title": title}
    return link | {"templated": True} if "{" in path else link


PREDICT: dict[str, dict[str, Any]] = {
    "path": {
        "summary": "Sheets that lie on the server",
        "description": "A file, or a folder of sheets that lie side by side, in one that the server offers"
        " (ORTHOSCAPE_SOURCE_FOLDERS).",
        "value": {"source": "/sources/annecy", "map": "annecy-2024"},
    },
    "upload": {
        "summary": "An upload, with options",
        "description": "What was sent to /uploads before, with its infrared twin; a part of it only.",
        "value": {
            "source": "upload:01kat3mb3tbd1xxvm3tcx1gtqz",
            "irc": "upload:01kat3mq8rg7n1a9c0d2e4f6h8",
            "aoi": {"bbox": [942_000, 6_537_000, 943_000, 6_538_000], "crs": "EPSG:2154"},
            "acquisition_date": "2024-06-15",
            "style": "ocsge",
            "lang": "fr",
            "title": "Annecy, 2024",
        },
    },
    "estimate": {
        "summary": "What it would be",
        "description": "Nothing is made: the answer tells pixels, seconds, bytes and warnings.",
        "value": {"source": "example", "dry_run": True},
    },
}
"""JSON bodies of POST /predict, as OpenAPI names examples."""

JOB: dict[str, Any] = {
    "id": _JOB,
    "status": "accepted",
    "title": "Land cover of annecy.tif",
    "label": "annecy",
    "message": "waits for its turn",
    "progress": 0.0,
    "seconds_left": None,
    "created": "2026-11-21T10:40:00.000Z",
    "started": None,
    "finished": None,
    "updated": "2026-11-21T10:40:00.000Z",
    "model": "compact-rgbi@0.2.0",
    "profile": "onnxruntime-1.31.1-fp32-cpu-x86_64-avx512",
    "map": {"id": _MAP, "name": "annecy"},
    "area_km2": 1.05,
    "bounds": [6.1012, 45.8891, 6.1149, 45.8984],
    "blocks": {"total": 9, "done": 0, "failed": 0},
    "sheets": {"total": 1, "done": 0},
    "notes": [],
    "map_drift": None,
    "error": None,
    "deduplicated": False,
    "resumed": False,
    "links": {
        "self": _link(f"/jobs/{_JOB}", "This job"),
        "events": _link(f"/jobs/{_JOB}/events", "What happens, as it happens", "text/event-stream"),
        "logs": _link(f"/jobs/{_JOB}/logs", "What happened"),
        "blocks": _link(f"/jobs/{_JOB}/blocks", "Its blocks"),
        "map": _link(f"/maps/{_MAP}", "The map"),
        "tilejson": _link(f"/maps/{_MAP}/tilejson.json", "Tiles, described"),
        "xyz": _link(f"/maps/{_MAP}/tiles/{{z}}/{{x}}/{{y}}.png", "Tiles of the classes", _PNG),
        "image_xyz": _link(f"/maps/{_MAP}/image/tiles/{{z}}/{{x}}/{{y}}.png", "Tiles of the image", _PNG),
        "wmts": _link(f"/maps/{_MAP}/WMTSCapabilities.xml", "For GIS programs", _XML),
        "landcover": _link(f"/maps/{_MAP}/landcover.tif", "Classes, as GeoTIFF", _COG),
        "confidence": _link(f"/maps/{_MAP}/confidence.tif", "Confidence in percent, as GeoTIFF", _COG),
        "style": _link(f"/maps/{_MAP}/landcover.qml", "Style for QGIS", _XML),
        "sheets": _link(f"/maps/{_MAP}/sheets", "Its sheets and their files"),
        "legend": _link(f"/maps/{_MAP}/legend.json", "Legend"),
        "stats": _link(f"/maps/{_MAP}/stats.json", "How much of what"),
        "preview": _link(f"/maps/{_MAP}/preview.png", "A picture of the map", _PNG),
        "thumbnail": _link(f"/maps/{_MAP}/thumbnail.png", "A small picture of the map, for lists", _PNG),
        "item": _link(f"/maps/{_MAP}/item.json", "STAC item", "application/geo+json"),
        "cancel": _link(f"/jobs/{_JOB}", "Stop it (DELETE)"),
    },
}
"""The answer to a request that made a job."""

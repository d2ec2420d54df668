"""From what a caller names to files and areas that may be read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.api.asking import known_crs
from service.api.forms import MAX_FIELD_BYTES
from service.api.problems import FieldError
from service.errors import Conflict
from service.intake.scenes import find_rasters
from service.rasters.polygons import VECTOR_MAGIC, read_polygons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.api.uploadfolder import Upload, UploadFolder
    from service.rasters.limits import Limits
    from service.settings import Settings

_NUMBER = r"\s*[-+]?\d{1,12}(?:\.\d{1,15})?(?:[eE][-+]?\d{1,2})?\s*"
_BOUNDS = re.compile(rf"{_NUMBER}(?:,{_NUMBER}){{3}}(?:,[^,]+)?")
_LEGACY_CRS = re.compile(r"(?:urn:ogc:def:crs:)?(EPSG|OGC|IGNF|ESRI):(?:[\w.]*:)?(\w+)", re.IGNORECASE)

_WGS84 = "EPSG:4326"
_MOST = (360.0, 90.0, 360.0, 90.0)
"""Longitudes and latitudes beyond these are coordinates of another CRS."""
_NO_DEGREES = "bounds without a CRS are degrees of WGS84, and these are none"

_LATER = {
    "http://": "addresses are not read yet; download the file and send it (-F file=@..., or POST /uploads)",
    "https://": "addresses are not read yet; download the file and send it (-F file=@..., or POST /uploads)",
    "s3://": "buckets are not read yet; copy the file here and send it (-F file=@..., or POST /uploads)",
    "collection:": "collections come with a later version; until then name the folder that holds the sheets",
}
EXAMPLE = "example"
"""How the server's own example is named."""

_AOI_REMEDY = (
    "give GeoJSON in longitude and latitude, "
    '{"bbox": [left, bottom, right, top], "crs": "EPSG:2154"}, or a file: -F aoi=@commune.gpkg'
)


class UploadIncomplete(Conflict):
    """An upload is named that has not wholly arrived."""


class Sources:
    """What a caller may read: uploads of their own, the folders and the example that the server offers."""

    def __init__(self, uploads: UploadFolder, settings: Settings, *, owner: str | None) -> None:
        self._uploads = uploads
        self._folders = [folder.resolve() for folder in settings.source_folders]
        self._example = settings.offered_example
        self._owner = owner
        self.used: list[Upload] = []
        """Uploads that were named so far."""

    def find(self, names: Sequence[str], *, field: str) -> list[Path]:
        """The files that a field names.

        Raises:
            FieldError: One is nothing that may be read.
            UploadUnknown: An upload is not there, or another's.
            UploadIncomplete: It has not wholly arrived.
        """
        return list(dict.fromkeys(path for name in names for path in self._find(name.strip(), field)))

    def _find(self, name: str, field: str) -> list[Path]:
        for prefix, remedy in _LATER.items():
            if name.lower().startswith(prefix):
                raise FieldError(field, f"{name[:200]!r} cannot be read", remedy=remedy)
        if name.startswith("upload:"):
            return [self._upload(name.removeprefix("upload:")).data]
        if name == EXAMPLE:
            return [self._offered_example(field)]
        return self._inside(name, field)

    def _upload(self, upload_id: str) -> Upload:
        upload = self._uploads.get(upload_id, owner=self._owner)
        if not upload.is_whole:
            raise UploadIncomplete(
                f"upload {upload_id} has {upload.num_bytes:,} of {upload.about.size or 0:,} bytes",
                remedy=f"send the rest: PATCH /uploads/{upload_id}",
            )
        self.used.append(upload)
        return upload

    def _offered_example(self, field: str) -> Path:
        if self._example is None:
            raise FieldError(
                field,
                "this server has no example",
                remedy="send an orthophoto (-F file=@...); whoever runs the server offers one with"
                " ORTHOSCAPE_EXAMPLE",
            )
        return self._example

    def _inside(self, name: str, field: str) -> list[Path]:
        """Files of the folders that the server offers; whether others are there is not told."""
        try:
            path = Path(name).resolve()
            is_offered = Path(name).is_absolute() and self._is_offered(path) and path.exists()
        except (OSError, ValueError, RuntimeError):  # a name too long, with a NUL, or links in a circle
            is_offered = False
        if not is_offered:
            offers = ", ".join(map(str, self._folders)) or "none (ORTHOSCAPE_SOURCE_FOLDERS)"
            raise FieldError(
                field,
                f"{name[:200]!r} is no upload and lies in no folder that this server offers",
                remedy=f"send it (-F file=@..., or POST /uploads), or name a file in: {offers}",
            )
        return [found.resolve() for found in find_rasters([path]) if self._is_offered(found.resolve())]

    def _is_offered(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._folders)


def read_aoi(value: dict[str, Any] | str) -> str:
    """An area as it was typed, made safe for `service.intake.areas.read_area`: never the name of a file.

    Raises:
        FieldError: It is neither GeoJSON nor bounds.
    """
    if isinstance(value, str):
        text = value.strip()
        if _BOUNDS.fullmatch(text):
            return _bounds(text.split(",", 4))
        value = _json(text)
    if "bbox" in value and "type" not in value:
        corners = value["bbox"]
        is_four = isinstance(corners, list) and len(corners) == 4
        if not is_four or not all(type(number) in (int, float) for number in corners):
            raise FieldError("aoi", "bbox has four numbers: left, bottom, right, top", pointer="#/aoi/bbox")
        named = [str(value["crs"])] if "crs" in value else []
        return _bounds([*map(str, corners), *named])
    return json.dumps(_safe_geojson(value))


def read_aoi_file(path: Path, *, name: str, limits: Limits) -> str:
    """An area from a file that a user sent, as GeoJSON; binary formats are opened in a limited process.

    Raises:
        FieldError: It is no vector data that is read.
        RasterError: Reading it failed, or cost too much.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith(VECTOR_MAGIC):
        return json.dumps(read_polygons(path, limits=limits))
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise FieldError(
            "aoi",
            f"{name} is no vector data that is read",
            remedy="send GeoPackage, FlatGeobuf or GeoJSON: ogr2ogr area.gpkg " + name,
        )
    if path.stat().st_size > MAX_FIELD_BYTES:
        raise FieldError(
            "aoi",
            f"{name} is larger than {MAX_FIELD_BYTES:,} bytes",
            remedy="simplify it, or send it as GeoPackage: ogr2ogr -simplify 1 area.gpkg " + name,
        )
    return json.dumps(_safe_geojson(_json(path.read_text(encoding="utf-8-sig", errors="replace"))))


def _bounds(parts: Sequence[str]) -> str:
    """Bounds with their CRS: WGS84 where none is named, as in GeoJSON."""
    if len(parts) < 5:
        if not all(abs(float(part)) <= most for part, most in zip(parts, _MOST, strict=True)):
            raise FieldError("aoi", _NO_DEGREES, remedy=_AOI_REMEDY, pointer="#/aoi/crs")
        return ",".join([*parts, _WGS84])
    try:
        return ",".join([*parts[:4], known_crs(parts[4])])
    except ValueError as error:
        raise FieldError("aoi", str(error), pointer="#/aoi/crs") from error


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FieldError("aoi", f"{text[:40]!r} is no area", remedy=_AOI_REMEDY) from error
    if not isinstance(value, dict):
        raise FieldError("aoi", "is no GeoJSON object", remedy=_AOI_REMEDY)
    return value


def _safe_geojson(value: dict[str, Any]) -> dict[str, Any]:
    """GeoJSON whose CRS, if it states one, is a code: libraries take other texts for files and addresses."""
    crs = value.get("crs")
    if not crs:
        return value
    name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    found = _LEGACY_CRS.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise FieldError("aoi", "its crs is no code such as EPSG:2154", pointer="#/aoi/crs/properties/name")
    code = f"{found[1].upper()}:{found[2]}"
    return value | {"crs": {"type": "name", "properties": {"name": code}}}

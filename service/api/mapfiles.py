"""The files of a map that may be downloaded: which there are, how they are sent."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, Response

from service.api.caching import is_known, not_modified
from service.api.problems import problem
from service.catalogue.facts import FileFacts
from service.catalogue.items import COG_TYPE
from service.errors import Conflict, NotFound
from service.rasters.hashing import sha256_of

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from starlette.requests import Request

    from service.api.mapping import OpenMap
    from service.catalogue.addresses import MapAddresses
    from service.planning.jobs import SheetPlan

RASTERS = ("landcover.tif", "confidence.tif", "image.tif")
STYLE = "landcover.qml"
KEPT = "public, max-age=3600"
"""Of files: under an id they never change, but whoever downloads gigabytes twice may ask again."""
_CHEAP_BYTES = 32 * 2**20
"""Files up to this size are hashed when their item is asked for, in about a tenth of a second each."""
MAX_HASHED_SHEETS = 8
"""Of maps of more sheets no file is hashed for an item."""
_BYTE = r"[0-9]{1,18}"  # longer ones are no place in any file, and Python refuses to read the longest
_RANGE = rf"(?:{_BYTE}-(?:{_BYTE})?|-{_BYTE})"
_RANGES = re.compile(rf"bytes=\s*{_RANGE}(?:\s*,\s*{_RANGE})*\s*")


class SeveralSheets(Conflict):
    """The map has several sheets, each with files of its own."""


class FileNotReady(NotFound):
    """The file is not made yet."""


class FileUnknown(NotFound):
    """A map has no file of that name."""


class SheetUnknown(NotFound):
    """The map has no sheet of that name."""


def the_sheet(opened: OpenMap, addresses: MapAddresses) -> SheetPlan:
    """The one sheet of a map.

    Raises:
        SeveralSheets: It has more.
    """
    sheets = opened.frame.plan.sheets
    if len(sheets) != 1:
        raise SeveralSheets(
            f"map {opened.record.id} has {len(sheets)} sheets",
            remedy=f"take the files of each, listed by {addresses.of('sheets')}",
        )
    return sheets[0]


def sheet_named(opened: OpenMap, name: str) -> SheetPlan:
    """A sheet of a map.

    Raises:
        SheetUnknown: There is none of that name.
    """
    sheet = opened.frame.sheets_by_name.get(name)
    if sheet is None:
        raise SheetUnknown(
            f"map {opened.record.id} has no sheet {name!r}", remedy="its sheets are listed by …/sheets"
        )
    return sheet


def path_of(opened: OpenMap, sheet: SheetPlan, name: str) -> Path:
    """Where a raster of a sheet lies.

    Raises:
        FileUnknown: Sheets have no file of that name.
        FileNotReady: It is not there.
    """
    path = _path_of(opened, sheet, name)
    if not path.is_file():
        status = opened.record.status
        if status.is_terminal:
            raise FileNotReady(f"map {opened.record.id} has no {name}: its job is {status.value}")
        raise FileNotReady(
            f"{name} of sheet {sheet.name} is not made yet: the job is {status.value}",
            remedy=f"wait for job {opened.record.job_id}; tiles show what is done",
        )
    return path


def _path_of(opened: OpenMap, sheet: SheetPlan, name: str) -> Path:
    products = opened.folder.products(sheet)
    places = {
        "landcover.tif": products.classes,
        "confidence.tif": products.confidence,
        "image.tif": opened.folder.picture(sheet),
    }
    path = places.get(name)
    if path is None:
        raise FileUnknown(f"there is no file {name!r}", remedy=f"one of {', '.join((*RASTERS, STYLE))}")
    return path


def files_of(opened: OpenMap, sheet: SheetPlan, *, has_checksums: bool = False) -> list[FileFacts]:
    """The files of a sheet that are there.

    Args:
        opened: The map.
        sheet: Of it.
        has_checksums: Hash those whose hash is cheap.
    """
    is_single = len(opened.frame.plan.sheets) == 1
    found = []
    for name in RASTERS:
        path = _path_of(opened, sheet, name)
        if path.is_file():
            status = path.stat()
            found.append(
                FileFacts(
                    name=name,
                    size_bytes=status.st_size,
                    sheet=None if is_single else sheet.name,
                    sha256=_checksum(path, status) if has_checksums else None,
                )
            )
    style = opened.folder.products(sheet).style
    if style.is_file():
        found.append(
            FileFacts(name=STYLE, size_bytes=style.stat().st_size, sheet=None if is_single else sheet.name)
        )
    return found


def _checksum(path: Path, status: os.stat_result) -> str | None:
    return None if status.st_size > _CHEAP_BYTES else _sha256(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1024)
def _sha256(path: Path, mtime_ns: int, size_bytes: int) -> str:  # noqa: ARG001  they make it another file
    return sha256_of(path)


def download_name(opened: OpenMap, sheet: SheetPlan, name: str) -> str:
    """The name of a file on its receiver's disk: after its map, so that a style finds its raster."""
    stem, _, suffix = name.partition(".")
    base = opened.record.name if len(opened.frame.plan.sheets) == 1 else sheet.name
    return f"{base}.{suffix}" if stem == "landcover" else f"{base}_{stem}.{suffix}"


def send_raster(request: Request, path: Path, *, filename: str) -> Response:
    """Send a file, or the ranges of it that are asked for (RFC 9110, 14).

    A range that cannot be understood is no range, as the RFC wants it; one that lies beyond the end is
    refused with the length.
    """
    status = path.stat()
    etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    if is_known(request.headers, etag):
        return not_modified(etag, cache_control=KEPT)
    headers = {"ETag": etag, "Cache-Control": KEPT}
    asked = _ranges_of(request.headers.get("range", ""))
    if asked is None:
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
    elif _is_beyond(asked, status.st_size) and _is_same(request, etag):
        return problem(
            416,
            detail=f"the file has {status.st_size} bytes, all that is asked for lies beyond",
            kind="range-not-satisfiable",
            headers={"Content-Range": f"bytes */{status.st_size}", "Accept-Ranges": "bytes"},
        )
    return FileResponse(path, media_type=COG_TYPE, filename=filename, headers=headers, stat_result=status)


def _ranges_of(asked: str) -> list[tuple[str, str]] | None:
    """First and last byte of each range, as they are written; None where there are none to understand."""
    if not _RANGES.fullmatch(asked):
        return None
    parts = [part.strip() for part in asked.removeprefix("bytes=").split(",")]
    ranges = [(first, last) for first, _, last in (part.partition("-") for part in parts)]
    is_reversed = any(first and last and int(first) > int(last) for first, last in ranges)
    return None if is_reversed else ranges


def _is_beyond(asked: list[tuple[str, str]], size_bytes: int) -> bool:
    """Whether no range that is asked for has a byte."""
    return all(int(first) >= size_bytes if first else int(last) == 0 for first, last in asked)


def _is_same(request: Request, etag: str) -> bool:
    """Whether the ranges are wanted of the file as it is (``If-Range``)."""
    return request.headers.get("if-range", etag) == etag

"""The folder of a set: what it was made of, what is done already, and what does not belong into it."""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING, Any

from models.nomenclature import COSIA
from service.rasters.hashing import sha256_of
from service.rasters.writing import appearing
from training.claims import claimed
from training.curation.cutting import CutSheet
from training.curation.errors import FolderBusy, FolderTaken
from training.curation.patches import Patch
from training.data.annotations import RASTER_SUFFIXES, VECTOR_SUFFIXES
from training.data.curated import NOTE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from training.curation.request import Request
    from training.curation.sheets import Sheet

_DONE = ".curation"
"""Folder of what each sheet gave: a set that was stopped goes on with the next one."""


def describe(request: Request, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """Everything that the bytes of a set depend on: settings, and inputs by the digests of their files."""
    return {
        "format": 1,
        "nomenclature": COSIA.id,
        "bands": list(sheets[0].ortho.bands),
        **request.settings(),
        "orthos": [
            {
                "domain": sheet.domain.key,
                "sheet": sheet.name,
                "file": sheet.ortho.path.name,
                "sha256": sheet.sha256,
                **({"companions": list(sheet.companions)} if sheet.companions else {}),
            }
            for sheet in sheets
        ],
        "annotations": [
            {"domain": domain, "file": path.name, "sha256": sha256_of(path)}
            for domain, place in request.labels
            for path in _files(place)
        ],
        "areas": None
        if request.splitting.areas is None
        else [{"file": path.name, "sha256": sha256_of(path)} for path in _files(request.splitting.areas)],
    }


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Keep other processes from making the same set meanwhile: they would take away what this one writes.

    Raises:
        FolderBusy: One does.
    """
    place = out.resolve()  # "." has no name
    with claimed(place.parent / f".{place.name}.lock") as is_mine:
        if not is_mine:
            raise FolderBusy(
                f"{out} is being made by another process",
                remedy="Wait until it has ended: the same command then goes on, or finds all done.",
            )
        yield


def claim(out: Path, note: dict[str, Any]) -> None:
    """Say in the folder what it is made of; refuse one that holds something else.

    Raises:
        FolderTaken: It does.
    """
    path = out / NOTE_NAME
    if out.exists() and not out.is_dir():
        raise FolderTaken(f"{out} is a file", remedy="Name a folder with --out.")
    if not path.exists():
        if out.is_dir() and any(out.iterdir()):
            raise FolderTaken(
                f"{out} is not empty, and no training set", remedy="Name a new folder with --out."
            )
        out.mkdir(parents=True, exist_ok=True)
        with appearing(path) as part:
            part.write_text(as_text(note), encoding="utf-8")
        return
    noted = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(as_text(note))
    if noted != now:
        others = sorted(name for name in {*noted, *now} if noted.get(name) != now.get(name))
        raise FolderTaken(
            f"{out} holds a set that was made otherwise: its {', '.join(others)} differ(s)",
            remedy="Name another folder with --out, or delete this one.",
        )
    for left in out.rglob(".*.part.*"):  # of a process that was killed
        left.unlink()


def read_done(out: Path, sheet: Sheet) -> CutSheet | None:
    """What a sheet gave; None where it is not cut yet."""
    path = _record(out, sheet)
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return CutSheet(
        patches=tuple(Patch.from_json(each) for each in content["patches"]), left_out=content["left_out"]
    )


def write_done(out: Path, sheet: Sheet, cut: CutSheet) -> None:
    """Say that a sheet is cut, and what it gave."""
    path = _record(out, sheet)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"patches": [patch.to_json() for patch in cut.patches], "left_out": cut.left_out}
    with appearing(path) as part:
        part.write_text(json.dumps(content), encoding="utf-8")


def abandon(out: Path) -> None:
    """Give a folder back in which nothing came of a request, so that another may use it."""
    (out / NOTE_NAME).unlink()
    shutil.rmtree(out / _DONE)
    for path in sorted(out.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def require_whole(out: Path, patches: Sequence[Patch]) -> None:
    """Refuse a set of which files went away.

    Raises:
        FolderTaken: Some did.
    """
    for patch in patches:
        for name, size in ((patch.image, patch.image_bytes), (patch.labels, patch.labels_bytes)):
            if not (out / name).is_file() or (out / name).stat().st_size != size:
                raise FolderTaken(
                    f"{out / name} is not the file that was written",
                    remedy=f"Delete {out / _DONE / patch.domain / patch.sheet}.json and run it again.",
                )


def as_text(content: dict[str, Any]) -> str:
    """JSON as files of the set have it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _record(out: Path, sheet: Sheet) -> Path:
    return out / _DONE / sheet.domain.key / f"{sheet.name}.json"


def _files(place: Path) -> list[Path]:
    """The files that annotations are read of, with those that belong to a Shapefile."""
    found = [place] if place.is_file() else sorted(p for p in place.iterdir() if p.is_file())
    kept = [path for path in found if path.suffix.lower() in (*VECTOR_SUFFIXES, *RASTER_SUFFIXES, ".geojson")]
    beside = [
        other
        for path in kept
        if path.suffix.lower() == ".shp"
        for other in sorted(path.parent.glob(f"{path.stem}.*"))
        if other.suffix.lower() in (".dbf", ".shx", ".prj", ".cpg")
    ]
    return sorted({*kept, *beside}) or found

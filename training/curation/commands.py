"""What `orthoscape-train curate` does: from orthophotos and annotations to a training set."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rasterio.crs import CRS

from service.rasters.ground import epsg_of
from service.rasters.writing import appearing
from training.curation import folder
from training.curation.areas import Areas, PlacedAreas
from training.curation.cutting import LEFT_OUT, Shown, cut_sheet, windows_of
from training.curation.errors import NothingToCut, RequestUnfit
from training.curation.outline import outline
from training.curation.sheets import find_sheets
from training.curation.splitting import place_in_areas, place_in_blocks
from training.curation.stac import catalogue
from training.curation.summary import Summary
from training.curation.table import table
from training.data.annotations import Stacked, open_annotations
from training.data.curated import TABLE_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from training.bars import EachPart
    from training.curation.cutting import CutSheet, WhyNot
    from training.curation.patches import Patch
    from training.curation.request import Request
    from training.curation.sheets import Sheet
    from training.curation.splitting import Place
    from training.data.ground import Box


@dataclass(frozen=True, kw_only=True)
class Curated:
    """What came of it."""

    out: Path
    summary: Summary


def curate(request: Request, *, tell: EachPart | None = None) -> Curated:
    """Make a training set, or go on with one that was stopped.

    Args:
        request: What to make.
        tell: Told the sheet that is cut, how many of its patches are done, and of how many.

    Raises:
        RemediedError: As its subclasses name.
    """
    sheets = find_sheets(request)
    _require_room(request, sheets)
    areas = _areas(request, sheets)
    with folder.alone(request.out):
        return _make(request, sheets, areas, tell or _say_nothing)


def _make(
    request: Request, sheets: Sequence[Sheet], areas: dict[str, PlacedAreas], tell: EachPart
) -> Curated:
    """Cut what has not been cut, and finish."""
    annotations = {sheet.domain.key: _annotations(request, sheet.domain.key) for sheet in sheets}
    folder.claim(request.out, folder.describe(request, sheets))
    shown = Shown()
    cuts: list[CutSheet] = []
    for sheet in sheets:
        cut = folder.read_done(request.out, sheet)
        if cut is None:
            cut = cut_sheet(
                sheet,
                annotations[sheet.domain.key],
                cut=request.cut,
                out=request.out,
                why_not=_why_not(sheet, areas, shown, request),
                each_row=partial(tell, sheet.key),
            )
            folder.write_done(request.out, sheet, cut)
        shown.add(sheet.domain.key, cut.patches)
        cuts.append(cut)
    return _finish(request, sheets, cuts, areas)


def _say_nothing(_what: str, _done: int, _of: int) -> None:
    """Nobody listens."""


def _finish(
    request: Request, sheets: Sequence[Sheet], cuts: Sequence[CutSheet], areas: dict[str, PlacedAreas]
) -> Curated:
    """Split what was cut, drop what lies between, and describe the rest."""
    patches = sorted((patch for cut in cuts for patch in cut.patches), key=lambda patch: patch.id)
    left_out = Counter[str]()
    for cut in cuts:
        left_out.update(cut.left_out)
    if not patches:
        folder.abandon(request.out)
        reasons = "; ".join(f"{number} {LEFT_OUT[reason]}" for reason, number in left_out.items())
        raise NothingToCut(
            f"of {left_out.total()} patches none is left: {reasons}",
            remedy="Check that labels, areas and orthophotos show the same ground (ogrinfo -so and gdalinfo"
            " tell their extents), or lower --min-labelled.",
        )
    if areas:
        guards = {sheet.key: _guard(sheet, request) for sheet in sheets}
        places = place_in_areas(patches, areas, guards=guards)
    else:
        places = place_in_blocks(patches, request.splitting)
    placed: list[tuple[Patch, Place]] = []
    for patch, place in zip(patches, places, strict=True):
        if place is not None:
            placed.append((patch, place))
            continue
        left_out["guard"] += 1
        for name in (patch.image, patch.labels):
            (request.out / name).unlink(missing_ok=True)
    if not placed:
        folder.abandon(request.out)
        raise NothingToCut(
            f"all {len(patches)} patches lie on ground of two splits, or within the guard",
            remedy="Draw larger blocks (--block-m), a narrower guard (--guard-m), or cut smaller patches.",
        )
    folder.require_whole(request.out, [patch for patch, _ in placed])
    summary = Summary.of(
        placed,
        left_out=dict(sorted((name, number) for name, number in left_out.items() if number)),
        splitting=request.splitting,
        is_licensed=request.licence != "other" or bool(request.credit),
    )
    _write(request, placed, {sheet.key: sheet for sheet in sheets}, summary)
    return Curated(out=request.out, summary=summary)


def _write(
    request: Request, placed: Sequence[tuple[Patch, Place]], sheets: dict[str, Sheet], summary: Summary
) -> None:
    texts = {
        TABLE_NAME: table(placed, sheets),
        "patches.geojson": json.dumps(outline(placed, sheets)) + "\n",
        "README.md": _readme(request, summary),
    }
    for name, text in texts.items():
        with appearing(request.out / name) as part:
            part.write_text(text, encoding="utf-8", newline="\n")
    files = catalogue(
        placed, sheets, name=request.out.resolve().name, licence=request.licence, credit=request.credit
    )
    for name, content in files:
        (request.out / name).write_text(folder.as_text(content), encoding="utf-8", newline="\n")


def _readme(request: Request, summary: Summary) -> str:
    lines = (
        "# A training set",
        "",
        f"{summary.num_patches} patches of {request.cut.patch_px} x {request.cut.patch_px} px, made by",
        "`orthoscape-train curate`. `metadata.csv` has a row for each, `catalog.json` is their STAC",
        "catalogue, `curation.json` tells what they were made of.",
        "",
        f"- Licence: {request.licence}",
        f"- Credit: {request.credit or 'not told'}",
        f"- Splits: {_how_split(request)}; patches of two splits are {request.splitting.guard_m:g} m apart",
        "  at least.",
        "",
        *summary.lines(),
    )
    return "\n".join(lines) + "\n"


def _how_split(request: Request) -> str:
    splitting = request.splitting
    if splitting.areas is not None:
        return f"by the areas of {splitting.areas.name}"
    return f"by blocks of {splitting.block_m:g} m of ground, drawn with seed {splitting.seed}"


def _annotations(request: Request, domain: str) -> Stacked:
    """Labels of a domain: its own first, then those of all.

    Raises:
        NothingToCut: It has none.
    """
    places = [place for key, place in request.labels if key == domain]
    places += [place for key, place in request.labels if key is None]
    if not places:
        raise NothingToCut(
            f"no labels are given for {domain}",
            remedy=f"Give --labels {domain}=PATH, or --labels PATH for all.",
        )
    return Stacked(layers=tuple(open_annotations(place) for place in places))


def _areas(request: Request, sheets: Sequence[Sheet]) -> dict[str, PlacedAreas]:
    """Areas in each reference system of the orthophotos; none where ground is drawn."""
    if request.splitting.areas is None:
        return {}
    areas = Areas.of(request.splitting.areas)
    wkts = {_crs(sheet): sheet.ortho.crs_wkt for sheet in sheets}
    return {name: areas.among(wkt) for name, wkt in wkts.items()}


def _why_not(sheet: Sheet, areas: dict[str, PlacedAreas], shown: Shown, request: Request) -> WhyNot:
    def why_not(bounds: Sequence[Box], degrees: Sequence[Box]) -> list[str | None]:
        taken = shown.has(sheet.domain.key, degrees)
        reasons: list[str | None] = ["other sheet" if is_taken else None for is_taken in taken]
        if not areas:
            return reasons
        told = areas[_crs(sheet)].splits_of(bounds, guard=_guard(sheet, request))
        return ["no area" if split is None else reason for split, reason in zip(told, reasons, strict=True)]

    return why_not


def _guard(sheet: Sheet, request: Request) -> float:
    """The guard in units of the sheet's reference system: metres of Mercator are not the ground's."""
    ortho = sheet.ortho
    return request.splitting.guard_m * max(1.0, ortho.transform[0] / ortho.gsd_m)


def _crs(sheet: Sheet) -> str:
    epsg = epsg_of(CRS.from_wkt(sheet.ortho.crs_wkt))
    return f"EPSG:{epsg}" if epsg is not None else sheet.ortho.crs_wkt


def _require_room(request: Request, sheets: Sequence[Sheet]) -> None:
    """Refuse patches that fit into no orthophoto, or into no block of ground.

    Raises:
        NothingToCut: No orthophoto is as large.
        RequestUnfit: No block is.
    """
    if not any(windows_of(sheet.ortho.extent, request.cut) for sheet in sheets):
        largest = max(min(sheet.ortho.extent.width, sheet.ortho.extent.height) for sheet in sheets)
        raise NothingToCut(
            f"no orthophoto has {request.cut.patch_px} px on both sides; the largest has {largest}",
            remedy=f"Cut smaller patches: --patch-px {largest // 32 * 32 or largest}.",
        )
    side_m = request.cut.patch_px * max(sheet.ortho.gsd_m for sheet in sheets)
    if request.splitting.areas is None and request.splitting.block_m < side_m:
        raise RequestUnfit(
            f"blocks of {request.splitting.block_m:g} m are smaller than a patch, of {side_m:g} m",
            remedy="Draw larger blocks (--block-m), or cut smaller patches (--patch-px).",
        )

"""An orthophoto cut into patches, each with the labels of its pixels.

Axes: C bands, H and W pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely

from service.rasters.transforms import apply
from service.rasters.windows import Window
from training.curation.patches import Patch, write_patch
from training.data.ground import Box, boxes
from training.data.orthos import reading
from training.data.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from training.curation.request import Cut
    from training.curation.sheets import Sheet
    from training.data.annotations import Annotations
    from training.data.orthos import Ortho, Reader

LEFT_OUT = {
    "few labels": "have too few labels",
    "other sheet": "show ground that another orthophoto of the domain shows already",
    "no area": "lie in no area, in several, or within the guard",
    "guard": "lie on ground of two splits, or within the guard",
}
"""Why a patch is left out."""
_MOST_TOGETHER = 16
"""Patches of a row that are read at once: stripes and tiles of a file are decoded once for all of them."""
_SAME_GROUND = 0.5
"""Share of a patch shown by another sheet of its domain, from which it is the same patch again."""


WhyNot = Callable[[Sequence[Box], Sequence[Box]], Sequence[str | None]]
"""Rectangles of a sheet's reference system and the same in degrees, to reasons of `LEFT_OUT`, or None."""


@dataclass(frozen=True, kw_only=True)
class CutSheet:
    """What a sheet gave."""

    patches: tuple[Patch, ...]
    left_out: dict[str, int]
    """Number of patches by the reason."""


@dataclass
class Shown:
    """Ground that patches of a domain show, as boxes in degrees."""

    ground: dict[str, list[Box]] = field(default_factory=dict)
    """By the domain's key."""

    def add(self, domain: str, patches: Sequence[Patch]) -> None:
        """Count the patches of a sheet in."""
        self.ground.setdefault(domain, []).extend(patch.box for patch in patches)

    def has(self, domain: str, wanted: Sequence[Box]) -> list[bool]:
        """Which boxes are mostly shown by other sheets."""
        known = self.ground.get(domain, [])
        if not known or not wanted:
            return [False] * len(wanted)
        shapes, shown = shapely.box(*np.array(wanted).T), shapely.box(*np.array(known).T)
        tree = shapely.STRtree(shown)
        told = []
        for shape in shapes:
            near = shown[tree.query(shape, predicate="intersects")]
            share = shapely.intersection(shape, shapely.union_all(near)).area / shape.area
            told.append(bool(share > _SAME_GROUND))
        return told


def windows_of(extent: Window, cut: Cut) -> list[Window]:
    """Patches from the upper left corner on, row by row, all whole.

    Where half a patch or more would be left at an edge, a last one ends there and overlaps its neighbour.
    """
    cols = _offsets(extent.width, cut)
    rows = _offsets(extent.height, cut)
    return [
        Window(extent.col_off + col, extent.row_off + row, cut.patch_px, cut.patch_px)
        for row in rows
        for col in cols
    ]


def cut_sheet(
    sheet: Sheet,
    annotations: Annotations,
    *,
    cut: Cut,
    out: Path,
    why_not: WhyNot,
    each_row: Callable[[int, int], None],
) -> CutSheet:
    """Write the patches of a sheet that have enough labels.

    Args:
        sheet: To cut.
        annotations: Labels of its domain.
        cut: How.
        out: Folder of the set.
        why_not: Tells what must not become a patch.
        each_row: Told how many patches are done, and of how many.
    """
    left_out: Counter[str] = Counter()
    windows = windows_of(sheet.ortho.extent, cut)
    bounds = [bounds_of(sheet.ortho, window) for window in windows]
    where = boxes(sheet.ortho.crs_wkt, bounds)
    chosen = []
    for window, box, reason in zip(windows, where, why_not(bounds, where), strict=True):
        if reason is None:
            chosen.append((window, box))
        else:
            left_out[reason] += 1
    patches: list[Patch] = []
    done = 0
    with reading([sheet.ortho], sheet.ortho.bands) as reader:
        for together in _rows(chosen):
            hull = _hull([window for window, _ in together])
            read = _read(sheet.ortho, reader, annotations, hull)
            for window, box in together:
                labels_HW = None if read is None else read[1][window.slices_in(hull)]
                share = 0.0 if labels_HW is None else float((labels_HW != IGNORED).mean())
                if read is None or labels_HW is None or share < cut.min_labelled:
                    left_out["few labels"] += 1
                    continue
                image_CHW = read[0][:, *window.slices_in(hull)]
                patches.append(write_patch(sheet, window, box, image_CHW, labels_HW, out=out))
            done += len(together)
            each_row(done, len(chosen))
    return CutSheet(patches=tuple(patches), left_out={name: n for name, n in sorted(left_out.items()) if n})


def bounds_of(ortho: Ortho, window: Window) -> Box:
    """Left, bottom, right, top of a window, in the orthophoto's reference system."""
    left, top = apply(ortho.transform, float(window.col_off), float(window.row_off))
    right, bottom = apply(ortho.transform, float(window.col_end), float(window.row_end))
    return left, bottom, right, top


def _read(
    ortho: Ortho, reader: Reader, annotations: Annotations, hull: Window
) -> (
    tuple[
        np.ndarray[tuple[int, int, int], np.dtype[np.uint8]], np.ndarray[tuple[int, int], np.dtype[np.uint8]]
    ]
    | None
):
    """Pixels and labels of some neighbouring patches; None where there is no label: pixels cost more."""
    labels_HW = annotations.on(
        ortho.transform_of(hull), shape=(hull.height, hull.width), crs_wkt=ortho.crs_wkt
    )
    if (labels_HW == IGNORED).all():
        return None
    image_CHW, is_valid_HW = reader.read(0, hull)
    return image_CHW, np.where(is_valid_HW, labels_HW, np.uint8(IGNORED))


def _offsets(length: int, cut: Cut) -> list[int]:
    offsets = list(range(0, length - cut.patch_px + 1, cut.stride_px))
    if offsets and cut.stride_px <= cut.patch_px and length - offsets[-1] - cut.patch_px >= cut.patch_px / 2:
        offsets.append(length - cut.patch_px)
    return offsets


def _rows(chosen: Sequence[tuple[Window, Box]]) -> Iterator[list[tuple[Window, Box]]]:
    """Patches of a row, some at a time."""
    together: list[tuple[Window, Box]] = []
    for each in chosen:
        is_new_row = together and together[0][0].row_off != each[0].row_off
        if is_new_row or len(together) == _MOST_TOGETHER:
            yield together
            together = []
        together.append(each)
    if together:
        yield together


def _hull(windows: Sequence[Window]) -> Window:
    return Window.between(
        row_off=windows[0].row_off,
        col_off=min(window.col_off for window in windows),
        row_end=windows[0].row_end,
        col_end=max(window.col_end for window in windows),
    )

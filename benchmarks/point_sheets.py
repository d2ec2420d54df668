"""Contact sheets of points for the eye: each point in its surroundings and close up, in both colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.point_rasters import LabelledRaster

U8 = np.typing.NDArray[np.uint8]

CELL_PX = 208
LABEL_PX = 18
GAP_PX = 4
_SHEET_SIDE_CELLS = 6
_WIDE_M, _WIDE_PX = 30, 128
_CLOSE_M, _CLOSE_PX = 6.4, 32
_ARM_PX = 16
_TRUE_CROSS, _FALSE_CROSS = (255, 0, 255), (0, 255, 255)


def draw_sheets(
    raster: LabelledRaster,
    folder: Path,
    places: Sequence[tuple[int, int]],
    out: Path,
) -> list[Path]:
    """Write the sheets of a raster's points, and one picture of the whole raster.

    Args:
        raster: Where the points lie.
        folder: Of the real data.
        places: Rows and columns, numbered from 1 on the sheets.
        out: Folder of the new files ``<stem>-whole.png``, ``<stem>-01.png``, ...

    Returns:
        The new files.
    """
    views = _views(raster.read(folder))
    wide_px, close_px = spans(raster.resolution(folder))
    per_row = _SHEET_SIDE_CELLS // 2
    num_rows = 4 if len(views) == 1 else 2
    written = [out / f"{raster.stem}-whole.png"]
    Image.fromarray(np.concatenate(views, axis=1)).save(written[0])
    for first in range(0, len(places), per_row * num_rows):
        shown = places[first : first + per_row * num_rows]
        width, height = 2 * CELL_PX + GAP_PX, len(views) * CELL_PX + LABEL_PX + GAP_PX
        sheet = Image.new("RGB", (per_row * width, -(-len(shown) // per_row) * height))
        for position, place in enumerate(shown):
            block = _block(views, place, spans_px=(wide_px, close_px), number=first + position + 1)
            sheet.paste(block, (position % per_row * width, position // per_row * height))
        written.append(out / f"{raster.stem}-{first // (per_row * num_rows) + 1:02d}.png")
        sheet.save(written[-1])
    return written


def spans(resolution_m: float) -> tuple[int, int]:
    """Sides of the wide and of the close crop, in pixels of the raster."""
    return (
        max(round(_WIDE_M / resolution_m), _WIDE_PX),
        max(round(_CLOSE_M / resolution_m), _CLOSE_PX),
    )


def _views(bands_CHW: U8) -> list[U8]:
    """True colour and, with near infrared, NIR-R-G (H, W, 3), each band stretched over the whole raster."""
    low_C, high_C = np.percentile(bands_CHW.reshape(len(bands_CHW), -1), (0.5, 99.5), axis=1)
    span_C = np.maximum(high_C - low_C, 1)
    scaled_CHW = (bands_CHW - low_C[:, None, None]) / span_C[:, None, None]
    stretched_CHW = (scaled_CHW.clip(0, 1) * 255).astype(np.uint8)
    choices = ([0, 1, 2], [3, 0, 1])[: len(bands_CHW) - 2]
    return [np.ascontiguousarray(np.moveaxis(stretched_CHW[choice], 0, -1)) for choice in choices]


def _block(views: list[U8], place: tuple[int, int], *, spans_px: tuple[int, int], number: int) -> Image.Image:
    """One point: its number, then a line of crops for each view, wide on the left and close on the right."""
    block = Image.new("RGB", (2 * CELL_PX, len(views) * CELL_PX + LABEL_PX))
    text = f"{number}   row {place[0]} col {place[1]}"
    ImageDraw.Draw(block).text((2, 1), text, fill="white", font=ImageFont.load_default(14))
    for line, view_HWC in enumerate(views):
        for column, span_px in enumerate(spans_px):
            cell = _crop(view_HWC, place, span_px, colour=(_TRUE_CROSS, _FALSE_CROSS)[line])
            block.paste(cell, (column * CELL_PX, LABEL_PX + line * CELL_PX))
    return block


def _crop(view_HWC: U8, place: tuple[int, int], span_px: int, *, colour: tuple[int, int, int]) -> Image.Image:
    """A square around a pixel, kept inside the raster; its cross is open so that the pixel itself is seen."""
    span_px = min(span_px, *view_HWC.shape[:2])
    starts = [
        min(max(at - span_px // 2, 0), side - span_px)
        for at, side in zip(place, view_HWC.shape[:2], strict=True)
    ]
    crop_HWC = view_HWC[starts[0] : starts[0] + span_px, starts[1] : starts[1] + span_px]
    zoom = CELL_PX / span_px
    filter_ = Image.Resampling.NEAREST if zoom >= 1 else Image.Resampling.BOX
    cell = Image.fromarray(crop_HWC).resize((CELL_PX, CELL_PX), filter_)
    y, x = (int((at - start + 0.5) * zoom) for at, start in zip(place, starts, strict=True))
    gap = max(round(zoom / 2) + 2, 5)
    pen = ImageDraw.Draw(cell)
    for sign in (-1, 1):
        near, far = sign * gap, sign * (gap + _ARM_PX)
        pen.line((x + near, y, x + far, y), fill=colour)
        pen.line((x, y + near, x, y + far), fill=colour)
    return cell

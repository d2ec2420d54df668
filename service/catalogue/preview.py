"""A picture of a map beside its image, with legend and scale: for eyes, not for measuring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from models.nomenclature import parse_colour
from service.catalogue.drawing import draw_legend
from service.catalogue.legends import FAINT, INK, RIM, LegendOptions, make_legend
from service.lettering import font_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.nomenclature import Nomenclature
    from service.catalogue.legends import Legend

U8 = np.typing.NDArray[np.uint8]

_NODATA_GREY = 236
_MARGIN_PX, _GAP_PX, _HEAD_PX, _FOOT_PX = 24, 12, 52, 34
_BAR_SHARE = 0.3
"""Most of the map's width that its scale bar takes."""
_BAR_PX = 5


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What is written around a picture."""

    title: str
    subtitle: str = ""
    metres_per_px: float | None = None
    """On the ground, of the picture's pixels; None draws no scale."""


def draw_preview(
    image_HW3: U8 | None,
    classes_HW: U8,
    nomenclature: Nomenclature,
    *,
    caption: Caption,
    pixel_counts: Mapping[int, int] | None = None,
    options: LegendOptions | None = None,
) -> Image.Image:
    """Set image and map side by side and name the classes that occur, largest first.

    Args:
        image_HW3: Red, green, blue; None where there is no image to show.
        classes_HW: Class values at the same size, 255 where there is none.
        nomenclature: Of the classes.
        caption: Written around.
        pixel_counts: Of the whole map, by class value; None counts what is shown, for a map under way. Of a
            large map that is an overview, whose shares are not the map's.
        options: Style, grouping, filter and language.
    """
    options = options or LegendOptions()
    if pixel_counts is None:
        counts = np.bincount(classes_HW.reshape(-1), minlength=256)[: nomenclature.nodata]
        pixel_counts = {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    legend = make_legend(
        nomenclature,
        LegendOptions(
            style=options.style,
            grouping=options.grouping,
            classes=options.classes,
            is_occurring_only=True,
            language=options.language,
        ),
        pixel_counts=pixel_counts,
    )
    panels = [Image.fromarray(_coloured(classes_HW, legend))]
    if image_HW3 is not None:
        panels.insert(0, Image.fromarray(image_HW3))
    return _page(panels, draw_legend(legend), caption)


def draw_thumbnail(
    classes_HW: U8, nomenclature: Nomenclature, *, side_px: int, options: LegendOptions | None = None
) -> Image.Image:
    """The middle of a map as a small square, without a word; transparent where there is no class.

    Args:
        classes_HW: Class values, 255 where there is none.
        nomenclature: Of the classes.
        side_px: Of the square.
        options: Style, grouping and filter.
    """
    legend = make_legend(nomenclature, options)
    opacity_HW1 = np.where(classes_HW == nomenclature.nodata, 0, 255).astype(np.uint8)[..., None]
    whole = Image.fromarray(np.concatenate([_coloured(classes_HW, legend), opacity_HW1], axis=2))
    side = min(whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    resampling = Image.Resampling.BOX if side > side_px else Image.Resampling.NEAREST
    return whole.resize((side_px, side_px), resampling, box=(left, top, left + side, top + side))


def _coloured(classes_HW: U8, legend: Legend) -> U8:
    colours_256x3 = np.full((256, 3), _NODATA_GREY, dtype=np.uint8)
    for entry in legend.entries:
        colours_256x3[list(entry.values)] = parse_colour(entry.colour)[:3]
    coloured_HW3: U8 = colours_256x3[classes_HW]
    return coloured_HW3


def _page(panels: list[Image.Image], legend: Image.Image, caption: Caption) -> Image.Image:
    width, height = panels[0].size
    title_font, small_font = font_of(21, "Semibold"), font_of(14)
    content_px = len(panels) * (width + _GAP_PX) + legend.width
    title_px = max(title_font.getlength(caption.title), small_font.getlength(caption.subtitle))
    page_width = 2 * _MARGIN_PX + max(content_px, int(title_px) + 1)
    top = _MARGIN_PX + _HEAD_PX
    page = Image.new("RGB", (page_width, top + max(height + _FOOT_PX, legend.height) + _MARGIN_PX), "white")
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN_PX, _MARGIN_PX + 18), caption.title, fill=INK, font=title_font, anchor="ls")
    draw.text((_MARGIN_PX, _MARGIN_PX + 38), caption.subtitle, fill=FAINT, font=small_font, anchor="ls")
    left = _MARGIN_PX
    for panel in panels:
        page.paste(panel, (left, top))
        draw.rectangle((left - 1, top - 1, left + width, top + height), outline=RIM)
        left += width + _GAP_PX
    page.paste(legend, (left, top - 12))  # the legend brings a margin of its own
    if caption.metres_per_px is not None:
        _draw_scale(draw, (_MARGIN_PX, top + height + _GAP_PX), width, caption.metres_per_px)
    return page


def _draw_scale(draw: ImageDraw.ImageDraw, place: tuple[int, int], width: int, metres_per_px: float) -> None:
    """A bar of a round length, half of it filled, with its length beside it."""
    length_m = round_length(width * _BAR_SHARE * metres_per_px)
    left, top = place
    length_px = max(2, round(length_m / metres_per_px))
    draw.rectangle((left, top, left + length_px, top + _BAR_PX), outline=INK, fill="white")
    draw.rectangle((left, top, left + length_px // 2, top + _BAR_PX), fill=INK)
    text = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    draw.text((left + length_px + 8, top + _BAR_PX + 2), text, fill=INK, font=font_of(13), anchor="ls")


def round_length(most: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not more than this."""
    power = 10.0 ** np.floor(np.log10(most))
    return float(max(step * power for step in (1, 2, 5) if step * power <= most * (1 + 1e-9)))

"""A picture of a map beside its image, with the legend: for eyes, not for measuring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from models.nomenclature import Nomenclature, PaletteStyle

U8 = np.typing.NDArray[np.uint8]

NODATA = 255
_NODATA_GREY = 236
_MARGIN_PX = 24
_SWATCH_PX = 18
_ROW_PX = 28
_LEGEND_PX = 300
_INK, _FAINT = (30, 34, 40), (110, 116, 124)


def draw_preview(
    image_HW3: U8,
    classes_HW: U8,
    nomenclature: Nomenclature,
    *,
    title: str,
    style: PaletteStyle = "cosia",
    language: Literal["en", "fr"] = "en",
) -> Image.Image:
    """Set image and map side by side and name the classes that occur, largest first.

    Args:
        image_HW3: Red, green, blue.
        classes_HW: Class values at the same size, 255 where there is none.
        nomenclature: Of the classes.
        title: Written above.
        style: Palette.
        language: Of the class names.
    """
    height, width = classes_HW.shape
    colours_256x3 = np.full((256, 3), _NODATA_GREY, dtype=np.uint8)
    for value, colour in nomenclature.palette(style).items():
        colours_256x3[value] = colour[:3]
    shares = _class_shares(classes_HW)
    page_height = _MARGIN_PX * 3 + max(height, _ROW_PX * len(shares)) + _ROW_PX
    page = Image.new("RGB", (2 * width + _LEGEND_PX + 4 * _MARGIN_PX, page_height), "white")
    top = _MARGIN_PX * 2 + _ROW_PX
    page.paste(Image.fromarray(image_HW3), (_MARGIN_PX, top))
    page.paste(Image.fromarray(colours_256x3[classes_HW]), (2 * _MARGIN_PX + width, top))
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN_PX, _MARGIN_PX), title, fill=_INK, font=ImageFont.load_default(20))
    left = 3 * _MARGIN_PX + 2 * width
    for row, (value, share) in enumerate(shares):
        land_cover = nomenclature.classes[value]
        y = top + row * _ROW_PX
        draw.rectangle(
            (left, y, left + _SWATCH_PX, y + _SWATCH_PX),
            fill=tuple(int(channel) for channel in colours_256x3[value]),
            outline=_FAINT,
        )
        name = land_cover.name_en if language == "en" else land_cover.cosia_name_fr
        draw.text((left + 28, y), name, fill=_INK, font=ImageFont.load_default(15))
        draw.text(
            (left + _LEGEND_PX - 8, y),
            f"{share:.1%}",
            fill=_FAINT,
            font=ImageFont.load_default(15),
            anchor="ra",
        )
    return page


def _class_shares(classes_HW: U8) -> list[tuple[int, float]]:
    """Class values that occur and their share of the pixels with a class, largest first."""
    counts = np.bincount(classes_HW.reshape(-1), minlength=256)[:NODATA]
    total = max(int(counts.sum()), 1)
    return [(int(value), int(counts[value]) / total) for value in np.argsort(-counts) if counts[value]]

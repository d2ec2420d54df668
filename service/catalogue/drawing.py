"""Legends drawn as pictures."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from service.catalogue.legends import (
    FAINT,
    FIGURE_SIZE_PX,
    INK,
    LABEL_SIZE_PX,
    MARGIN_PX,
    RIM,
    SWATCH_HEIGHT_PX,
    SWATCH_WIDTH_PX,
    TITLE_SIZE_PX,
    figure_of,
    label_left,
    legend_size,
    row_top,
)
from service.lettering import font_of

if TYPE_CHECKING:
    from service.catalogue.legends import Legend


def draw_legend(legend: Legend, *, scale: int = 1) -> Image.Image:
    """Draw a legend: title, swatches, labels, shares.

    Args:
        legend: What to draw.
        scale: Pixels of the picture a pixel of the page: 2 for dense screens. Letters and rims are drawn at
            that size, not enlarged.
    """
    width, height = legend_size(legend)
    page = Image.new("RGB", (width * scale, height * scale), "white")
    draw = ImageDraw.Draw(page)
    draw.text(
        (MARGIN_PX * scale, (MARGIN_PX + TITLE_SIZE_PX) * scale),
        legend.title,
        fill=INK,
        font=font_of(TITLE_SIZE_PX * scale, "Semibold"),
        anchor="ls",
    )
    for row, entry in enumerate(legend.entries):
        top = row_top(row) * scale
        box = (
            MARGIN_PX * scale,
            top,
            (MARGIN_PX + SWATCH_WIDTH_PX) * scale - 1,
            top + SWATCH_HEIGHT_PX * scale - 1,
        )
        draw.rectangle(box, fill=entry.colour, outline=RIM, width=scale)
        baseline = top + (SWATCH_HEIGHT_PX - 2) * scale
        font = font_of(LABEL_SIZE_PX * scale)
        draw.text((label_left() * scale, baseline), entry.label, fill=INK, font=font, anchor="ls")
        figure = figure_of(entry, legend.language)
        if figure is not None:
            right = (width - MARGIN_PX) * scale
            font = font_of(FIGURE_SIZE_PX * scale)
            draw.text((right, baseline), figure, fill=FAINT, font=font, anchor="rs")
    return page


def legend_png(legend: Legend, *, scale: int = 1) -> bytes:
    """The legend as PNG; see `draw_legend`."""
    file = io.BytesIO()
    draw_legend(legend, scale=scale).save(file, "PNG", optimize=True, dpi=(96 * scale, 96 * scale))
    return file.getvalue()

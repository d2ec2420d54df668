"""Legends: what each colour of a map means, as values, as JSON and as SVG.

`service.catalogue.drawing` draws the same legend as PNG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from service.catalogue.words import class_name, group_name, grouping_title, percent, word
from service.lettering import TYPEFACE, font_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.nomenclature import Nomenclature, PaletteStyle
    from service.catalogue.words import Language

MARGIN_PX, ROW_PX, TITLE_PX, SWATCH_WIDTH_PX, SWATCH_HEIGHT_PX = 12, 22, 30, 22, 14
"""Measures of a drawn legend, at the size of a screen's pixel."""
TITLE_SIZE_PX, LABEL_SIZE_PX, FIGURE_SIZE_PX = 16, 14, 13
INK, FAINT, RIM = "#1e2228", "#6e747c", "#8a9099"
_LABEL_GAP_PX, _FIGURE_GAP_PX = 9, 18
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """One colour and what it means."""

    key: str
    """Stable, in English snake case; of a group, its code."""
    label: str
    """In the language asked for."""
    colour: str
    """"#rrggbb"."""
    values: tuple[int, ...]
    """Class values of this colour."""
    num_px: int | None = None
    """Pixels of the map; None where they are not known yet."""
    share: float | None = None
    """Of the pixels with a class, 0-1."""


@dataclass(frozen=True, kw_only=True)
class Legend:
    """The legend of one map or nomenclature in one style and language."""

    title: str
    language: Language
    nomenclature: str
    style: PaletteStyle
    grouping: str | None
    nodata: int
    entries: tuple[LegendEntry, ...]


@dataclass(frozen=True, kw_only=True)
class LegendOptions:
    """How a legend is to look."""

    style: PaletteStyle = "cosia"
    grouping: str | None = None
    """Key of a grouping; None shows the classes themselves."""
    classes: frozenset[int] | None = None
    """Class values shown on the map; None for all."""
    is_occurring_only: bool = False
    """Leave out what the map does not hold, and set the largest first; needs counts."""
    language: Language = "en"


def make_legend(
    nomenclature: Nomenclature,
    options: LegendOptions | None = None,
    *,
    pixel_counts: Mapping[int, int] | None = None,
) -> Legend:
    """Tell what each colour means.

    Args:
        nomenclature: Of the map.
        options: Style, grouping, filter, language.
        pixel_counts: Pixels by class value, where known.

    Raises:
        NomenclatureUnknown: There is no such grouping.
    """
    options = options or LegendOptions()
    rows = _class_rows(nomenclature, options)
    title = word("land cover", options.language)
    if options.grouping is not None:
        title = grouping_title(nomenclature.grouping(options.grouping), options.language)
        rows = _group_rows(nomenclature, options)
    shown = [row for row in rows if options.classes is None or options.classes.intersection(row.values)]
    entries = shown if pixel_counts is None else _counted(shown, pixel_counts)
    if options.is_occurring_only and pixel_counts is not None:
        entries = sorted((row for row in entries if row.num_px), key=lambda row: -(row.num_px or 0))
    return Legend(
        title=title,
        language=options.language,
        nomenclature=nomenclature.id,
        style=options.style,
        grouping=options.grouping,
        nodata=nomenclature.nodata,
        entries=tuple(entries),
    )


def _class_rows(nomenclature: Nomenclature, options: LegendOptions) -> list[LegendEntry]:
    return [
        LegendEntry(
            key=land_cover.slug,
            label=class_name(land_cover, options.language),
            colour=getattr(land_cover, f"colour_{options.style}"),
            values=(land_cover.value,),
        )
        for land_cover in nomenclature.classes
    ]


def _group_rows(nomenclature: Nomenclature, options: LegendOptions) -> list[LegendEntry]:
    assert options.grouping is not None, "asked for by its key"
    return [
        LegendEntry(
            key=group.key,
            label=group_name(group, options.language),
            colour=group.colour,
            values=group.values,
        )
        for group in nomenclature.grouping(options.grouping).groups
    ]


def _counted(rows: Sequence[LegendEntry], pixel_counts: Mapping[int, int]) -> list[LegendEntry]:
    total = sum(pixel_counts.values())
    counts = [sum(pixel_counts.get(value, 0) for value in row.values) for row in rows]
    return [
        LegendEntry(
            key=row.key,
            label=row.label,
            colour=row.colour,
            values=row.values,
            num_px=count,
            share=count / total if total else 0.0,
        )
        for row, count in zip(rows, counts, strict=True)
    ]


def legend_json(legend: Legend) -> dict[str, Any]:
    """The legend as plain values."""
    return {
        "title": legend.title,
        "lang": legend.language,
        "nomenclature": legend.nomenclature,
        "style": legend.style,
        "group": legend.grouping,
        "nodata": legend.nodata,
        "entries": [
            {"key": entry.key, "label": entry.label, "color": entry.colour, "values": list(entry.values)}
            | ({} if entry.num_px is None else {"count": entry.num_px, "share": entry.share})
            for entry in legend.entries
        ],
    }


def legend_size(legend: Legend) -> tuple[int, int]:
    """Width and height of the drawn legend, in pixels at scale 1."""
    label_font, figure_font = font_of(LABEL_SIZE_PX), font_of(FIGURE_SIZE_PX)
    label_px = max((label_font.getlength(entry.label) for entry in legend.entries), default=0.0)
    figures = [figure_of(entry, legend.language) for entry in legend.entries]
    figure_px = max((figure_font.getlength(figure) for figure in figures if figure), default=0.0)
    row_px = SWATCH_WIDTH_PX + _LABEL_GAP_PX + label_px + (figure_px + _FIGURE_GAP_PX if figure_px else 0)
    title_px = font_of(TITLE_SIZE_PX, "Semibold").getlength(legend.title)
    width = 2 * MARGIN_PX + max(row_px, title_px)
    height = 2 * MARGIN_PX + TITLE_PX + ROW_PX * len(legend.entries) - (ROW_PX - SWATCH_HEIGHT_PX)
    return int(width) + 1, height


def row_top(row: int) -> int:
    """Where the swatch of a row begins, in pixels at scale 1."""
    return MARGIN_PX + TITLE_PX + row * ROW_PX


def label_left() -> int:
    """Where labels begin, in pixels at scale 1."""
    return MARGIN_PX + SWATCH_WIDTH_PX + _LABEL_GAP_PX


def figure_of(entry: LegendEntry, language: Language) -> str | None:
    """The share of an entry as it is written, or None."""
    return None if entry.share is None else percent(entry.share, language)


def legend_svg(legend: Legend) -> str:
    """The legend as an SVG document, with real text."""
    width, height = legend_size(legend)
    root = ET.Element(
        "svg",
        {
            "xmlns": _SVG,
            "width": str(width),
            "height": str(height),
            "viewBox": f"0 0 {width} {height}",
            "font-family": f"'{TYPEFACE}', 'Source Sans 3', 'Helvetica Neue', Arial, sans-serif",
            "fill": INK,
            "role": "img",
        },
    )
    ET.SubElement(root, "title").text = legend.title
    ET.SubElement(root, "rect", width="100%", height="100%", fill="#ffffff")
    _svg_text(root, legend.title, x=MARGIN_PX, y=MARGIN_PX + TITLE_SIZE_PX, size_px=TITLE_SIZE_PX, bold="600")
    for row, entry in enumerate(legend.entries):
        top = row_top(row)
        ET.SubElement(
            root,
            "rect",
            {
                "x": f"{MARGIN_PX + 0.5}",
                "y": f"{top + 0.5}",
                "width": str(SWATCH_WIDTH_PX - 1),
                "height": str(SWATCH_HEIGHT_PX - 1),
                "fill": entry.colour,
                "stroke": RIM,
            },
        )
        baseline = top + SWATCH_HEIGHT_PX - 2
        _svg_text(root, entry.label, x=label_left(), y=baseline, size_px=LABEL_SIZE_PX)
        figure = figure_of(entry, legend.language)
        if figure is not None:
            text = _svg_text(root, figure, x=width - MARGIN_PX, y=baseline, size_px=FIGURE_SIZE_PX)
            text.set("text-anchor", "end")
            text.set("fill", FAINT)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _svg_text(
    parent: ET.Element, text: str, *, x: float, y: float, size_px: int, bold: str = "400"
) -> ET.Element:
    element = ET.SubElement(
        parent, "text", {"x": str(x), "y": str(y), "font-size": str(size_px), "font-weight": bold}
    )
    element.text = text
    return element

"""The styles that a map can be shown in: the palettes of its nomenclature and its groupings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from models.nomenclature import PaletteStyle
from service.catalogue.words import grouping_title, style_title
from service.errors import RequestError

if TYPE_CHECKING:
    from models.nomenclature import Nomenclature
    from service.catalogue.words import Language

PALETTES: tuple[PaletteStyle, ...] = get_args(PaletteStyle)
CONFIDENCE, IMAGE = "confidence", "image"
"""What else of a map can be shown."""


class StyleUnknown(RequestError):
    """There is no style of that name."""


@dataclass(frozen=True, kw_only=True)
class StyleFacts:
    """One style: a palette of the classes, or a grouping in its own colours."""

    id: str
    title: str
    palette: PaletteStyle
    grouping: str | None


def styles_of(nomenclature: Nomenclature, language: Language) -> tuple[StyleFacts, ...]:
    """Every style of a nomenclature, the usual one first."""
    palettes = [
        StyleFacts(id=style, title=style_title(style, language), palette=style, grouping=None)
        for style in PALETTES
    ]
    groupings = [
        StyleFacts(
            id=grouping.key,
            title=grouping_title(grouping, language),
            palette=PALETTES[0],
            grouping=grouping.key,
        )
        for grouping in nomenclature.groupings
    ]
    return (*palettes, *groupings)


def find_style(nomenclature: Nomenclature, style_id: str) -> StyleFacts:
    """A style by its id.

    Raises:
        StyleUnknown: There is none of that id.
    """
    styles = {style.id: style for style in styles_of(nomenclature, "en")}
    if style_id not in styles:
        raise StyleUnknown(f"no style {style_id!r}", remedy=f"Styles: {', '.join(styles)}.")
    return styles[style_id]


def styles_json(nomenclature: Nomenclature, language: Language) -> list[dict[str, Any]]:
    """Every style as plain values."""
    return [
        {"id": style.id, "title": style.title, "style": style.palette, "group": style.grouping}
        for style in styles_of(nomenclature, language)
    ]

"""Words of the catalogue in its two languages; class names come from the nomenclature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from models.nomenclature import ClassGroup, Grouping, LandCoverClass, PaletteStyle

Language = Literal["en", "fr"]

_WORDS: dict[str, dict[Language, str]] = {
    "land cover": {"en": "Land cover", "fr": "Couverture du sol"},
    "confidence": {"en": "Confidence", "fr": "Confiance"},
    "image": {"en": "Image", "fr": "Image"},
    "no class": {"en": "No class", "fr": "Sans classe"},
    "cosia": {"en": "CoSIA colours", "fr": "Couleurs de CoSIA"},
    "flair": {"en": "FLAIR colours", "fr": "Couleurs de FLAIR"},
    "cvd": {"en": "Colour-blind-safe colours", "fr": "Couleurs pour daltoniens"},
    "by": {"en": "by", "fr": "par"},
}


def word(key: str, language: Language) -> str:
    """A word of the catalogue.

    Raises:
        KeyError: There is no such word.
    """
    return _WORDS[key][language]


def class_name(land_cover: LandCoverClass, language: Language) -> str:
    """The name of a class as a label: CoSIA's own in French."""
    return _capitalised(land_cover.name_en if language == "en" else land_cover.cosia_name_fr)


def group_name(group: ClassGroup, language: Language) -> str:
    """The name of a group as a label."""
    return _capitalised(group.name_en if language == "en" else group.name_fr)


def grouping_title(grouping: Grouping, language: Language) -> str:
    """The title of a grouping."""
    return grouping.title_en if language == "en" else grouping.title_fr


def style_title(style: PaletteStyle, language: Language) -> str:
    """The title of a palette."""
    return word(style, language)


def percent(share: float, language: Language) -> str:
    """A share of 0-1 in percent with one digit, as the language writes it; a dash for none."""
    if share == 0:
        return "\u2013"
    if 0 < share < 0.0005:
        return "< 0,1\u202f%" if language == "fr" else "< 0.1%"
    text = f"{share * 100:.1f}"
    # French sets a narrow no-break space before the sign.
    return text.replace(".", ",") + "\u202f%" if language == "fr" else text + "%"


def _capitalised(name: str) -> str:
    return name[:1].upper() + name[1:]

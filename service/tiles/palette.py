"""Colours of tiles: from pixel values to the entries of a PNG's palette."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.nomenclature import parse_colour
from service.tiles.coverage import VEIL
from service.tiles.errors import TileStyleInvalid

if TYPE_CHECKING:
    from models.nomenclature import Nomenclature, PaletteStyle

U8 = np.typing.NDArray[np.uint8]
Product = Literal["classes", "confidence"]
_VEIL_COLOUR = (214, 217, 222)
"""Of what is done and not looked at: a light grey that no style has."""

_RAMP: tuple[tuple[int, str], ...] = (
    (0, "#67001f"),
    (40, "#d6604d"),
    (60, "#f7d9c4"),
    (80, "#7fb8da"),
    (100, "#053061"),
)
"""Percent and colour, between which confidence is coloured: red doubtful, blue sure; told apart under every
kind of colour blindness (after ColorBrewer's RdBu)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TileStyle:
    """How a tile is to look.

    Raises:
        TileStyleInvalid: The least confidence is no percentage.
    """

    palette_style: PaletteStyle = "cosia"
    grouping: str | None = None
    """Key of a grouping of the nomenclature; its colours replace those of the classes."""
    classes: frozenset[int] | None = None
    """Class values to show; None for all."""
    min_confidence: int | None = None
    """Pixels less sure than this, in percent, are left out."""
    product: Product = "classes"

    def __post_init__(self) -> None:
        if self.min_confidence is not None and not 0 <= self.min_confidence <= 100:
            raise TileStyleInvalid(
                f"min_confidence is {self.min_confidence}", remedy="Give a percentage, 0 to 100."
            )


@dataclass(frozen=True, kw_only=True)
class ColourTable:
    """Colours by number, and the number of each pixel value; number 0 is transparent."""

    number_of_256: U8
    """Colour number by pixel value."""
    colours_N3: U8
    """Red, green, blue by colour number."""


def colour_table(style: TileStyle, nomenclature: Nomenclature) -> ColourTable:
    """The colours of a style.

    Raises:
        NomenclatureUnknown: The nomenclature has no such grouping.
        TileStyleInvalid: It has no such class.
    """
    if style.product == "confidence":
        return _confidence_table()
    return _class_table(nomenclature, style.palette_style, style.grouping, style.classes)


@lru_cache(maxsize=512)
def _class_table(
    nomenclature: Nomenclature,
    palette_style: PaletteStyle,
    grouping: str | None,
    classes: frozenset[int] | None,
) -> ColourTable:
    values = [land_cover.value for land_cover in nomenclature.classes]
    unknown = sorted((classes or frozenset()) - set(values))
    if unknown:
        raise TileStyleInvalid(
            f"{nomenclature.id} has no class {', '.join(map(str, unknown))}",
            remedy=f"Classes go from {values[0]} to {values[-1]}.",
        )
    colour_of = nomenclature.palette(palette_style)
    if grouping is not None:
        groups = nomenclature.grouping(grouping).groups
        colour_of = {value: parse_colour(group.colour) for group in groups for value in group.values}
    shown = {value: colour_of[value][:3] for value in values if classes is None or value in classes}
    return _table(shown)


@lru_cache(maxsize=1)
def _confidence_table() -> ColourTable:
    stops = [stop for stop, _ in _RAMP]
    channels = np.array([parse_colour(colour)[:3] for _, colour in _RAMP]).T
    percents = np.arange(101)
    ramp_N3 = np.rint([np.interp(percents, stops, channel) for channel in channels]).astype(int).T
    return _table({percent: (int(r), int(g), int(b)) for percent, (r, g, b) in enumerate(ramp_N3)})


def _table(colour_of: dict[int, tuple[int, int, int]]) -> ColourTable:
    """Number the colours that occur, from 1, in the order of the values."""
    colour_of = colour_of | {VEIL: _VEIL_COLOUR}
    colours = list(dict.fromkeys(colour_of.values()))
    number_of_256 = np.zeros(256, dtype=np.uint8)
    for value, colour in colour_of.items():
        number_of_256[value] = 1 + colours.index(colour)
    return ColourTable(
        number_of_256=number_of_256,
        colours_N3=np.array([(0, 0, 0), *colours], dtype=np.uint8),
    )

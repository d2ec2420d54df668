"""The sixteen land covers of the generator, by value of the CoSIA nomenclature."""

from enum import IntEnum

NODATA = 255
"""Class of a pixel without image; never 0, which is building."""


class Cover(IntEnum):
    """Values of the class raster, in FLAIR-HUB order."""

    BUILDING = 0
    GREENHOUSE = 1
    SWIMMING_POOL = 2
    IMPERVIOUS = 3
    PERVIOUS = 4
    BARE_SOIL = 5
    WATER = 6
    SNOW = 7
    HERBACEOUS = 8
    AGRICULTURAL = 9
    PLOWED = 10
    VINEYARD = 11
    DECIDUOUS = 12
    CONIFEROUS = 13
    BRUSHWOOD = 14
    CLEAR_CUT = 15


GROUND_COVERS = (
    Cover.SWIMMING_POOL,
    Cover.IMPERVIOUS,
    Cover.PERVIOUS,
    Cover.BARE_SOIL,
    Cover.WATER,
    Cover.SNOW,
    Cover.HERBACEOUS,
    Cover.PLOWED,
)
"""Covers whose height above ground is written as zero (cars and heaps only cast shadows)."""

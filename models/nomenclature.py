"""Class schemes: the values in a class raster, their names, codes elsewhere, colours and groupings.

The one scheme so far is CoSIA's 16 classes in the order of FLAIR-HUB. Tables of names, codes and colours come
from the published files of IGN: FLAIR-HUB's QGIS styles and README, FLAIR-1's README, the CoSIA GeoPackages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from models.errors import NomenclatureUnknown

PaletteStyle = Literal["cosia", "flair", "cvd"]
"""CoSIA's own colours, FLAIR's, or the ones told apart under every kind of colour blindness."""

RGBA = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class LandCoverClass:
    """One class: the value that pixels carry, and what it is called and coloured elsewhere."""

    value: int
    """Value in class rasters, 0-based, in FLAIR-HUB's order."""
    name_en: str
    name_fr: str
    """French name as FLAIR-HUB writes it."""
    cosia_name_fr: str
    """``classe`` of the CoSIA GeoPackages."""
    cosia_numero: int | None
    """``numero`` of the CoSIA GeoPackages; None where published sources disagree."""
    flair_code: int
    """Pixel value in the masks of FLAIR #1 and #2."""
    colour_cosia: str
    """"#rrggbb"."""
    colour_flair: str
    colour_cvd: str

    @property
    def slug(self) -> str:
        """The English name as a key for JSON and files: ``swimming_pool``."""
        return self.name_en.replace(" ", "_")


@dataclass(frozen=True, kw_only=True)
class ClassGroup:
    """Several classes that count as one."""

    key: str
    name_en: str
    name_fr: str
    values: tuple[int, ...]
    colour: str
    """"#rrggbb"."""


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """A partition of a nomenclature: each class is in exactly one group."""

    key: str
    title_en: str
    title_fr: str
    groups: tuple[ClassGroup, ...]

    def group_of(self, value: int) -> ClassGroup:
        """The group that holds a class value.

        Raises:
            KeyError: No group holds it.
        """
        for group in self.groups:
            if value in group.values:
                return group
        raise KeyError(value)


@dataclass(frozen=True, kw_only=True)
class Nomenclature:
    """A class scheme.

    Raises:
        ValueError: Values are not 0..n-1 in order, nodata is one of them, or a grouping is no partition.
    """

    id: str
    classes: tuple[LandCoverClass, ...]
    groupings: tuple[Grouping, ...]
    nodata: int = 255
    """Value of pixels without a class; never 0, which is a class."""

    def __post_init__(self) -> None:
        values = tuple(land_cover.value for land_cover in self.classes)
        if values != tuple(range(len(values))):
            raise ValueError(f"class values must be 0..n-1 in order, got {values}")
        if self.nodata in values:
            raise ValueError(f"nodata {self.nodata} is a class value")
        for grouping in self.groupings:
            grouped = sorted(value for group in grouping.groups for value in group.values)
            if grouped != list(values):
                raise ValueError(f"grouping {grouping.key} is no partition of the classes: {grouped}")

    def palette(self, style: PaletteStyle = "cosia") -> dict[int, RGBA]:
        """Class value to opaque red, green, blue, alpha (0-255); nodata is left to the caller."""
        return {
            land_cover.value: parse_colour(getattr(land_cover, f"colour_{style}"))
            for land_cover in self.classes
        }

    def grouping(self, key: str) -> Grouping:
        """A grouping by its key.

        Raises:
            NomenclatureUnknown: There is none of that key.
        """
        for grouping in self.groupings:
            if grouping.key == key:
                return grouping
        known = ", ".join(grouping.key for grouping in self.groupings)
        raise NomenclatureUnknown(
            f"{self.id} has no grouping {key!r}", remedy=f"Groupings of {self.id}: {known}."
        )

    def by_slug(self, slug: str) -> LandCoverClass:
        """A class by its English key.

        Raises:
            KeyError: No class is called so.
        """
        for land_cover in self.classes:
            if land_cover.slug == slug:
                return land_cover
        raise KeyError(slug)


def parse_colour(colour: str) -> RGBA:
    """``#rrggbb`` as opaque red, green, blue, alpha (0-255)."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return (red, green, blue, 255)


# value, English, French (FLAIR-HUB), French (CoSIA), CoSIA numero, FLAIR code, then the colours of CoSIA, of
# FLAIR, and colour-blind-safe. `numero` 1-15 agree in all sources; the sixteenth is "Coupe" in some,
# "Autre" in others, so it is None here and readers of CoSIA files go by `classe`.
_COSIA_ROWS: tuple[tuple[int, str, str, str, int | None, int, str, str, str], ...] = (
    (0, "building", "batiment", "Bâtiment", 1, 1, "#ce7079", "#db0e9a", "#6a0000"),
    (1, "greenhouse", "serre", "Serre", 15, 18, "#b9e2d4", "#9999ff", "#77e2fc"),
    (2, "swimming pool", "piscine", "Piscine", 4, 13, "#62d0ff", "#3de6eb", "#32a4dc"),
    (3, "impervious surface", "zone imperméable", "Zone imperméable", 3, 3, "#a6aab7", "#f80c00", "#a1798e"),
    (4, "pervious surface", "zone perméable", "Zone perméable", 2, 2, "#987752", "#938e7b", "#73383b"),
    (5, "bare soil", "sol nu", "Sol nu", 5, 4, "#bbb096", "#a97101", "#e2b7bc"),
    (6, "water", "eau", "Surface eau", 6, 5, "#3375a1", "#1553ae", "#18438e"),
    (7, "snow", "neige", "Neige", 7, 14, "#e9effe", "#ffffff", "#ffffff"),
    (8, "herbaceous vegetation", "surface herbacée", "Pelouse", 12, 10, "#8cd76a", "#55ff00", "#afff86"),
    (9, "agricultural land", "culture", "Culture", 13, 11, "#decf55", "#fff30d", "#c7d905"),
    (10, "plowed land", "terre labourée", "Terre labourée", 14, 12, "#d0a349", "#e4df7c", "#ec8733"),
    (11, "vineyard", "vigne", "Vigne", 11, 9, "#b08290", "#660082", "#8656d7"),
    (12, "deciduous", "feuillu", "Feuillu", 9, 7, "#4c9129", "#46e483", "#4b8c4f"),
    (13, "coniferous", "conifère", "Conifère", 8, 6, "#126421", "#194a26", "#051818"),
    (14, "brushwood", "broussaille", "Broussaille", 10, 8, "#b5c335", "#f3a60d", "#646605"),
    (15, "clear cut", "coupe", "Coupe", None, 15, "#e48e4d", "#8ab3a0", "#ffa58e"),
)

_SEALED = Grouping(
    key="sealed",
    title_en="Sealed ground",
    title_fr="Sols imperméabilisés",
    groups=(
        # Water cannot soak through a greenhouse's cover or a pool's basin, whatever lies beneath.
        ClassGroup(
            key="sealed", name_en="sealed", name_fr="imperméable", values=(0, 1, 2, 3), colour="#b2182b"
        ),
        ClassGroup(
            key="unsealed",
            name_en="unsealed",
            name_fr="non imperméable",
            values=(4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            colour="#a6d96a",
        ),
    ),
)

_COVER = Grouping(
    key="cover",
    title_en="Vegetation, mineral, water",
    title_fr="Végétation, minéral, eau",
    groups=(
        # Ploughed land and clear cuts are vegetation between two stands, as in OCS GE.
        ClassGroup(
            key="vegetation",
            name_en="vegetation",
            name_fr="végétation",
            values=(8, 9, 10, 11, 12, 13, 14, 15),
            colour="#4c9129",
        ),
        ClassGroup(
            key="mineral", name_en="mineral", name_fr="minéral", values=(0, 1, 3, 4, 5), colour="#a6aab7"
        ),
        ClassGroup(key="water", name_en="water", name_fr="eau", values=(2, 6, 7), colour="#3375a1"),
    ),
)

# After the cover codes of OCS GE (IGN). "Like": OCS GE has minimum areas and uses that a pixel does not know;
# it keeps pools with unbuilt sealed ground and clear cuts with the woody formations that grow back.
_OCS_GE = Grouping(
    key="ocsge",
    title_en="OCS GE-like cover",
    title_fr="Couverture façon OCS GE",
    groups=(
        ClassGroup(key="CS1.1.1.1", name_en="built", name_fr="zones bâties", values=(0, 1), colour="#ff377a"),
        ClassGroup(
            key="CS1.1.1.2",
            name_en="sealed, not built",
            name_fr="zones non bâties",
            values=(2, 3),
            colour="#ff9191",
        ),
        ClassGroup(
            key="CS1.1.2.1",
            name_en="mineral materials",
            name_fr="zones à matériaux minéraux",
            values=(4,),
            colour="#ffff99",
        ),
        ClassGroup(key="CS1.2.1", name_en="bare ground", name_fr="sols nus", values=(5,), colour="#cccccc"),
        ClassGroup(key="CS1.2.2", name_en="water", name_fr="surfaces d'eau", values=(6,), colour="#00ccf2"),
        ClassGroup(
            key="CS1.2.3", name_en="snow and ice", name_fr="névés et glaciers", values=(7,), colour="#a6e6cc"
        ),
        ClassGroup(
            key="CS2.1.1.1", name_en="deciduous trees", name_fr="feuillus", values=(12,), colour="#80ff00"
        ),
        ClassGroup(
            key="CS2.1.1.2", name_en="coniferous trees", name_fr="conifères", values=(13,), colour="#00a600"
        ),
        ClassGroup(
            key="CS2.1.2",
            name_en="shrubs",
            name_fr="formations arbustives",
            values=(14, 15),
            colour="#a6ff80",
        ),
        ClassGroup(
            key="CS2.1.3",
            name_en="other woody formations",
            name_fr="autres formations ligneuses",
            values=(11,),
            colour="#e68000",
        ),
        ClassGroup(
            key="CS2.2.1",
            name_en="herbaceous formations",
            name_fr="formations herbacées",
            values=(8, 9, 10),
            colour="#ccf24d",
        ),
    ),
)

COSIA = Nomenclature(
    id="cosia-16",
    classes=tuple(
        LandCoverClass(
            value=value,
            name_en=name_en,
            name_fr=name_fr,
            cosia_name_fr=cosia_name_fr,
            cosia_numero=cosia_numero,
            flair_code=flair_code,
            colour_cosia=colour_cosia,
            colour_flair=colour_flair,
            colour_cvd=colour_cvd,
        )
        for (
            value,
            name_en,
            name_fr,
            cosia_name_fr,
            cosia_numero,
            flair_code,
            colour_cosia,
            colour_flair,
            colour_cvd,
        ) in _COSIA_ROWS
    ),
    groupings=(_SEALED, _COVER, _OCS_GE),
)
"""CoSIA's 16 classes in FLAIR-HUB's order, 0 building … 15 clear cut; nodata 255."""

NOMENCLATURES: Mapping[str, Nomenclature] = MappingProxyType({COSIA.id: COSIA})


def get_nomenclature(nomenclature_id: str) -> Nomenclature:
    """The class scheme of an id.

    Raises:
        NomenclatureUnknown: This version does not carry it.
    """
    try:
        return NOMENCLATURES[nomenclature_id]
    except KeyError:
        known = ", ".join(NOMENCLATURES)
        raise NomenclatureUnknown(
            f"unknown nomenclature {nomenclature_id!r}", remedy=f"Known nomenclatures: {known}."
        ) from None

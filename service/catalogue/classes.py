"""Class schemes as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.catalogue.styles import PALETTES
from service.catalogue.words import class_name, group_name, grouping_title

if TYPE_CHECKING:
    from models.nomenclature import Nomenclature
    from service.catalogue.words import Language


def nomenclature_json(nomenclature: Nomenclature, language: Language) -> dict[str, Any]:
    """All of a class scheme.

    Args:
        nomenclature: The scheme.
        language: Of ``label``; names in both languages are told besides.
    """
    return {
        "id": nomenclature.id,
        "nodata": nomenclature.nodata,
        "classes": [
            {
                "value": land_cover.value,
                "key": land_cover.slug,
                "label": class_name(land_cover, language),
                "name_en": land_cover.name_en,
                "name_fr": land_cover.name_fr,
                "cosia": {"classe": land_cover.cosia_name_fr, "numero": land_cover.cosia_numero},
                "flair_code": land_cover.flair_code,
                "colors": {style: getattr(land_cover, f"colour_{style}") for style in PALETTES},
            }
            for land_cover in nomenclature.classes
        ],
        "groupings": [
            {
                "key": grouping.key,
                "title": grouping_title(grouping, language),
                "groups": [
                    {
                        "key": group.key,
                        "label": group_name(group, language),
                        "values": list(group.values),
                        "color": group.colour,
                    }
                    for group in grouping.groups
                ],
            }
            for grouping in nomenclature.groupings
        ],
    }

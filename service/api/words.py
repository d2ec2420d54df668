"""Titles in English and French."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.api.asking import Language

_WEIGHED = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")

LINK_TITLES: dict[str, tuple[str, str]] = {
    "self": ("This job", "Ce traitement"),
    "events": ("What happens, as it happens", "Ce qui se passe, en direct"),
    "logs": ("What happened", "Ce qui s'est passé"),
    "blocks": ("Its blocks", "Ses blocs"),
    "cancel": ("Stop it (DELETE)", "L'arrêter (DELETE)"),
    "resume": ("Go on (POST)", "Le reprendre (POST)"),
    "map": ("The map", "La carte"),
    "tilejson": ("Tiles, described", "Les tuiles, décrites"),
    "xyz": ("Tiles of the classes", "Tuiles des classes"),
    "image_xyz": ("Tiles of the image", "Tuiles de l'image"),
    "wmts": ("For GIS programs", "Pour les SIG"),
    "landcover": ("Classes, as GeoTIFF", "Classes, en GeoTIFF"),
    "confidence": ("Confidence in percent, as GeoTIFF", "Confiance en pour cent, en GeoTIFF"),
    "style": ("Style for QGIS", "Style pour QGIS"),
    "sheets": ("Its sheets and their files", "Ses dalles et leurs fichiers"),
    "legend": ("Legend", "Légende"),
    "preview": ("A picture of the map", "Un aperçu de la carte"),
    "thumbnail": ("A small picture of the map, for lists", "Une vignette de la carte, pour les listes"),
    "item": ("STAC item", "Item STAC"),
    "stats": ("How much of what", "Combien de quoi"),
    "job": ("The job that makes it", "Le traitement qui la produit"),
    "upload": ("This upload", "Ce fichier"),
    "example": ("Map the example (POST)", "Cartographier l'exemple (POST)"),
    "next": ("Older ones", "Plus anciens"),
}
"""Of links, by their name."""


def preferred_language(accept: str | None) -> Language:
    """The language that a request's Accept-Language asks for; English where it asks for neither."""
    weights = {"en": 0.0, "fr": 0.0}
    for part in (accept or "").split(","):
        found = _WEIGHED.fullmatch(part)
        if found and found[1].lower() in weights:
            name = found[1].lower()
            weights[name] = max(weights[name], float(found[2] or 1))
    return "fr" if weights["fr"] > weights["en"] else "en"


def link_title(name: str, language: Language) -> str:
    """What is behind a link."""
    return LINK_TITLES[name][language == "fr"]


def job_title(names: Sequence[str], language: Language) -> str:
    """What a job is called that was given no title."""
    what = names[0] if len(names) == 1 else f"{names[0]} (+{len(names) - 1})"
    return f"Couverture du sol de {what}" if language == "fr" else f"Land cover of {what}"

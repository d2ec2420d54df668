"""Whose the real data sets are, and under which terms weights trained on them may be passed on."""

from collections.abc import Mapping
from types import MappingProxyType

CREDITS: Mapping[str, str] = MappingProxyType(
    {
        "curated": "a set of one's own, made by `orthoscape-train curate`; its README says whose it is.",
        "dubai": (
            "*Semantic segmentation of aerial imagery*: imagery of the Mohammed Bin Rashid Space Centre"
            " (MBRSC), Dubai, labelled by Humans in the Loop. CC0 1.0."
        ),
        **dict.fromkeys(
            ("flair1", "flair2", "flair_hub"),
            "*FLAIR*: aerial imagery and land cover of the Institut national de l'information géographique et"
            " forestière (IGN). Licence Ouverte 2.0 (etalab-2.0): name the source, IGN.",
        ),
        "naip": (
            "imagery of the National Agriculture Imagery Program (NAIP), U.S. Department of Agriculture:"
            " public domain; land cover of the Chesapeake Conservancy and the U.S. Geological Survey:"
            " CC0 1.0."
        ),
        "treesatai": (
            "*TreeSatAI Benchmark Archive*: aerial imagery and genera of forest in Lower Saxony. CC BY 4.0;"
            " which pixels are trees was told here, by their colours."
        ),
    }
)
"""By the name that a recipe gives a data set; a card must not be written without."""

"""Bands by role: which band of a file is red, green, blue, near infrared, height."""

import re
from pathlib import PurePath
from typing import Literal, get_args

from service.rasters.errors import AmbiguousBands, BandMismatch
from service.rasters.facts import BandFacts, RasterFacts

Role = Literal["red", "green", "blue", "nir", "height"]
ROLES: tuple[str, ...] = get_args(Role)

PRESETS: dict[str, tuple[str, ...]] = {
    "RGB": ("red", "green", "blue"),
    "RGBI": ("red", "green", "blue", "nir"),
    "IRC": ("nir", "red", "green"),
}
"""IRC is IGN's false-colour product: near infrared, red, green, in this order."""
_COLOURS = {"red": 1, "green": 2, "blue": 3}
_FALSE_COLOURS = {role: index for index, role in enumerate(PRESETS["IRC"], start=1)}

WORDS: dict[str, str] = {
    "r": "red",
    "red": "red",
    "rouge": "red",
    "g": "green",
    "v": "green",
    "green": "green",
    "vert": "green",
    "b": "blue",
    "blue": "blue",
    "bleu": "blue",
    "i": "nir",
    "ir": "nir",
    "pir": "nir",
    "nir": "nir",
    "near infrared": "nir",
    "nearinfrared": "nir",
    "infrared": "nir",
    "h": "height",
    "e": "height",
    "height": "height",
}
"""Letters and words, lower case, English and French, as options and band descriptions use them."""

_SKIPPED = frozenset({"-", "_", "alpha", "skip"})


def resolve_bands(
    facts: RasterFacts, wanted_roles: tuple[str, ...], bands_option: str = "auto"
) -> dict[str, int]:
    """Tell which band of the file plays which role.

    Args:
        facts: The raster.
        wanted_roles: Roles that the model reads, in its order.
        bands_option: "auto", a preset ("RGB", "RGBI", "IRC"), or one role per band of the file, in
            the file's order ("nir,red,green,blue", "I,R,G,B"; "-" skips a band).

    Returns:
        1-based band index of every wanted role, in the order wanted.

    Raises:
        BandMismatch: A wanted role is missing; the message names it.
        AmbiguousBands: Nothing says which band is which, or the option does not fit the file.
    """
    found = known_roles(facts, bands_option)
    if any(role not in found for role in wanted_roles):
        raise BandMismatch(
            expected=wanted_roles, found=tuple(found), remedy=_remedy(facts, wanted_roles, found)
        )
    return {role: found[role] for role in wanted_roles}


def known_roles(facts: RasterFacts, bands_option: str = "auto") -> dict[str, int]:
    """Tell the role of every band of the file that has one.

    Bands of false-colour images call themselves red, green, blue: where a name says IRC, it is believed.

    Raises:
        AmbiguousBands: Nothing says which band is which, or the option does not fit the file.
    """
    if bands_option.strip().lower() != "auto":
        return _from_option(facts, bands_option)
    by_colour = _unique({band.index: band.colour for band in facts.bands if band.colour in ROLES})
    by_text = _unique({band.index: _described(band) for band in facts.bands})
    if by_colour and by_text and any(by_text.get(role, index) != index for role, index in by_colour.items()):
        # GDAL calls most first three bands red, green, blue; a description was written by someone
        return by_text
    plain = [band for band in facts.bands if band.colour in ("undefined", "gray")]
    is_plain = len(plain) == len(facts.bands) == len(_COLOURS)
    if not by_text and (is_plain or by_colour == _COLOURS):
        return dict(_FALSE_COLOURS if says_irc(facts.path) else _COLOURS)
    if by_colour or by_text:
        return by_text | by_colour
    if len(facts.bands) == 1:
        return {}
    raise AmbiguousBands(
        f"{facts.path}: nothing says which of its {len(facts.bands)} bands is which",
        remedy="say it: --bands RGBI (red, green, blue, near infrared) or, band by band, --bands I,R,G,B",
    )


def _from_option(facts: RasterFacts, option: str) -> dict[str, int]:
    preset = PRESETS.get(option.strip().upper())
    words = list(preset) if preset else [word.strip().lower() for word in option.split(",")]
    unknown = [word for word in words if word not in WORDS and word not in _SKIPPED]
    if unknown:
        raise AmbiguousBands(
            f"--bands {option}: {', '.join(unknown)} is no role",
            remedy=f"use auto, {', '.join(PRESETS)}, or a role per band: {', '.join(ROLES)} (R, G, B, I, H)",
        )
    if len(words) > len(facts.bands):
        raise AmbiguousBands(
            f"--bands {option} names {len(words)} bands, {facts.path} has {len(facts.bands)}",
            remedy="name as many bands as the file has, or use --bands auto",
        )
    roles = [WORDS.get(word) for word in words]
    named = [role for role in roles if role]
    if len(set(named)) < len(named):
        raise AmbiguousBands(f"--bands {option} names a role twice", remedy="name each role once")
    return {role: index for index, role in enumerate(roles, start=1) if role}


def _described(band: BandFacts) -> str | None:
    return WORDS.get((band.description or "").strip().lower())


def says_irc(path: str | PurePath) -> bool:
    """Whether a file's name has the word IRC."""
    return "irc" in re.split(r"[^a-z]+", PurePath(path).stem.lower())


def _unique(role_of_band: dict[int, str | None]) -> dict[str, int]:
    """Turn band -> role around, leaving out roles that two bands claim."""
    roles = [role for role in role_of_band.values() if role]
    return {role: index for index, role in role_of_band.items() if role and roles.count(role) == 1}


def _remedy(facts: RasterFacts, wanted: tuple[str, ...], found: dict[str, int]) -> str:
    missing = [role for role in wanted if role not in found]
    if len(facts.bands) == 1 and {"red", "green", "blue"} <= set(missing):
        return (
            "one band holds no colours: put the bands into one file first, gdalbuildvrt -separate all.vrt "
            "red.tif green.tif blue.tif, then gdal_translate all.vrt all.tif, and name them with --bands RGB"
        )
    if missing == ["blue"] and "nir" in found:
        return (
            "this is an infrared twin (near infrared, red, green): give the RGB file, and this one as --irc;"
            " --bands RGB if its colours are natural"
        )
    if "height" in missing:
        return "give the height above ground with --height, or choose a model without it (orthoscape models)"
    suspect = next((b for b in facts.bands if b.colour == "alpha" and b.alpha_is_binary is False), None)
    if missing == ["nir"] and suspect:
        return (
            f"band {suspect.index} is tagged alpha but looks like an image: if it is infrared, --bands RGBI"
        )
    if missing == ["nir"]:
        return "give the near infrared with --irc, or choose a model that reads RGB (orthoscape models)"
    return "name the bands with --bands (RGB, RGBI, IRC, or one role per band)"

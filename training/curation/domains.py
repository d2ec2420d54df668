"""Which domain an orthophoto is from: as told, else by its name, else by its folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from training.curation.errors import DomainUnfit
from training.data.samples import Domain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

UNDATED = "undated"
_IGN_SHEET = re.compile(r"(?P<number>0?\d\d|2[AB]|97\d)-(?P<year>(?:19|20)\d\d)-")
"""IGN names sheets ``33-2024-0410-6425-LA93-0M20-E080``: département, year, kilometres, ..."""
_TOLD = re.compile(r"(?<![A-Za-z0-9])D(?P<number>\d{3}|02[AB])[_-](?P<year>(?:19|20)\d\d)(?!\d)")
"""As FLAIR and the folders of BD ORTHO write it: ``D033_2024``."""
_WITH_YEAR = re.compile(r"(?P<territory>.+?)[_-](?P<year>(?:19|20)\d\d)")
_OTHER = re.compile(r"[^A-Za-z0-9-]+")


def parse_domain(key: str) -> Domain:
    """A domain as it is written on a command line: ``D033_2024``, or a territory alone.

    Raises:
        DomainUnfit: Nothing of it can be a name.
    """
    territory, _, campaign = key.rpartition("_")
    domain = Domain(
        territory=plain(territory or campaign), campaign=plain(campaign) if territory else UNDATED
    )
    if not domain.territory or not domain.campaign:
        raise DomainUnfit(
            f"{key!r} is no domain", remedy="A domain is TERRITORY_CAMPAIGN, such as D033_2024."
        )
    return domain


def domain_of(path: Path, *, date: str | None, told: Sequence[tuple[str, Path | None]] = ()) -> Domain:
    """The domain of an orthophoto.

    Args:
        path: Of the file.
        date: When it was taken, in ISO 8601, where known.
        told: Keys, each with the file or folder that it is for, or with None for all others.
    """
    resolved = path.resolve()
    for key, place in told:
        if place is not None and (place.resolve() == resolved or place.resolve() in resolved.parents):
            return parse_domain(key)
    for key, place in told:
        if place is None:
            return parse_domain(key)
    if sheet := _IGN_SHEET.match(path.name):
        return Domain(territory=f"D{sheet['number']:0>3}", campaign=sheet["year"])
    parents = [folder.name for folder in resolved.parents]
    for name in (path.name, *parents):
        if match := _TOLD.search(name):
            return Domain(territory=f"D{match['number']}", campaign=match["year"])
    folder = parents[0]
    if match := _WITH_YEAR.fullmatch(folder):
        return Domain(territory=plain(match["territory"]), campaign=match["year"])
    return Domain(territory=plain(folder) or "territory", campaign=date[:4] if date else UNDATED)


def plain(name: str) -> str:
    """A name of letters, digits and hyphens: it becomes a folder, and part of an id."""
    return _OTHER.sub("-", name).strip("-")

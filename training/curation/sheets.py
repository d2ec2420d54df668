"""The orthophotos of a set: found, looked at, named, each with its domain, and their files' digests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING

from service.rasters.hashing import sha256_of
from training.curation.domains import domain_of, plain
from training.curation.errors import BandsDiffer, DomainUnfit
from training.data.orthos import find_rasters, look_at

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from models.manifest import Role
    from training.curation.request import Request
    from training.data.orthos import Ortho
    from training.data.samples import Domain

_YEAR = re.compile(r"(?:19|20)\d\d")
_BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One orthophoto of a set."""

    ortho: Ortho
    domain: Domain
    name: str
    """Letters, digits and hyphens; unique in its domain."""
    sha256: str
    """Of the orthophoto's file."""
    companions: tuple[str, ...]
    """sha256 of its companions' files."""

    @property
    def key(self) -> str:
        """Unique in the set."""
        return f"{self.domain.key}/{self.name}"

    @property
    def date(self) -> str | None:
        """When it was taken, in ISO 8601, as precise as known: a day, or its campaign's year."""
        year = self.domain.campaign if _YEAR.fullmatch(self.domain.campaign) else None
        return self.ortho.facts.acquisition_date or year


def find_sheets(request: Request) -> list[Sheet]:
    """The orthophotos of a request, sorted by domain and name.

    Raises:
        RemediedError: As its subclasses name: none is there, one cannot be used, bands differ, or an option
            names a domain of nothing.
    """
    paths = sorted({path.resolve() for place in request.orthos for path in find_rasters(place)})
    bands = _BANDS if request.with_nir else _BANDS[:3]
    orthos = look_at(paths, bands=bands, how=request.reading)
    _require_same_bands(orthos)
    domains = [
        domain_of(ortho.path, date=ortho.facts.acquisition_date, told=request.domains) for ortho in orthos
    ]
    _require_used(request, paths, domains)
    sheets: list[Sheet] = []
    taken: set[tuple[Domain, str]] = set()
    for ortho, domain in zip(orthos, domains, strict=True):
        name = _free_name(plain(ortho.path.stem) or "sheet", {each for its, each in taken if its == domain})
        taken.add((domain, name))
        sheets.append(
            Sheet(
                ortho=ortho,
                domain=domain,
                name=name,
                sha256=sha256_of(ortho.path),
                companions=tuple(sha256_of(layer.path) for layer in ortho.spec.companions),
            )
        )
    return sorted(sheets, key=lambda sheet: (sheet.domain, sheet.name))


def _free_name(name: str, taken: Collection[str]) -> str:
    """A name that no other sheet has: ``a-2`` may be a file's own."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _require_same_bands(orthos: list[Ortho]) -> None:
    """A network is told once which bands a source lacks.

    Raises:
        BandsDiffer: Some have near infrared, others do not.
    """
    first = orthos[0]
    for ortho in orthos[1:]:
        if ortho.bands != first.bands:
            raise BandsDiffer(
                f"{ortho.path} has {', '.join(ortho.bands)}, {first.path} has {', '.join(first.bands)}",
                remedy="Give the missing near infrared with --irc, leave it out everywhere with"
                " --without-nir, or make two sets.",
            )


def _require_used(request: Request, paths: list[Path], domains: list[Domain]) -> None:
    """Refuse options that are about nothing: a slip in them would give a wrong set.

    Raises:
        DomainUnfit: One is.
    """
    for key, place in request.domains:
        if place is None:
            continue
        there = place.resolve()
        if not any(there == path or there in path.parents for path in paths):
            raise DomainUnfit(
                f"--domain {key}={place}: none of the orthophotos lies there", remedy="Check the path."
            )
    known = {domain.key for domain in domains}
    for told, place in request.labels:
        if told is not None and told not in known:
            raise DomainUnfit(
                f"--labels {told}={place}: no orthophoto is of {told}",
                remedy=f"Domains here: {', '.join(sorted(known))}.",
            )

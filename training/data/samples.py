"""What every loader gives: samples with the domain that they are from, and the pixels of one of them.

Axes: C bands, H and W pixels.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.data.errors import SplitsOverlap

IGNORED = 255
"""Label of pixels that teach nothing."""

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True, order=True)
class Domain:
    """Territory x acquisition campaign."""

    territory: str
    """Département (``D004``), or what the data set has in its place."""
    campaign: str
    """Year, or what the data set has in its place."""

    @property
    def key(self) -> str:
        """``D004_2021``, however the data set writes it."""
        return f"{self.territory}_{self.campaign}"


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """When, where and with what an image was taken."""

    date: dt.date
    time: dt.time
    """Local."""
    camera: str
    centre_m: tuple[float, float, float]
    """Easting, northing (Lambert-93) and altitude, in metres."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One image and its labels, not read yet."""

    name: str
    """Unique in its data set."""
    domain: Domain
    zone: str
    """Ground that hangs together, within the domain: its samples belong in one part of a split."""
    split: Split
    image: Path
    labels: Path | None
    """None where they are withheld."""
    height: Path | None = None
    """Elevations, where they are a file of their own."""
    acquisition: Acquisition | None = None


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """One sample, read."""

    image_CHW: NDArray[np.uint8]
    """Raw pixels, in the order of the data set's bands."""
    labels_HW: NDArray[np.uint8] | None
    """Class values, or numbers of label sets where the loader says so; 255 teaches nothing."""


AnySample = TypeVar("AnySample", bound=Sample)


def domains_of(samples: Iterable[Sample]) -> tuple[Domain, ...]:
    """The domains of some samples, sorted."""
    return tuple(sorted({sample.domain for sample in samples}))


def of_split(samples: Iterable[AnySample], split: Split) -> tuple[AnySample, ...]:
    """The samples of one part of the published split."""
    return tuple(sample for sample in samples if sample.split == split)


def hold_out(
    samples: Sequence[AnySample], held_out: Collection[Domain]
) -> tuple[tuple[AnySample, ...], tuple[AnySample, ...]]:
    """Samples of all other domains, and those of the domains held out."""
    kept = tuple(sample for sample in samples if sample.domain not in held_out)
    return kept, tuple(sample for sample in samples if sample.domain in held_out)


def require_disjoint(samples: Iterable[Sample]) -> None:
    """Refuse a split that has one zone in two parts: neighbours of a training patch are no test.

    Raises:
        SplitsOverlap: It has.
    """
    part_of: dict[tuple[Domain, str], Split] = {}
    for sample in samples:
        zone = (sample.domain, sample.zone)
        if part_of.setdefault(zone, sample.split) != sample.split:
            raise SplitsOverlap(
                f"zone {sample.zone} of {sample.domain.key} is in {part_of[zone]} and in {sample.split}",
                remedy="Use the published lists of samples, or drop the zone from one of them.",
            )

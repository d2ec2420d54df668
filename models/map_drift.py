"""Drift after a map is made: how unlike what its model makes of training domains it is, and how unsure.

Two numbers, each with its threshold. The first is the Jensen-Shannon distance of the map's shares of classes
to those of the nearest training domain; of all domains pooled it would be large for every map of one kind of
ground, such as a forest, though a domain of forest was trained on. Of domains too the shares are those that
the model gives: labels of real ones are coarse, and what a model always takes for something else is no drift.
The threshold is the largest distance of one domain to the nearest of the others. The second is the mean
confidence. A map falls short by what it lacks to the domain of which the model is least sure, and that one by
what it lacks to the next: a map that falls short by more is warned of.

Axes: D domains, V class values 0-254.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

NUM_VALUES = 255
"""The value above them means that there is no class."""
_LEAST_KNOWN = 2
"""Domains whose confidence must be known: one has nothing to be compared with."""
_ARRAYS = ("map_domains", "map_shares_DV", "map_confidence_D", "map_threshold")


def jensen_shannon(one_V: NDArray[np.floating], others_DV: NDArray[np.floating]) -> NDArray[np.float64]:
    """Distance of shares to others, float64 [D]: 0 where they are equal, 1 where they have nothing in common.

    Source:
        Endres, Schindelin 2003, A new metric for probability distributions; logarithms are binary.
    """
    first_DV, second_DV = np.broadcast_arrays(one_V.astype(np.float64), others_DV.astype(np.float64))
    middle_DV = (first_DV + second_DV) / 2
    divergence_D = (_relative_entropy(first_DV, middle_DV) + _relative_entropy(second_DV, middle_DV)) / 2
    distance_D: NDArray[np.float64] = np.sqrt(divergence_D.clip(0, 1))
    return distance_D


def _relative_entropy(of_DV: NDArray[np.float64], to_DV: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio_DV = np.divide(of_DV, to_DV, out=np.ones_like(of_DV), where=of_DV > 0)
    entropy_D: NDArray[np.float64] = (of_DV * np.log2(ratio_DV)).sum(axis=-1)
    return entropy_D


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a model made of one domain, or of the ground of a map."""

    shares_V: NDArray[np.float64]
    """Of the pixels with a class, by value."""
    confidence: float | None
    """Mean over them, in percent; None where it was not counted."""

    @classmethod
    def of(cls, pixel_counts: Mapping[int, int], *, confidence_total: int | None) -> Self | None:
        """From what was counted.

        Args:
            pixel_counts: Pixels by class value.
            confidence_total: Sum of their confidences, in percent; None where it was not counted.

        Returns:
            None where no pixel has a class.
        """
        counts_V = np.zeros(NUM_VALUES, dtype=np.float64)
        for value, count in pixel_counts.items():
            counts_V[value] = count
        num_px = counts_V.sum()
        if not num_px:
            return None
        confidence = None if confidence_total is None else float(confidence_total / num_px)
        return cls(shares_V=counts_V / num_px, confidence=confidence)


@dataclass(frozen=True, kw_only=True)
class MapDrift:
    """What was measured of one map."""

    value: float
    """Jensen-Shannon distance of its shares of classes to those of the nearest domain, 0 to 1."""
    threshold: float
    nearest: str
    """That domain."""
    confidence: float | None
    """Mean, in percent; None where it is not known, of the map or of the domains."""
    least_confidence: float | None
    """The least that passes; None as above."""

    @property
    def is_far(self) -> bool:
        """Whether the shares of classes are like those of no domain."""
        return self.value > self.threshold

    @property
    def is_unsure(self) -> bool:
        """Whether the model is less sure than of any domain, by more than passes."""
        return (
            self.confidence is not None
            and self.least_confidence is not None
            and self.confidence < self.least_confidence
        )


@dataclass(frozen=True, kw_only=True)
class MapReference:
    """What a model made of training domains."""

    domains: tuple[str, ...]
    shares_DV: NDArray[np.float32]
    confidence_D: NDArray[np.float32]
    """Mean, in percent; not a number where it is not known."""
    threshold: float
    """Of the distance."""

    @classmethod
    def of(cls, outcomes: Mapping[str, Outcome]) -> Self:
        """Describe domains; the threshold is the largest distance of one to the nearest of the others.

        Raises:
            ValueError: There are fewer than two.
        """
        if len(outcomes) < 2:
            raise ValueError(f"{len(outcomes)} domain(s): one cannot be compared with itself")
        shares_DV = np.stack([outcome.shares_V for outcome in outcomes.values()])
        apart_DD = np.stack([jensen_shannon(shares_V, shares_DV) for shares_V in shares_DV])
        np.fill_diagonal(apart_DD, np.inf)
        return cls(
            domains=tuple(outcomes),
            shares_DV=shares_DV.astype(np.float32),
            confidence_D=_confidences(outcomes),
            threshold=round(float(apart_DD.min(axis=1).max()), 4),
        )

    @property
    def least_confidence(self) -> float | None:
        """The least mean that passes, in percent; None where too few domains' are known."""
        known = np.sort(self.confidence_D[~np.isnan(self.confidence_D)].astype(np.float64))
        if len(known) < _LEAST_KNOWN:
            return None
        return round(max(0.0, float(2 * known[0] - known[1])), 2)

    def without_confidence(self) -> Self:
        """The same shares, for a network or a temperature with other confidences."""
        return replace(self, confidence_D=np.full_like(self.confidence_D, np.nan))

    def updated(self, outcomes: Mapping[str, Outcome]) -> Self:
        """With other outcomes of some domains, or of more; the threshold of the distance stays.

        One more domain, far from all others, must not let pass whatever is as far from them.
        """
        kept = [row for row, domain in enumerate(self.domains) if domain not in outcomes]
        added_DV = np.stack([outcome.shares_V for outcome in outcomes.values()]) if outcomes else None
        if added_DV is None:
            return self
        return replace(
            self,
            domains=(*(self.domains[row] for row in kept), *outcomes),
            shares_DV=np.concatenate([self.shares_DV[kept], added_DV.astype(np.float32)]),
            confidence_D=np.concatenate([self.confidence_D[kept], _confidences(outcomes)]),
        )

    def measure(self, outcome: Outcome) -> MapDrift:
        """The drift of a map."""
        distances_D = jensen_shannon(outcome.shares_V, self.shares_DV)
        nearest, least = int(distances_D.argmin()), self.least_confidence
        is_known = least is not None and outcome.confidence is not None
        return MapDrift(
            # As the threshold: rounded otherwise, what is just below it could be told to be above.
            value=round(float(distances_D[nearest]), 4),
            threshold=self.threshold,
            nearest=self.domains[nearest],
            confidence=round(outcome.confidence, 2) if is_known and outcome.confidence is not None else None,
            least_confidence=least if is_known else None,
        )

    def arrays(self) -> dict[str, Any]:
        """What an artefact's file keeps of it."""
        kept = (np.array(self.domains), self.shares_DV, self.confidence_D, np.float64(self.threshold))
        return dict(zip(_ARRAYS, map(np.asarray, kept), strict=True))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self | None:
        """As it was kept; None where a file was written before there were such."""
        if any(name not in arrays for name in _ARRAYS):
            return None
        domains, shares_DV, confidence_D, threshold = (arrays[name] for name in _ARRAYS)
        return cls(
            domains=tuple(str(domain) for domain in domains),
            shares_DV=shares_DV,
            confidence_D=confidence_D,
            threshold=float(threshold),
        )


def _confidences(outcomes: Mapping[str, Outcome]) -> NDArray[np.float32]:
    return np.array(
        [np.nan if each.confidence is None else each.confidence for each in outcomes.values()],
        dtype=np.float32,
    )

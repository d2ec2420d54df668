"""Shares of counts and how well they are known; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Z_95 = 1.959964
"""Quantile of the normal distribution that leaves 2.5 % above."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """So many of so many, with Wilson's interval."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """NaN where there is nothing to share."""
        return self.hits / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %."""
        return wilson_interval(self.hits, self.total)

    def __add__(self, other: Share) -> Share:
        return Share(hits=self.hits + other.hits, total=self.total + other.total)

    def __str__(self) -> str:
        if not self.total:
            return "-"
        low, high = self.interval
        return f"{self.share:.0%} [{low:.0%}, {high:.0%}] of {self.total}"


def sum_of(shares: Iterable[Share]) -> Share:
    """Counts added up: each point weighs the same."""
    return reduce(Share.__add__, shares, Share(hits=0, total=0))


def wilson_interval(hits: int, total: int, *, z: float = Z_95) -> tuple[float, float]:
    """Lower and upper bound of a share; 0 and 1 where nothing was counted.

    Source:
        Wilson 1927, doi:10.1080/01621459.1927.10502953, without correction for continuity.
    """
    if not total:
        return 0.0, 1.0
    share, spread = hits / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(middle - half, 0.0), min(middle + half, 1.0)

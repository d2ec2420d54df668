"""What adapts a network without teaching it again: statistics, priors, and TENT, which moves scales alone."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from training.adaptation import METHODS
from training.adaptation.adabn import draw_batches, with_target_statistics
from training.adaptation.pools import Pool
from training.adaptation.priors import em_priors, posteriors, prior_offsets, with_offsets
from training.adaptation.tent import with_least_entropy
from training.benchmark.shares import shares_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from training.adaptation.method import Samples
    from training.benchmark.case import Case
    from training.networks.compact import CompactUNet

NUM_SAMPLES = 64
"""Crops of the target that are looked at."""


def corrected(network: CompactUNet, case: Case, role: str, *, crop_px: int) -> CompactUNet:
    """A copy of S1 that was corrected for a target, by its unlabelled pool."""
    batches = draw_batches(Pool.unlabelled(case.pool), num_samples=NUM_SAMPLES, crop_px=crop_px)
    return CORRECTIONS[role](network.eval(), batches, case)


def _statistics(network: CompactUNet, batches: Sequence[Samples], case: Case) -> CompactUNet:
    del case
    return with_target_statistics(network, batches, alpha=METHODS["adabn"].alpha)


def _priors(network: CompactUNet, batches: Sequence[Samples], case: Case) -> CompactUNet:
    source_K = shares_of(case.source)
    target_K = em_priors(posteriors(network, batches), source_K)
    return with_offsets(network, prior_offsets(source_K, target_K))


def _least_entropy(network: CompactUNet, batches: Sequence[Samples], case: Case) -> CompactUNet:
    del case
    return with_least_entropy(network, batches)


CORRECTIONS: Mapping[str, Callable[[CompactUNet, Sequence[Samples], Case], CompactUNet]] = MappingProxyType(
    {"adabn_alone": _statistics, "em_prior": _priors, "tent": _least_entropy}
)
"""Roles that take seconds: S1 as it is, corrected."""

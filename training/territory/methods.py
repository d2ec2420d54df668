"""Which methods a territory can be adapted by, and what each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.adaptation import METHODS, adapt
from training.adaptation.adabn import draw_batches, with_target_statistics
from training.adaptation.priors import em_priors, posteriors, prior_offsets, with_offsets
from training.territory.errors import MethodUnfit

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from training.adaptation.fitting import FitSpec, Keeper, Problem
    from training.adaptation.pools import Pool
    from training.networks.compact import CompactUNet

DEFAULT_METHOD = "adabn"
"""Where there is a source: it trains least, so that it can break little, and comes within some points of the
best wherever images look different; see ``docs/adaptation.md``."""
DEFAULT_WITHOUT_SOURCE = "adabn"
"""Trains nothing, so that it can break little."""
EM_PRIORS = "em_priors"
WITHOUT_SOURCE = ("adabn", EM_PRIORS, "self_training")
KNOWN = (*METHODS, EM_PRIORS)
NUM_CROPS = 64
"""Crops of the target that statistics and shares of classes are taken from."""


def choose_method(said: str | None, *, has_source: bool) -> str:
    """The method that a command names, or the default.

    Raises:
        MethodUnfit: There is none of that name, or it needs a source.
    """
    if said is None:
        return DEFAULT_METHOD if has_source else DEFAULT_WITHOUT_SOURCE
    if said not in KNOWN:
        raise MethodUnfit(f"no method {said!r}", remedy=f"Methods: {', '.join(KNOWN)}.")
    if not has_source and said not in WITHOUT_SOURCE:
        raise MethodUnfit(
            f"{said} learns from labelled images, and --source is none",
            remedy=f"Leave --source away, or take one of {', '.join(WITHOUT_SOURCE)}.",
        )
    return said


def takes_steps(method: str, *, has_source: bool) -> bool:
    """Whether a method trains weights."""
    return method != EM_PRIORS and (has_source or method == "self_training")


def run_method(
    method: str,
    network: CompactUNet,
    problem: Problem,
    spec: FitSpec,
    *,
    each_step: Callable[[int, float], None] | None = None,
    keeper: Keeper | None = None,
) -> CompactUNet:
    """Adapt a network by a method that takes steps.

    Args:
        method: One of ``METHODS``.
        network: Trained in place.
        problem: What it learns from.
        spec: How.
        each_step: Told the number of each step and its loss.
        keeper: Where it goes on, if it was stopped.

    Returns:
        In evaluation mode.
    """
    return adapt(
        network, problem, METHODS[method], spec, num_samples=NUM_CROPS, each_step=each_step, keeper=keeper
    )


def with_statistics(network: CompactUNet, target: Pool, *, crop_px: int, seed: int) -> CompactUNet:
    """AdaBN: the network with the target's statistics, nothing trained."""
    batches = draw_batches(target, num_samples=NUM_CROPS, crop_px=crop_px, seed=seed)
    return with_target_statistics(network, batches, alpha=METHODS["adabn"].alpha)


@torch.no_grad()
def with_priors(
    network: CompactUNet,
    target: Pool,
    source_shares_K: Tensor,
    *,
    temperature: float,
    crop_px: int,
    seed: int,
) -> CompactUNet:
    """EM prior correction: the network told of the target's shares of classes, in its head's bias."""
    batches = draw_batches(target, num_samples=NUM_CROPS, crop_px=crop_px, seed=seed)
    posteriors_PK = posteriors(network, batches, temperature=temperature)
    target_shares_K = em_priors(posteriors_PK, source_shares_K)
    return with_offsets(
        network, prior_offsets(source_shares_K, target_shares_K), temperature=temperature
    ).eval()

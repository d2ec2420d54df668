"""TENT: scales and offsets of the normalisations moved until predictions on the target are surer.

No recipe runs it unless asked: over batches that follow one another it is unstable, and where the network is
sure of what is wrong it makes it surer.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

from training.adaptation.adabn import with_target_statistics
from training.adaptation.method import norms_of, see_apart
from training.losses import log_posteriors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from training.adaptation.method import Samples
    from training.networks.compact import CompactUNet


def with_least_entropy(
    network: CompactUNet, batches: Sequence[Samples], *, num_rounds: int = 1, learning_rate: float = 1e-3
) -> CompactUNet:
    """A copy that is surer of the target, in evaluation mode.

    The entropy ``H(y) = -sum p(y_c) log p(y_c)`` is descended. As in the paper, batches are normalised by
    their own statistics, and only the normalisations' scales and offsets are trained. There each batch is
    answered as it comes; what is served here has fixed statistics: AdaBN's, of all batches together, by the
    new scales.

    Args:
        network: Trained on the source.
        batches: Of the target.
        num_rounds: How often each batch is seen; 0 leaves AdaBN alone.
        learning_rate: Of Adam.

    Source:
        Wang, Shelhamer, Liu, Olshausen, Darrell 2021, Tent: Fully Test-Time Adaptation by Entropy
        Minimization (arXiv:2006.10726), the entropy objective and the modulation parameters.
    """
    adapted = copy.deepcopy(network).requires_grad_(requires_grad=False)
    norms = norms_of(adapted)
    affine = [parameter.requires_grad_() for norm in norms for parameter in norm.parameters()]
    optimiser = torch.optim.Adam(affine, lr=learning_rate)
    adapted.train()
    for _ in range(num_rounds):
        for samples in batches:
            loss = mean_entropy(see_apart(adapted, samples).sub_pixels_NQhw)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return with_target_statistics(adapted, batches, alpha=1.0).requires_grad_(requires_grad=False)


def mean_entropy(sub_pixels_NQhw: Tensor) -> Tensor:
    """Of the predictions, mean over pixels, in nats, float32."""
    log_p_NK4hw = log_posteriors(sub_pixels_NQhw)
    return -(log_p_NK4hw.exp() * log_p_NK4hw).sum(dim=1).mean()

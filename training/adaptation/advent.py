"""AdvEnt: predictions on the target as sure, and as laid out, as those on the source.

Axes: N samples, Q maps of the head, K channels, h and w positions at half resolution.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from training.adaptation.discriminators import domain_loss, of_layouts, reverse_gradient
from training.adaptation.method import Plain, see_target
from training.losses import log_posteriors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from training.adaptation.method import Step


class AdversarialEntropy(Plain):
    """A discriminator of maps of weighted self-information; on the target the network learns against it.

    Maps are ``I = -p log p`` of each channel. The discriminator D descends ``L_D(I_s, 1) + L_D(I_t, 0)``,
    here its half, as in the paper's code. There the network then descends ``lambda L_D(I_t, 1)``, the
    inverted label, with D held still; here one backward pass trains both, and the network climbs half of
    ``L_D(I_t, 0)`` through a reversed gradient, which is weaker where D is sure. As there, the source's maps
    teach D only. Maps are the mean of the head's 2 x 2 sub-pixels, at half resolution.

    Args:
        num_channels: Of the head.
        seed: Of the discriminator's weights.

    Source:
        Vu, Jain, Bucher, Cord, Perez 2019, ADVENT: Adversarial Entropy Minimization for Domain Adaptation in
        Semantic Segmentation (arXiv:1811.12833), minimising entropy with adversarial learning (AdvEnt).
    """

    needs_target = True

    def __init__(self, *, num_channels: int, seed: int = 0) -> None:
        self.discriminator = of_layouts(num_channels, seed=seed)

    def parameters(self) -> Iterable[nn.Parameter]:
        """The discriminator's."""
        return self.discriminator.parameters()

    def term(self, step: Step) -> Tensor:
        """The discriminator's loss; what flows back from the target into the network is turned round."""
        of_source = self_information(step.source.sub_pixels_NQhw.detach())
        of_target = reverse_gradient(self_information(see_target(step).sub_pixels_NQhw), strength=1.0)
        return (
            domain_loss(self.discriminator(of_source), is_source=True)
            + domain_loss(self.discriminator(of_target), is_source=False)
        ) / 2


def self_information(sub_pixels_NQhw: Tensor) -> Tensor:
    """``-p log p`` of each channel over ``log K``, mean of 2 x 2 sub-pixels, float32 [N, K, h, w].

    Over channels it sums to the normalised entropy: 0 where one channel is sure, 1 where all are alike.
    """
    log_p_NK4hw = log_posteriors(sub_pixels_NQhw)
    information_NK4hw = -log_p_NK4hw.exp() * log_p_NK4hw / math.log(max(2, log_p_NK4hw.shape[1]))
    return information_NK4hw.mean(dim=2)

"""ADDA: a copy of the source's encoder learns to give, on the target, features like the source's."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch.func import functional_call

from training.adaptation.discriminators import domain_loss, of_positions
from training.adaptation.method import Plain, see, see_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from training.adaptation.method import Step
    from training.networks.compact import CompactUNet


class DiscriminativeAdaptation(Plain):
    """The second of two stages; the first is plain training, whose network is begun with.

    The network begun with is copied and frozen, and sees the source. The one in training is the target's
    encoder. The discriminator D tells their features apart, by the loss ``- E_s log D - E_t log(1 - D)``,
    here its half; the encoder learns on the inverted label, ``- E_t log D``, with D's weights held still, not
    through a reversed gradient. Features are those of the deepest positions; what skips carry to the decoder
    follows from the same weights and is not judged. Labels teach nothing in this stage: the term is *less*
    the mean cross entropy, so that the loop's sum is ADDA at weight 1, in which the decoder and the head stay
    as they are, and plain training at weight 0.

    Args:
        source_network: Trained on the source; what is trained later may be the very same.
        seed: Of the discriminator's weights.

    Source:
        Tzeng, Hoffman, Saenko, Darrell 2017, Adversarial Discriminative Domain Adaptation (arXiv:1702.05464),
        the objective of ADDA: untied weights and the GAN loss with inverted labels.
    """

    needs_target = True

    def __init__(self, source_network: CompactUNet, *, seed: int = 0) -> None:
        self.frozen = copy.deepcopy(source_network).eval().requires_grad_(requires_grad=False)
        self.discriminator = of_positions(source_network.spec.widths[-1], seed=seed)

    def parameters(self) -> Iterable[nn.Parameter]:
        """The discriminator's."""
        return self.discriminator.parameters()

    def term(self, step: Step) -> Tensor:
        """The losses of discriminator and encoder, less the mean cross entropy."""
        with torch.no_grad():
            of_source = see(self.frozen, step.source.samples).features[-1]
        of_target = see_target(step).features[-1]
        told = (
            domain_loss(self.discriminator(of_source), is_source=True)
            + domain_loss(self.discriminator(of_target.detach()), is_source=False)
        ) / 2
        still = {name: weight.detach() for name, weight in self.discriminator.named_parameters()}
        fooled = domain_loss(functional_call(self.discriminator, still, (of_target,)), is_source=True)
        return told + fooled - step.loss_P.sum() / max(1, len(step.loss_P))

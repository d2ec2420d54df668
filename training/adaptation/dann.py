"""Domain-adversarial training: deep features that do not tell where they are from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from training.adaptation.discriminators import domain_loss, of_positions, reverse_gradient
from training.adaptation.method import Plain, see_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from training.adaptation.method import Step


class DomainAdversarial(Plain):
    """A discriminator learns to tell source from target at each deepest position, the network against it.

    The paper seeks the saddle point of ``mean L_y - lambda (mean L_d of source + mean L_d of target)``:
    lowest for the network and highest for the discriminator's weights. Here the domain loss is half of that
    sum, so lambda at its height is a half, and features are those of positions, not of images. The
    discriminator sees source and target apart, and has no batch normalisation of its own.

    Args:
        num_features: Of the deepest level.
        steepness: Gamma of the schedule ``2 / (1 + exp(-gamma p)) - 1`` of the reversal's strength.
        seed: Of the discriminator's weights.

    Source:
        Ganin et al. 2016, Domain-Adversarial Training of Neural Networks (arXiv:1505.07818): the objective
        with the gradient reversal layer, and the schedule of lambda of its deep networks.
    """

    needs_target = True

    def __init__(self, *, num_features: int, steepness: float = 10.0, seed: int = 0) -> None:
        self.discriminator = of_positions(num_features, seed=seed)
        self.steepness = steepness

    def parameters(self) -> Iterable[nn.Parameter]:
        """The discriminator's."""
        return self.discriminator.parameters()

    def term(self, step: Step) -> Tensor:
        """The discriminator's loss; what flows back from it into the network is turned round."""
        strength = reversal_strength(step.progress, steepness=self.steepness)
        of_source = reverse_gradient(step.source.features[-1], strength=strength)
        of_target = reverse_gradient(see_target(step).features[-1], strength=strength)
        return (
            domain_loss(self.discriminator(of_source), is_source=True)
            + domain_loss(self.discriminator(of_target), is_source=False)
        ) / 2


def reversal_strength(progress: float, *, steepness: float) -> float:
    """From 0 at the beginning of a run towards 1, so that a discriminator that knows nothing does no harm."""
    return 2 / (1 + math.exp(-steepness * progress)) - 1

"""Deep CORAL: the covariances of deep features made alike, of source and target or of source domains.

Axes: N samples, F features, h and w positions, P positions of all samples together.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import torch

from training.adaptation.method import Plain, full_precision, see_target

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.method import Step


class DeepCoral(Plain):
    """The distance of the covariances of the deepest features, over all positions of source and of target.

    ``|C_s - C_t|^2 / (4 d^2)``, of matrices of d x d. The paper takes covariances over images of a batch, of
    a layer before the classes; here samples are positions.

    Source:
        Sun, Saenko 2016, Deep CORAL: Correlation Alignment for Deep Domain Adaptation (arXiv:1607.01719),
        equation 1, and its covariances.
    """

    needs_target = True

    def term(self, step: Step) -> Tensor:
        """``coral_loss`` of the deepest features."""
        target = see_target(step)
        return coral_loss(positions(step.source.features[-1]), positions(target.features[-1]))


class CoralOfDomains(Plain):
    """The same between the source domains that a batch holds, each against each: no target is needed.

    Source:
        Gulrajani, Lopez-Paz 2021, In Search of Lost Domain Generalization (arXiv:2007.01434), whose CORAL
        is the mean over pairs too; its code adds the distance of means and leaves the ``1/4`` away.
    """

    def term(self, step: Step) -> Tensor:
        """Mean of ``coral_loss`` over pairs of domains; zero where a batch has one domain."""
        features_NFhw, domain_N = step.source.features[-1], step.source.samples.domain_N
        parts = [positions(features_NFhw[domain_N == number]) for number in torch.unique(domain_N)]
        pairs = [coral_loss(first, second) for first, second in combinations(parts, 2)]
        return torch.stack(pairs).mean() if pairs else step.loss_P.new_zeros(())


def coral_loss(first_PF: Tensor, second_PF: Tensor) -> Tensor:
    """Squared Frobenius distance of two covariances over ``4 F^2``, float32; zero where moments are equal.

    Args:
        first_PF: Two positions at least.
        second_PF: As many features.
    """
    gap_FF = covariance(first_PF) - covariance(second_PF)
    return (gap_FF**2).sum() / (4 * gap_FF.numel())


def covariance(values_PF: Tensor) -> Tensor:
    """Of features over positions, float32 [F, F]."""
    with full_precision(values_PF):
        centred_PF = values_PF.float() - values_PF.float().mean(dim=0)
        return centred_PF.T @ centred_PF / (len(values_PF) - 1)


def positions(features_NFhw: Tensor) -> Tensor:
    """Features [P, F] of all positions of all samples."""
    return features_NFhw.movedim(1, -1).flatten(0, 2)

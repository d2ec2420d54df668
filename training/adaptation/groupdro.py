"""Group DRO: the worst source domain counts most.

Axes: P pixels, D domains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.adaptation.domains import domain_means
from training.adaptation.method import Plain

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.method import Step


class GroupDRO(Plain):
    """The mean over domains under weights that grow exponentially with each domain's loss.

    ``q_g <- q_g exp(eta loss_g)``, made to sum to one, then a step on ``sum_g q_g loss_g``. The paper draws
    one domain a step; here all that a batch holds are in it.

    It replaces the mean over pixels. As a term it is the weighted mean *less* the mean over pixels, so that
    the loop's sum is group DRO at weight 1 and plain training at weight 0. A domain that a batch does not
    hold keeps its weight, and those that are there share the whole.

    Args:
        num_domains: Source domains, numbered from 0.
        step_size: Of the weights, eta.

    Source:
        Sagawa, Koh, Hashimoto, Liang 2020, Distributionally Robust Neural Networks for Group Shifts
        (arXiv:1911.08731), algorithm 1.
    """

    def __init__(self, *, num_domains: int, step_size: float = 0.01) -> None:
        self.step_size = step_size
        self._log_weight_D = torch.zeros(num_domains)

    @property
    def weights(self) -> Tensor:
        """Weight of each domain, float32 [D]; they sum to one."""
        return self._log_weight_D.softmax(dim=0)

    def term(self, step: Step) -> Tensor:
        """The weighted mean over domains less the mean over pixels; weights move first."""
        number_D, loss_D = domain_means(step.loss_P, step.domain_P)
        self._log_weight_D[number_D] += self.step_size * loss_D.detach()
        weight_D = self._log_weight_D[number_D].softmax(dim=0)
        return (weight_D * loss_D).sum() - step.loss_P.sum() / max(1, len(step.loss_P))

"""Invariant risk minimisation: one classifier that is at rest in every source domain at once.

Axes: P pixels, S labels, K channels, D domains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.adaptation.domains import domain_means
from training.adaptation.method import Plain

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.method import Step


class InvariantRisk(Plain):
    """The squared slope of each domain's risk as a scale w of all logits leaves w = 1, mean over domains.

    ``sum_e R_e + lambda |dR_e(w logits) / dw at w = 1|^2``, here with the mean over pixels in the place of
    the sum of risks. Both factors of the square are of the same pixels, so the penalty is higher, by the
    variance of a batch's slope, than that of the whole domain; the common code multiplies slopes of two
    halves instead.

    Source:
        Arjovsky, Bottou, Gulrajani, Lopez-Paz 2019, Invariant Risk Minimization (arXiv:1907.02893), IRMv1.
    """

    def term(self, step: Step) -> Tensor:
        """``irm_penalty`` of the labelled source pixels."""
        return irm_penalty(step.logits_PK, step.labels_P, step.domain_P, members_SK=step.members_SK)


def irm_penalty(logits_PK: Tensor, labels_P: Tensor, domain_P: Tensor, *, members_SK: Tensor) -> Tensor:
    """Mean over domains of the squared slope of their risk at w = 1, float32; zero without pixels."""
    slope_P = scale_slopes(logits_PK, labels_P, members_SK=members_SK)
    _, slope_D = domain_means(slope_P, domain_P)
    return (slope_D**2).sum() / max(1, len(slope_D))


def scale_slopes(logits_PK: Tensor, labels_P: Tensor, *, members_SK: Tensor) -> Tensor:
    """Derivative of each pixel's loss ``lse(w z) - lse(w z over its set)`` by w at 1, float32 [P].

    It is in closed form, the expected logit less the expected logit within the label's set, so that the
    penalty's own gradient needs no second derivative of the network.
    """
    logits_PK = logits_PK.float()
    of_all_PK = logits_PK.softmax(dim=-1)
    of_set_PK = logits_PK.masked_fill(~members_SK[labels_P], -torch.inf).softmax(dim=-1)
    return ((of_all_PK - of_set_PK) * logits_PK).sum(dim=-1)

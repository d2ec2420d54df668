"""Correction of class priors: a classifier of one mix of classes, told of another.

Only the shares of classes may differ between source and target, not what each looks like. The correction is
an offset of logits, and goes into the bias of the head.

Axes: P pixels, K channels.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from training.adaptation.method import see

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from training.adaptation.method import Samples
    from training.networks.compact import CompactUNet

_MOST_OFFSET = 4.0
"""Logits: no channel is made more than some fifty times likelier, or less likely, by its share."""
_LEAST_PRIOR = 1e-6
"""Share below which a channel counts as absent from the source: nothing can be said of its change."""


def em_priors(
    posteriors_PK: Tensor, source_priors_K: Tensor, *, num_rounds: int = 1000, tolerance: float = 1e-7
) -> Tensor:
    """Shares of classes that are likeliest to have given a target's posteriors.

    In turns, posteriors are those of the source by the ratio of priors, made to sum to one, and the new
    priors are their mean: ``q(k|x) = p(k|x) q(k) / p(k) / sum_j ...``, ``q(k) = mean over x of q(k|x)``.
    Posteriors must be calibrated on the source.

    Args:
        posteriors_PK: Of the source's classifier on target pixels; rows sum to one.
        source_priors_K: Shares in the source.
        num_rounds: At most.
        tolerance: The largest change of a share at which it ends.

    Returns:
        float64 [K], of sum one; channels that the source does not have stay at 0.

    Source:
        Saerens, Latinne, Decaestecker 2002, Adjusting the Outputs of a Classifier to New a Priori
        Probabilities: A Simple Procedure, the iteration for unknown priors, an EM algorithm.
    """
    posteriors_PK, source_priors_K = posteriors_PK.double(), _shares(source_priors_K)
    is_known_K = source_priors_K > _LEAST_PRIOR
    divisor_K = source_priors_K.where(is_known_K, torch.inf)
    priors_K = _shares(source_priors_K.where(is_known_K, 0.0))
    for _ in range(num_rounds):
        weighed_PK = posteriors_PK * (priors_K / divisor_K)
        weighed_PK = weighed_PK / weighed_PK.sum(dim=1, keepdim=True).clamp(min=1e-300)
        updated_K = _shares(weighed_PK.mean(dim=0))
        change = (updated_K - priors_K).abs().max().item()
        priors_K = updated_K
        if change < tolerance:
            break
    return priors_K


def bbse_priors(confusion_TP: Tensor, predicted_shares_K: Tensor) -> Tensor:
    """Shares of classes that explain the target's predictions by the confusions made on the source.

    ``C w = mu``, where C is the joint share of predicted and true class on held-out source, mu the shares of
    predictions on the target, and w the ratio of target's to source's priors. Nothing must be calibrated,
    but C must be invertible over the classes that the source has; least squares stand in where it nearly is
    not.

    Args:
        confusion_TP: Counts on held-out source by true class (rows) and predicted class (columns), as those
            of `Confusion`.
        predicted_shares_K: Shares of predictions on the target.

    Returns:
        float64 [K], of sum one; negative ratios are taken as 0, and classes that the source does not have
        are 0.

    Source:
        Lipton, Wang, Smola 2018, Detecting and Correcting for Label Shift with Black Box Predictors
        (arXiv:1802.03916), black box shift estimation with hard predictions.
    """
    joint_TP = _shares(confusion_TP)
    source_priors_K = joint_TP.sum(dim=1)
    is_known_K = source_priors_K > _LEAST_PRIOR
    ratio_K = torch.zeros_like(source_priors_K)
    solved = torch.linalg.lstsq(
        joint_TP[is_known_K].T, _shares(predicted_shares_K)[:, None], driver="gelsd"
    ).solution
    ratio_K[is_known_K] = solved[:, 0].clamp(min=0)
    return _shares(ratio_K * source_priors_K)


def prior_offsets(source_priors_K: Tensor, target_priors_K: Tensor) -> Tensor:
    """What is added to calibrated logits: the log of the ratio of priors, bounded, float32 [K].

    A channel that the source does not have is left alone.
    """
    source_priors_K, target_priors_K = _shares(source_priors_K), _shares(target_priors_K)
    ratio_K = target_priors_K / source_priors_K.clamp(min=_LEAST_PRIOR)
    offsets_K = ratio_K.log().clamp(-_MOST_OFFSET, _MOST_OFFSET)
    return offsets_K.where(source_priors_K > _LEAST_PRIOR, 0.0).float()


@torch.no_grad()
def with_offsets(network: CompactUNet, offsets_K: Tensor, *, temperature: float = 1.0) -> CompactUNet:
    """A copy whose logits, once divided by a temperature, are higher by offsets: in the head's bias.

    Args:
        network: Whose head gives 2 x 2 sub-pixels a channel.
        offsets_K: Of calibrated logits.
        temperature: By which logits are divided when they are served.
    """
    adapted = copy.deepcopy(network)
    assert adapted.head.bias is not None
    adapted.head.bias.add_(temperature * offsets_K.to(adapted.head.bias).repeat_interleave(4))
    return adapted


@torch.no_grad()
def posteriors(
    network: CompactUNet, batches: Sequence[Samples], *, temperature: float = 1.0, every_px: int = 4
) -> Tensor:
    """Posteriors float32 [P, K] of every so many-th pixel along rows and columns that has data."""
    parts = []
    for samples in batches:
        logits_NKHW = F.pixel_shuffle(see(network.eval(), samples).sub_pixels_NQhw.float(), 2)
        sparse_NKHW = logits_NKHW[..., ::every_px, ::every_px] / temperature
        has_data_NHW = samples.image_NCHW.any(dim=1)[..., ::every_px, ::every_px]
        parts.append(sparse_NKHW.softmax(dim=1).movedim(1, -1)[has_data_NHW])
    return torch.cat(parts)


def _shares(values: Tensor) -> Tensor:
    values = values.double()
    return values / values.sum()

"""Losses over logits, in fp32 whatever the network computes in."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

IGNORED = 255
"""Label of pixels that teach nothing."""


def every_second_row(sub_pixels_NQhw: Tensor, labels_NHW: Tensor, *, odd: bool) -> tuple[Tensor, Tensor]:
    """Logits and labels of every second row, from logits that were not shuffled to full resolution.

    Neighbouring rows say nearly the same; leaving one of two out saves much of a loss's cost.

    Args:
        sub_pixels_NQhw: Logits at half resolution; Q is channel, row of two, column of two.
        labels_NHW: Labels at full resolution.
        odd: Which rows.

    Returns:
        Logits [P, K] and labels [P], in the same order of pixels.
    """
    num_samples, num_maps, height, width = sub_pixels_NQhw.shape
    row = int(odd)
    sub_pixels = sub_pixels_NQhw.permute(0, 2, 3, 1).reshape(num_samples, height, width, num_maps // 4, 2, 2)
    logits_PK = sub_pixels[..., row, :].transpose(-1, -2).reshape(-1, num_maps // 4)
    return logits_PK, labels_NHW[:, row::2].reshape(-1)


def log_posteriors(sub_pixels_NQhw: Tensor) -> Tensor:
    """Log of each channel's probability at each of the 2 x 2 sub-pixels, float32 [N, K, 4, h, w]."""
    num_samples, num_maps, height, width = sub_pixels_NQhw.shape
    logits_NK4hw = sub_pixels_NQhw.float().reshape(num_samples, num_maps // 4, 4, height, width)
    return F.log_softmax(logits_NK4hw, dim=1)


def class_weights(frequencies: NDArray[np.float64], *, power: float) -> Tensor:
    """Weights that fall with frequency, of mean one over pixels.

    Args:
        frequencies: Share of each channel among labelled pixels; a channel that never occurs gets weight 0.
        power: 0 weighs all pixels alike, 1 all classes.

    Returns:
        float32 [K].
    """
    occurs = frequencies > 0
    weights = np.where(occurs, np.where(occurs, frequencies, 1.0) ** -power, 0.0)
    return torch.tensor(weights / (weights * frequencies).sum(), dtype=torch.float32)


def partial_label_loss(
    logits_NK: Tensor, sets_N: Tensor, *, members_SK: Tensor, weight_S: Tensor | None = None
) -> Tensor:
    """Mean over labelled pixels of -log of the probability that the label's set of classes has together.

    A coarse class is the set of fine classes that it may be: ``logsumexp(z) - logsumexp(z over the set)``.
    A set of one class gives the cross entropy, a set of all classes gives zero.

    Where a class is in several sets it answers all of their labels, and a network learns to say nothing else.
    Shares keep it from that: with the share of each class's ground that is given a label, this is the
    likelihood of the label itself, ``-log sum_k P(label | k) p_k``.

    Args:
        logits_NK: Any floating type; further axes may follow, in both.
        sets_N: int64 number of the label's set; 255 is ignored.
        members_SK: bool, whether a channel is in a set, or float, its share; every set has one at least.
        weight_S: float32, of the pixels of each set; None weighs all alike.

    Returns:
        A scalar; zero where no pixel is labelled.
    """
    logits_PK, sets_P = _labelled(logits_NK, sets_N)
    loss_P = pixel_losses(logits_PK, sets_P, members_SK=members_SK)
    if weight_S is None:
        return loss_P.sum() / max(1, len(loss_P))
    weight_P = weight_S[sets_P]
    return (weight_P * loss_P).sum() / weight_P.sum().clamp(min=1e-12)


def pixel_losses(logits_PK: Tensor, sets_P: Tensor, *, members_SK: Tensor) -> Tensor:
    """The loss of each labelled pixel, float32 [P]; see `partial_label_loss`."""
    logits_PK = logits_PK.float()
    of_all_P = torch.logsumexp(logits_PK, dim=-1)
    of_set_P = torch.logsumexp(logits_PK + members_SK.float().log()[sets_P], dim=-1)
    return of_all_P - of_set_P


def within_set_loss(
    logits_NK: Tensor, told_NK: Tensor, sets_N: Tensor, *, members_SK: Tensor, min_probability: float
) -> Tensor:
    """The cross entropy inside coarse labels' sets, against what another network says of them.

    A coarse label does not tell the classes of its set apart, and the network would let them fall together.
    Another one, which learned them elsewhere, is asked which of the set it would be, and believed where it is
    sure. What it says of other classes is never heard, so the label is never contradicted.

    Args:
        logits_NK: Of the network that learns; further axes may follow, in all.
        told_NK: Logits of the other.
        sets_N: int64 number of the label's set; 255 is ignored.
        members_SK: bool, whether a channel is in a set, or float, its share, which weighs what is told.
        min_probability: Least probability, inside the set, of what is told.

    Returns:
        A scalar: the sum over the pixels that are told, over the number of labelled pixels.
    """
    logits_PK, sets_P = _labelled(logits_NK, sets_N)
    told_PK, _ = _labelled(told_NK, sets_N)
    members_PK = members_SK[sets_P] > 0
    told_PK = told_PK.detach() + members_SK.float().log()[sets_P]
    probability_P, channel_P = told_PK.softmax(dim=-1).max(dim=-1)
    is_told_P = (members_PK.sum(dim=-1) > 1) & (probability_P >= min_probability)
    inside_PK = logits_PK.masked_fill(~members_PK, -torch.inf)[is_told_P]
    cross_entropy = F.cross_entropy(inside_PK, channel_P[is_told_P], reduction="sum")
    return cross_entropy / max(1, len(logits_PK))


def _labelled(logits_NK: Tensor, sets_N: Tensor) -> tuple[Tensor, Tensor]:
    is_labelled_N = sets_N != IGNORED
    return logits_NK.float().movedim(1, -1)[is_labelled_N], sets_N[is_labelled_N]

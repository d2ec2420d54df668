"""Losses over logits, in fp32 whatever the network computes in."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

IGNORED = 255
"""Label of pixels that teach nothing."""


def cross_entropy(logits_NK: Tensor, channels_N: Tensor, *, weight_K: Tensor) -> Tensor:
    """Mean negative log likelihood over labelled pixels, each weighed by its class.

    Args:
        logits_NK: Any floating type; further axes may follow, in both.
        channels_N: int64 channel of the true class; 255 is ignored.
        weight_K: float32, one a channel.
    """
    return F.cross_entropy(logits_NK.float(), channels_N, weight=weight_K, ignore_index=IGNORED)


def half_resolution_cross_entropy(
    sub_pixels_NQhw: Tensor, channels_NHW: Tensor, *, weight_K: Tensor, odd_rows: bool
) -> Tensor:
    """The cross entropy over every second row, from logits that were not shuffled to full resolution.

    Neighbouring rows say nearly the same; leaving one of two out saves much of the loss's cost.

    Args:
        sub_pixels_NQhw: Logits at half resolution; Q is channel, row of two, column of two.
        channels_NHW: int64 channel of the true class at full resolution; 255 is ignored.
        weight_K: float32, one a channel.
        odd_rows: Which rows.
    """
    num_samples, num_maps, height, width = sub_pixels_NQhw.shape
    row = int(odd_rows)
    sub_pixels = sub_pixels_NQhw.permute(0, 2, 3, 1).reshape(num_samples, height, width, num_maps // 4, 2, 2)
    logits_PK = sub_pixels[..., row, :].transpose(-1, -2).reshape(-1, num_maps // 4)
    return cross_entropy(logits_PK, channels_NHW[:, row::2].reshape(-1), weight_K=weight_K)


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


def partial_label_loss(logits_NK: Tensor, sets_N: Tensor, *, members_SK: Tensor) -> Tensor:
    """Mean over labelled pixels of -log of the probability that the label's set of classes has together.

    A coarse class is the set of fine classes that it may be: ``logsumexp(z) - logsumexp(z over the set)``.
    A set of one class gives the cross entropy, a set of all classes gives zero.

    Args:
        logits_NK: Any floating type; further axes may follow, in both.
        sets_N: int64 number of the label's set; 255 is ignored.
        members_SK: bool, whether a channel is in a set; every set has one at least.

    Returns:
        A scalar; zero where no pixel is labelled.
    """
    is_labelled_N = sets_N != IGNORED
    logits_PK = logits_NK.float().movedim(1, -1)[is_labelled_N]
    members_PK = members_SK[sets_N[is_labelled_N]]
    of_all_P = torch.logsumexp(logits_PK, dim=-1)
    of_set_P = torch.logsumexp(logits_PK.masked_fill(~members_PK, -torch.inf), dim=-1)
    return (of_all_P - of_set_P).sum() / max(1, len(logits_PK))

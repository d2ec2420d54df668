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

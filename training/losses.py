"""Losses over logits, in fp32 whatever the network computes in."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

IGNORED = 255
"""Label of pixels that teach nothing."""


def cross_entropy(logits_NKHW: Tensor, channels_NHW: Tensor, *, weight_K: Tensor) -> Tensor:
    """Mean negative log likelihood over labelled pixels, each weighed by its class.

    Args:
        logits_NKHW: Any floating type.
        channels_NHW: int64 channel of the true class; 255 is ignored.
        weight_K: float32, one a channel.
    """
    return F.cross_entropy(logits_NKHW.float(), channels_NHW, weight=weight_K, ignore_index=IGNORED)


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

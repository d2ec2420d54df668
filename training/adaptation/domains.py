"""Means over the source domains that a batch happens to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def domain_means(value_P: Tensor, domain_P: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of each domain that is present.

    Args:
        value_P: float32, of each pixel.
        domain_P: int64, its domain's number.

    Returns:
        Numbers of the domains, ascending, int64 [D], and their means, float32 [D]; both empty without pixels.
    """
    number_D, position_P, count_D = torch.unique(domain_P, return_inverse=True, return_counts=True)
    total_D = value_P.new_zeros(len(number_D)).index_add(0, position_P, value_P)
    return number_D, total_D / count_D

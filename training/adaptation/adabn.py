"""AdaBN: the statistics of batch normalisation taken from the target.

Axes: N samples, F features of a layer, h and w positions.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from training.adaptation.augmentation import Augmentation
from training.adaptation.method import norms_of, see

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn
    from torch.nn.modules.batchnorm import _BatchNorm

    from training.adaptation.method import Samples
    from training.adaptation.pools import Pool
    from training.networks.compact import CompactUNet


class _ReachedError(Exception):
    """The layer looked at has been given its input; what follows it is not wanted."""


@torch.no_grad()
def with_target_statistics(network: CompactUNet, batches: Sequence[Samples], *, alpha: float) -> CompactUNet:
    """A copy whose running statistics are the source's, moved towards the target's.

    Layer by layer: each layer's moments are those of its inputs when all layers before it have their new
    statistics already. So they do not depend on how samples are batched, and at alpha 1 each layer's inputs
    have exactly the mean and the variance that it takes off. Positions without data do not count.

    Args:
        network: Trained on the source.
        batches: Of the target; see `draw_batches`.
        alpha: 0 gives the source's statistics back, bit for bit, 1 the target's.

    Returns:
        In evaluation mode.

    Raises:
        ValueError: There are no samples.

    Source:
        Li, Wang, Shi, Hou, Liu 2018, Adaptive Batch Normalization for practical domain adaptation
        (arXiv:1603.04779), algorithm 1; blended: Schneider, Rusak, Eck, Bringmann, Brendel, Bethge 2020,
        Improving robustness against common corruptions by covariate shift adaptation (arXiv:2006.16971),
        ``N / (N + n)`` of the source's moments and ``n / (N + n)`` of the target's, which alpha stands for.
    """
    if not batches:
        raise ValueError("no samples of the target to take statistics from")
    adapted = copy.deepcopy(network).eval()
    for norm in _in_forward_order(adapted, batches[0]):
        mean_F, variance_F = _input_moments(adapted, norm, batches)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.lerp_(mean_F.to(norm.running_mean), alpha)
        norm.running_var.lerp_(variance_F.to(norm.running_var), alpha)
    return adapted


def draw_batches(
    pool: Pool, *, num_samples: int, crop_px: int, batch_size: int = 8, seed: int = 0
) -> list[Samples]:
    """Crops of a pool, not augmented, in batches."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [batch_size] * (num_samples // batch_size) + [num_samples % batch_size]
    return [
        pool.draw(size, crop_px=crop_px, augmentation=Augmentation(), generator=generator)
        for size in sizes
        if size
    ]


def _in_forward_order(network: CompactUNet, samples: Samples) -> list[_BatchNorm]:
    order: list[_BatchNorm] = []
    handles = [
        norm.register_forward_pre_hook(lambda module, _: order.append(module)) for norm in norms_of(network)
    ]
    try:
        see(network, samples)
    finally:
        for handle in handles:
            handle.remove()
    return order


def _input_moments(
    network: CompactUNet, norm: _BatchNorm, batches: Sequence[Samples]
) -> tuple[Tensor, Tensor]:
    """Mean and variance, float64 [F], of what a layer is given, over positions that have data."""
    total, total_F, squares_F = torch.zeros((), dtype=torch.float64), None, None
    given: list[Tensor] = []

    def catch(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        given.append(inputs[0])
        raise _ReachedError

    handle = norm.register_forward_pre_hook(catch)
    try:
        for samples in batches:
            with suppress(_ReachedError):
                see(network, samples)
            features_NFhw = given.pop().double()
            share_N1HW = samples.image_NCHW.any(dim=1, keepdim=True).double()
            height, width = features_NFhw.shape[-2:]
            weight_N1hw = F.adaptive_avg_pool2d(share_N1HW, (height, width))
            sum_F = (weight_N1hw * features_NFhw).sum(dim=(0, 2, 3))
            square_F = (weight_N1hw * features_NFhw**2).sum(dim=(0, 2, 3))
            total = total + weight_N1hw.sum()
            total_F = sum_F if total_F is None else total_F + sum_F
            squares_F = square_F if squares_F is None else squares_F + square_F
    finally:
        handle.remove()
    assert total_F is not None
    assert squares_F is not None
    if not total:
        raise ValueError("the target's samples have no data: draw others")
    mean_F = total_F / total
    return mean_F, (squares_F / total - mean_F**2).clamp(min=0)

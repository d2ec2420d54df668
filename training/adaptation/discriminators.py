"""Discriminators of source and target, and the layer that turns their gradient round.

Axes: N samples, F features, h and w positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

if TYPE_CHECKING:
    from collections.abc import Callable


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, strength: float) -> Tensor:  # noqa: ANN401 - torch's own
        ctx.strength = strength
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own
        (gradient,) = gradients
        return -ctx.strength * gradient, None


def reverse_gradient(values: Tensor, *, strength: float) -> Tensor:
    """The same values, ``R(x) = x``; what flows back is multiplied by ``dR/dx = -strength``.

    Source:
        Ganin et al. 2016, Domain-Adversarial Training of Neural Networks (arXiv:1505.07818), the gradient
        reversal layer.
    """
    reversed_: Tensor = _Reversal.apply(values, strength)  # type: ignore[no-untyped-call]
    return reversed_


def of_positions(num_features: int, *, width: int = 64, seed: int = 0) -> nn.Module:
    """Tells where each position is from by its own features; [N, F, h, w] to logits [N, 1, h, w]."""
    return _seeded(
        seed,
        lambda: nn.Sequential(
            nn.Conv2d(num_features, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(),
            nn.Conv2d(width, 1, 1),
        ),
    )  # fmt: skip


def of_layouts(num_features: int, *, width: int = 32, seed: int = 0) -> nn.Module:
    """Tells it by what lies around, in steps of two; [N, F, h, w] to logits [N, 1, h/8, w/8].

    Source:
        Radford, Metz, Chintala 2016, Unsupervised Representation Learning with Deep Convolutional Generative
        Adversarial Networks (arXiv:1511.06434), as Vu et al. 2019 take it for AdvEnt: they of five
        convolutions, here three, as maps are smaller.
    """
    return _seeded(
        seed,
        lambda: nn.Sequential(
            nn.Conv2d(num_features, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 4, stride=2, padding=1),
        ),
    )  # fmt: skip


def domain_loss(logits: Tensor, *, is_source: bool) -> Tensor:
    """Mean binary cross entropy of logits of "this is source", float32."""
    logits = logits.float()
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(is_source)))


def _seeded(seed: int, build: Callable[[], nn.Module]) -> nn.Module:
    """Weights drawn from a seed, the chance of everything else left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()

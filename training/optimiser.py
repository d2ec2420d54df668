"""Muon for convolutions, AdamW for the rest.

Muon replaces a gradient matrix by the nearest orthogonal one, so that all directions of a layer move alike.
On these networks the loss falls further in the same number of steps than with AdamW alone.

Source:
    Jordan et al. 2024, Muon: an optimizer for hidden layers (kellerjordan.github.io/posts/muon).
"""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration, from the source."""
_NUM_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised.

    Args:
        params: Weights of two or more axes; the first is the output.
        lr: Spectral norm of a step on a matrix that is no taller than wide.
        momentum: Share of the running gradient that stays.
    """

    def __init__(self, params: Iterable[Tensor], *, lr: float, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step."""
        del closure
        for group in self.param_groups:
            for weight in group["params"]:
                state: dict[str, Tensor] = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                running = state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(running, group["momentum"])
                rows, columns = len(ahead), ahead[0].numel()
                update = orthogonalise(ahead.reshape(rows, columns)) * max(1.0, rows / columns) ** 0.5
                weight.add_(update.reshape(weight.shape), alpha=-group["lr"])


class Pair:
    """Two optimisers that step as one, each at its own learning rate.

    Args:
        network: What to train; convolutions but the head go to Muon, everything else to AdamW.
        lr: Peak learning rate of AdamW.
        muon_lr: Peak learning rate of Muon.
    """

    def __init__(self, network: nn.Module, *, lr: float, muon_lr: float) -> None:
        convolutions: list[Tensor] = []
        others: list[Tensor] = []
        for name, parameter in network.named_parameters():
            is_hidden = parameter.ndim > 1 and not name.startswith("head.")
            (convolutions if is_hidden else others).append(parameter)
        self._parts = (
            Muon(convolutions, lr=muon_lr),
            torch.optim.AdamW(others, lr=lr, weight_decay=0.0),
        )
        self._peaks = (muon_lr, lr)

    def step(self, *, share: float) -> None:
        """One step at a share of the peak learning rates."""
        for part, peak in zip(self._parts, self._peaks, strict=True):
            for group in part.param_groups:
                group["lr"] = peak * share
            part.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self._parts:
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """For a checkpoint."""
        return [part.state_dict() for part in self._parts]

    def load_state_dict(self, saved: list[dict[str, Any]]) -> None:
        """From a checkpoint."""
        for part, state in zip(self._parts, saved, strict=True):
            part.load_state_dict(state)


def learning_rate_share(warmup_share: float, *, progress: float) -> float:
    """Share of the peak learning rate: a linear rise, then a cosine down to a hundredth.

    Args:
        warmup_share: Share of the run over which it rises.
        progress: Share of the run that is over.
    """
    if progress < warmup_share:
        return progress / warmup_share * 0.95 + 0.05
    share = min(1.0, (progress - warmup_share) / (1 - warmup_share))
    return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    """Move weights and running statistics of an average towards a network's; counters are copied."""
    for kept, current in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.is_floating_point():
            kept.lerp_(current, 1 - decay)
        else:
            kept.copy_(current)


def orthogonalise(matrix: Tensor) -> Tensor:
    """A matrix of nearly the same singular vectors, and singular values near one.

    Args:
        matrix: Of two axes, any floating type.

    Returns:
        float32 of the same shape; singular values lie between about 0.7 and 1.2.
    """
    first, third, fifth = _NEWTON_SCHULZ
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if is_tall else matrix).to(torch.bfloat16)
    x = x / (x.norm() + 1e-7)
    for _ in range(_NUM_ITERATIONS):
        gram = x @ x.T
        x = first * x + (third * gram + fifth * gram @ gram) @ x
    update: Tensor = (x.T if is_tall else x).float()
    return update

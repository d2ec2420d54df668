"""The loop of every method: source batches, a target's beside them, one term more, an averaged network.

The streams of source, target and method are apart, and the target's forward pass leaves the network's running
statistics alone: a method whose term weighs nothing gives the very network that plain training does.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch

from training.adaptation.augmentation import FLIPS, Augmentation
from training.adaptation.method import Step, norms_of, see
from training.losses import IGNORED, every_second_row, pixel_losses
from training.optimiser import Pair, learning_rate_share, update_average

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from training.adaptation.method import Method
    from training.adaptation.pools import Pool
    from training.networks.compact import CompactUNet

_SOURCE, _TARGET, _METHOD = range(3)
"""Streams of chance."""


@dataclass(frozen=True, kw_only=True)
class FitSpec:
    """How a network is fitted; the same for all that are compared."""

    seed: int
    num_steps: int
    batch_size: int = 8
    """Source samples a step, and as many target samples where a method needs them."""
    crop_px: int = 256
    augmentation: Augmentation = FLIPS
    peak_learning_rate: float = 3e-3
    """Of AdamW, for normalisations, the head, and what a method trains beside the network."""
    peak_muon_learning_rate: float = 0.04
    """Of Muon, for convolutions."""
    warmup_share: float = 0.05
    ema_decay: float = 0.99
    weight: float = 1.0
    """Of the method's term."""
    is_norm_frozen: bool = False
    """Whether source samples are normalised by the running statistics, which then stay: for few labels."""
    max_gradient: float = 5.0
    """Norm that gradients are clipped to."""
    is_mixed_precision: bool = True
    """Whether the network computes in bfloat16 where that is exact enough."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is learned from."""

    source: Pool
    target: Pool | None
    members_SK: Tensor
    """bool, which channels of the head are in the set of a source label."""


@dataclass(kw_only=True)
class FitState:
    """Where a fit stands; all of it changes from step to step."""

    network: CompactUNet
    average: CompactUNet
    optimiser: Pair
    own: torch.optim.AdamW | None
    """Of what the method trains beside the network."""
    method: Method
    step: int = 0
    """Steps that are over."""


class Keeper(Protocol):
    """Keeps the state of a fit, so that one that is stopped goes on."""

    def restore(self, state: FitState) -> None:
        """Bring a state that has just begun to where it was left, if it was."""
        ...

    def keep(self, state: FitState) -> None:
        """Called after each step."""
        ...


def fit_method(
    network: CompactUNet,
    problem: Problem,
    method: Method,
    spec: FitSpec,
    *,
    each_step: Callable[[int, float], None] | None = None,
    keeper: Keeper | None = None,
) -> CompactUNet:
    """Train a network by a method; a network begun with is warm-started.

    Args:
        network: Trained in place.
        problem: What it learns from.
        method: What is altered, and added.
        spec: How.
        each_step: Told the number of each step and its loss.
        keeper: Where the fit goes on, if it was stopped; None begins anew.

    Returns:
        The moving average of the weights, in evaluation mode: what is evaluated.

    Raises:
        ValueError: The method needs a target, and there is none.
        FloatingPointError: The loss is no longer a number.
    """
    if method.needs_target and problem.target is None:
        raise ValueError(f"{type(method).__name__} adapts to a target: give its unlabelled images")
    average = copy.deepcopy(network).eval()
    optimiser = Pair(network, lr=spec.peak_learning_rate, muon_lr=spec.peak_muon_learning_rate)
    beside = list(method.parameters())
    own = torch.optim.AdamW(beside, lr=spec.peak_learning_rate) if beside else None
    state = FitState(network=network, average=average, optimiser=optimiser, own=own, method=method)
    if keeper is not None:
        keeper.restore(state)
    for step in range(state.step, spec.num_steps):
        share = learning_rate_share(spec.warmup_share, progress=step / spec.num_steps)
        loss = _loss(network, problem, method, spec, step=step)
        if not math.isfinite(loss.item()):
            raise FloatingPointError(f"loss is {loss.item()} at step {step}")
        optimiser.zero_grad()
        if own is not None:
            own.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), spec.max_gradient)
        optimiser.step(share=share)
        if own is not None:
            for group in own.param_groups:
                group["lr"] = spec.peak_learning_rate * share
            own.step()
        method.after(network)
        update_average(average, network, decay=min(spec.ema_decay, (1 + step) / (10 + step)))
        state.step = step + 1
        if each_step is not None:
            each_step(step, loss.item())
        if keeper is not None:
            keeper.keep(state)
    return average


def _loss(network: CompactUNet, problem: Problem, method: Method, spec: FitSpec, *, step: int) -> Tensor:
    network.train()
    if spec.is_norm_frozen:
        for norm in norms_of(network):
            norm.eval()
    source = problem.source.draw(
        spec.batch_size,
        crop_px=spec.crop_px,
        augmentation=spec.augmentation,
        generator=_stream(spec, step, _SOURCE),
    )
    target = None
    if method.needs_target:
        assert problem.target is not None
        target = problem.target.draw(
            spec.batch_size,
            crop_px=spec.crop_px,
            augmentation=spec.augmentation,
            generator=_stream(spec, step, _TARGET),
        )
    chance = _stream(spec, step, _METHOD)
    source = method.altered(source, target, generator=chance)
    assert source.labels_NHW is not None, "a source has labels"
    with torch.autocast("cpu", torch.bfloat16, enabled=spec.is_mixed_precision):
        seen = see(network, source)
        logits_PK, labels_P = every_second_row(seen.sub_pixels_NQhw, source.labels_NHW, odd=bool(step % 2))
        is_labelled_P = labels_P != IGNORED
        domain_P = source.domain_N[:, None, None].expand_as(source.labels_NHW[:, ::2]).reshape(-1)
        logits_PK, labels_P = logits_PK[is_labelled_P], labels_P[is_labelled_P]
        loss_P = pixel_losses(logits_PK, labels_P, members_SK=problem.members_SK)
        added = method.term(
            Step(
                network=network,
                source=seen,
                loss_P=loss_P,
                domain_P=domain_P[is_labelled_P],
                logits_PK=logits_PK,
                labels_P=labels_P,
                members_SK=problem.members_SK,
                target=target,
                generator=chance,
                progress=step / spec.num_steps,
            )
        )
    return loss_P.sum() / max(1, len(loss_P)) + spec.weight * added.float()


def _stream(spec: FitSpec, step: int, stream: int) -> torch.Generator:
    """Chance that depends on the seed, the step and the stream alone."""
    return torch.Generator().manual_seed((spec.seed * 1_000_003 + step) * 3 + stream)

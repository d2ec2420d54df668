"""What an adaptation method is: something that changes source images, adds a term to the loss, or both.

Axes: N samples, C bands, H and W pixels, h and w half of them, K channels of the head, F features.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from training.networks.compact import CompactUNet


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Crops of one side, source or target."""

    image_NCHW: Tensor
    """Raw pixels 0-255, float32."""
    labels_NHW: Tensor | None
    """int64, 255 teaches nothing; None of a target, whose labels nobody has."""
    domain_N: Tensor
    """int64, number of the source domain; of targets -1."""
    is_absent_NC: Tensor | None = None
    """bool, bands that a sample does not have, whatever is written there; None where it has all."""

    def with_image(self, image_NCHW: Tensor) -> Samples:
        """The same, with other pixels."""
        return replace(self, image_NCHW=image_NCHW)

    def absences(self) -> Tensor:
        """Bands that each sample does not have, bool [N, C]."""
        if self.is_absent_NC is None:
            return torch.zeros(self.image_NCHW.shape[:2], dtype=torch.bool, device=self.image_NCHW.device)
        return self.is_absent_NC


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the network made of some samples."""

    samples: Samples
    features: list[Tensor]
    """From half the resolution to the deepest, as `CompactUNet.encode` gives them."""
    sub_pixels_NQhw: Tensor
    """Logits before the shuffle."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a method may look at."""

    network: CompactUNet
    source: Seen
    loss_P: Tensor
    """Cross entropy of each labelled pixel looked at, of the source."""
    domain_P: Tensor
    """Number of the source domain of each of them."""
    logits_PK: Tensor
    """Of each of them."""
    labels_P: Tensor
    """Of each of them, a row of ``members_SK``."""
    members_SK: Tensor
    """bool, which channels of the head are in the set of a source label."""
    target: Samples | None
    generator: torch.Generator
    """The method's own chance: what it draws leaves the source's batches as they are."""
    progress: float
    """Share of the run that is over."""


class Method(Protocol):
    """One way to adapt; state, such as a discriminator or a teacher, is the method's own."""

    @property
    def needs_target(self) -> bool:
        """Whether unlabelled target samples are drawn for it."""
        ...

    def parameters(self) -> Iterable[nn.Parameter]:
        """What is trained beside the network."""
        ...

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """The source samples that the network sees instead, labels in place."""
        ...

    def term(self, step: Step) -> Tensor:
        """What is added to the mean cross entropy, once weighed: a finite scalar, float32."""
        ...

    def after(self, network: CompactUNet) -> None:
        """Called when the network has made its step."""
        ...


class Plain:
    """Empirical risk minimisation: nothing altered, nothing added. Methods inherit what they leave alone.

    Source:
        Vapnik 1992, Principles of Risk Minimization for Learning Theory.
    """

    needs_target = False

    def parameters(self) -> Iterable[nn.Parameter]:
        """None."""
        return ()

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """The samples as they are."""
        del target, generator
        return source

    def term(self, step: Step) -> Tensor:
        """Zero."""
        return step.loss_P.new_zeros(())

    def after(self, network: CompactUNet) -> None:
        """Nothing."""
        del network


def full_precision(like: Tensor) -> torch.autocast:
    """Inside, products of float32 stay float32, whatever the network computes in: for sums that matter."""
    return torch.autocast(like.device.type, enabled=False)


def see(network: CompactUNet, samples: Samples) -> Seen:
    """Forward, in the network's mode: in training, batch statistics enter its running ones.

    An absent band stands at its mean, as in the graph that is served.
    """
    normalised_NCHW = (samples.image_NCHW - network.mean_1C11) / network.std_1C11
    if samples.is_absent_NC is not None:
        normalised_NCHW = normalised_NCHW.masked_fill(samples.is_absent_NC[..., None, None], 0.0)
    features = network.encode(normalised_NCHW.contiguous(memory_format=torch.channels_last))
    return Seen(samples=samples, features=features, sub_pixels_NQhw=network.head(network.decode(features)))


def shown(network: CompactUNet, samples: Samples) -> Tensor:
    """Raw pixels as `see` takes them: an absent band at the mean, which normalised is zero."""
    return torch.where(samples.absences()[..., None, None], network.mean_1C11, samples.image_NCHW)


def norms_of(network: nn.Module) -> list[_BatchNorm]:
    """Its batch normalisations, in the order of their names, which is not that of the forward pass."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@contextmanager
def statistics_left_alone(network: nn.Module) -> Iterator[None]:
    """Forward passes inside use batch statistics, and leave the running ones as they were.

    Target samples are seen so, apart from the source's: what is served has the source's statistics unless a
    method says otherwise, and a method of weight zero leaves no trace.
    """
    norms = norms_of(network)
    kept = [dict(norm.named_buffers(recurse=False)) for norm in norms]
    # Copies take their place: the source's backward pass still wants the very tensors of its forward pass.
    for norm, buffers in zip(norms, kept, strict=True):
        for name, buffer in buffers.items():
            setattr(norm, name, buffer.clone())
    try:
        yield
    finally:
        for norm, buffers in zip(norms, kept, strict=True):
            for name, buffer in buffers.items():
                setattr(norm, name, buffer)


def see_target(step: Step) -> Seen:
    """What the network makes of a step's target samples, its running statistics left alone.

    Raises:
        ValueError: The method asked for no target.
    """
    if step.target is None:
        raise ValueError("no target samples: needs_target is not set")
    return see_apart(step.network, step.target)


def see_apart(network: CompactUNet, samples: Samples) -> Seen:
    """`see` by the samples' own batch statistics, the running ones left alone."""
    with statistics_left_alone(network):
        return see(network, samples)

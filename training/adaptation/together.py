"""Methods at the same time: their changes one after the other, their terms added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.adaptation.method import Plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from training.adaptation.method import Method, Samples, Step
    from training.networks.compact import CompactUNet


class Together(Plain):
    """Several methods as one.

    Args:
        methods: In the order in which they change samples; one weight is common to their terms.
    """

    def __init__(self, *methods: Method) -> None:
        self.methods = methods

    @property
    def needs_target(self) -> bool:  # type: ignore[override]
        """Whether one of them does."""
        return any(method.needs_target for method in self.methods)

    def parameters(self) -> Iterable[nn.Parameter]:
        """All of theirs."""
        return [parameter for method in self.methods for parameter in method.parameters()]

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """As all of them alter it."""
        for method in self.methods:
            source = method.altered(source, target, generator=generator)
        return source

    def term(self, step: Step) -> Tensor:
        """The sum of theirs."""
        return torch.stack([method.term(step).float() for method in self.methods]).sum()

    def after(self, network: CompactUNet) -> None:
        """Each of them, in order."""
        for method in self.methods:
            method.after(network)

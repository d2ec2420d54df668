"""FO-MAML: weights from which a step or two on a few samples of a domain lead to a good network for it.

Axes: N samples, S labels, K channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.func import functional_call

from training.adaptation.method import Plain, shown, statistics_left_alone
from training.losses import partial_label_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from training.adaptation.augmentation import Augmentation
    from training.adaptation.method import Samples, Step
    from training.adaptation.pools import Pool
    from training.networks.compact import CompactUNet

    Weights = dict[str, Tensor]


class Tasks:
    """Source domains as tasks, each with samples to adapt on and others to be judged on.

    Args:
        source: The pool.
        num_shots: Samples to adapt on, and as many to be judged on.
        num_tasks: Domains a step.
        augmentation: Of both.
    """

    def __init__(
        self, source: Pool, *, num_shots: int = 2, num_tasks: int = 2, augmentation: Augmentation
    ) -> None:
        numbers = sorted(set(source.domain_numbers))
        self._pools = [source.of_domain(number) for number in numbers]
        self.num_shots, self.num_tasks, self.augmentation = num_shots, num_tasks, augmentation

    def draw(self, *, crop_px: int, generator: torch.Generator) -> list[tuple[Samples, Samples]]:
        """Support and query of some domains, no domain twice."""
        order = torch.randperm(len(self._pools), generator=generator)[: self.num_tasks].tolist()
        return [(self._samples(n, crop_px, generator), self._samples(n, crop_px, generator)) for n in order]

    def _samples(self, number: int, crop_px: int, generator: torch.Generator) -> Samples:
        return self._pools[number].draw(
            self.num_shots, crop_px=crop_px, augmentation=self.augmentation, generator=generator
        )


class FirstOrderMaml(Plain):
    """The loss on other samples of a domain, once all weights have made some steps on a few.

    ``w' = w - alpha grad L_support(w)`` for each task, then a step on the mean of ``L_query(w')``, in the
    paper their sum, and here with the optimisers of the loop. The gradient is that of the adapted weights, as
    if the steps were constants: the first-order approximation, which leaves second derivatives out. It
    replaces the mean over pixels: the term is *less* the mean cross entropy, so that the loop's sum is
    FO-MAML at weight 1 and plain training at weight 0. Adapting leaves the running statistics alone.

    Args:
        tasks: What is adapted to.
        inner_rate: Learning rate of the steps, alpha.
        num_inner_steps: How many.

    Source:
        Finn, Abbeel, Levine 2017, Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks
        (arXiv:1703.03400), MAML for few-shot supervised learning, in its first-order approximation.
    """

    def __init__(self, tasks: Tasks, *, inner_rate: float = 0.01, num_inner_steps: int = 1) -> None:
        self.tasks, self.inner_rate, self.num_inner_steps = tasks, inner_rate, num_inner_steps

    def term(self, step: Step) -> Tensor:
        """Mean over tasks of the loss after adapting, less the mean cross entropy."""
        crop_px = step.source.samples.image_NCHW.shape[-1]
        tasks = self.tasks.draw(crop_px=crop_px, generator=step.generator)
        with statistics_left_alone(step.network):
            loss = torch.stack([self._judged(step, support, query) for support, query in tasks]).mean()
        return loss - step.loss_P.sum() / max(1, len(step.loss_P))

    def _judged(self, step: Step, support: Samples, query: Samples) -> Tensor:
        def loss_of(weights: Weights, samples: Samples = support) -> Tensor:
            return _loss(step.network, weights, samples, step.members_SK)

        begun_with: Weights = dict(step.network.named_parameters())
        adapted = adapted_weights(begun_with, loss_of, rate=self.inner_rate, num_steps=self.num_inner_steps)
        return loss_of(adapted, query)


def adapted_weights(
    weights: Weights, loss_of: Callable[[Weights], Tensor], *, rate: float, num_steps: int
) -> Weights:
    """Weights after steps of gradient descent, which count as constants where these are differentiated."""
    for _ in range(num_steps):
        gradients = torch.autograd.grad(loss_of(weights), list(weights.values()))
        weights = {
            name: weight - rate * gradient
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        }
    return weights


def _loss(network: CompactUNet, weights: Weights, samples: Samples, members_SK: Tensor) -> Tensor:
    assert samples.labels_NHW is not None, "a source has labels"
    logits_NKHW = functional_call(network, weights, (shown(network, samples),))
    # Every second row, as everywhere: neighbouring rows say nearly the same.
    return partial_label_loss(logits_NKHW[:, :, ::2], samples.labels_NHW[:, ::2], members_SK=members_SK)

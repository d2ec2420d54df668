"""ANIL: features on which a few steps of the head alone, on a few samples of a domain, suffice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.func import functional_call

from training.adaptation.maml import adapted_weights
from training.adaptation.method import Plain, shown, statistics_left_alone
from training.losses import every_second_row, partial_label_loss

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.maml import Tasks, Weights
    from training.adaptation.method import Samples, Step
    from training.networks.compact import CompactUNet


class AlmostNoInnerLoop(Plain):
    """FO-MAML whose steps move the head only; features are computed once a sample.

    ``h' = h - alpha grad_h L_support(h, features)``, then a step of all weights on ``L_query(h', features)``.
    The paper's own is of second order; here the steps count as constants.

    Like `FirstOrderMaml` it replaces the mean over pixels, is plain training at weight 0, and leaves the
    running statistics alone while adapting.

    Args:
        tasks: What is adapted to.
        inner_rate: Learning rate of the head's steps, alpha.
        num_inner_steps: How many.

    Source:
        Raghu, Raghu, Bengio, Vinyals 2020, Rapid Learning or Feature Reuse? Towards Understanding the
        Effectiveness of MAML (arXiv:1909.09157), the ANIL (Almost No Inner Loop) algorithm.
    """

    def __init__(self, tasks: Tasks, *, inner_rate: float = 0.1, num_inner_steps: int = 3) -> None:
        self.tasks, self.inner_rate, self.num_inner_steps = tasks, inner_rate, num_inner_steps

    def term(self, step: Step) -> Tensor:
        """Mean over tasks of the loss after the head has adapted, less the mean cross entropy."""
        crop_px = step.source.samples.image_NCHW.shape[-1]
        tasks = self.tasks.draw(crop_px=crop_px, generator=step.generator)
        loss = torch.stack([self._judged(step, support, query) for support, query in tasks]).mean()
        return loss - step.loss_P.sum() / max(1, len(step.loss_P))

    def _judged(self, step: Step, support: Samples, query: Samples) -> Tensor:
        head, members_SK = step.network.head, step.members_SK
        with statistics_left_alone(step.network):
            # Its gradient would be the steps' own, which count as constants.
            to_adapt = _features(step.network, support).detach()
            to_judge = _features(step.network, query)

        def loss_of(weights: Weights) -> Tensor:
            return _loss(functional_call(head, weights, (to_adapt,)), support, members_SK)

        adapted = adapted_weights(
            dict(head.named_parameters()), loss_of, rate=self.inner_rate, num_steps=self.num_inner_steps
        )
        return _loss(functional_call(head, adapted, (to_judge,)), query, members_SK)


def _features(network: CompactUNet, samples: Samples) -> Tensor:
    """What the head is given, [N, F, h, w]."""
    normalised_NCHW = (shown(network, samples) - network.mean_1C11) / network.std_1C11
    return network.decode(network.encode(normalised_NCHW))


def _loss(sub_pixels_NQhw: Tensor, samples: Samples, members_SK: Tensor) -> Tensor:
    assert samples.labels_NHW is not None, "a source has labels"
    logits_PK, labels_P = every_second_row(sub_pixels_NQhw, samples.labels_NHW, odd=False)
    return partial_label_loss(logits_PK, labels_P, members_SK=members_SK)

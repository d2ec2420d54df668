"""Self-training: a teacher's predictions on the target, mixed with labelled source, teach the network.

Axes: N samples, C bands, H and W pixels, K channels, S labels, P pixels of every second row.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from training.adaptation.augmentation import Augmentation, recoloured
from training.adaptation.class_mix import class_mix
from training.adaptation.method import Plain, Samples, see, see_apart
from training.losses import IGNORED, every_second_row, pixel_losses
from training.optimiser import update_average

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.method import Step
    from training.adaptation.rare_classes import RareClasses
    from training.networks.compact import CompactUNet

MIXED_COLOURS = Augmentation(gain=0.2, band_gain=0.08, offset=10.0, gamma=0.2)
"""What mixed samples are recoloured by, beyond the colours that the teacher sees."""


class SelfTraining(Plain):
    """Cross entropy on source laid over target by ClassMix, where the target's labels are a teacher's.

    The teacher is a moving average of the network; it gets no gradient, and normalises by the target's own
    batch, as the network then does. A target pixel weighs what share of its sample the teacher is sure of,
    a source pixel 1. Its label is a single channel, whatever sets of channels the source's labels are.
    Where the target has no data, nothing is believed.

    With theta of the network and phi of the teacher, ``phi <- decay phi + (1 - decay) theta``; the weight of
    sample i is ``q_i``, the share of its pixels whose likeliest class has ``max p >= min_confidence``. Other
    than in DAFormer, rare classes are drawn for what is cut out alone, the step's own source samples staying
    even, and its distance of features to ImageNet's is not here; other than in DACS, mixed samples are not
    blurred, and the teacher sees target samples that the loop has augmented, not the plain ones.

    Args:
        network: That the teacher begins as.
        rare: Draws the source samples that are cut out; None takes the step's.
        decay: Of the teacher's moving average, once as many steps are over as it is long.
        min_confidence: From which probability the teacher is sure.
        colours: What mixed samples are recoloured by.
        source_augmentation: Of what ``rare`` draws.

    Source:
        Tranheden, Olsson, Pinto, Svensson 2021, DACS: Domain Adaptation via Cross-domain Mixed Sampling
        (arXiv:2007.08702); Hoyer, Dai, Van Gool 2022, DAFormer: Improving Network Architectures and Training
        Strategies for Domain-Adaptive Semantic Segmentation (arXiv:2111.14887), its self-training with
        quality estimates and "Rare Class Sampling".
    """

    needs_target = True

    def __init__(
        self,
        network: CompactUNet,
        *,
        rare: RareClasses | None = None,
        decay: float = 0.99,
        min_confidence: float = 0.968,
        colours: Augmentation = MIXED_COLOURS,
        source_augmentation: Augmentation | None = None,
    ) -> None:
        self.teacher = copy.deepcopy(network).train().requires_grad_(requires_grad=False)
        self.rare, self.decay, self.min_confidence = rare, decay, min_confidence
        self.colours, self.source_augmentation = colours, source_augmentation or Augmentation()
        self._num_steps = 0

    def term(self, step: Step) -> Tensor:
        """Mean over the mixed pixels that have a label, each by its weight."""
        assert step.target is not None, "needs_target is set"
        num_labels = len(step.members_SK)
        pseudo_NHW, sure_N = self.told(step.target, first_label=num_labels)
        mixed = class_mix(self._cut_from(step), step.target, pseudo_NHW, generator=step.generator)
        image_NCHW = recoloured(mixed.image_NCHW, self.colours, generator=step.generator)
        shown = replace(step.target, image_NCHW=image_NCHW, is_absent_NC=mixed.is_absent_NC)
        seen = see_apart(step.network, shown)
        odd = bool(torch.randint(2, (), generator=step.generator))
        logits_PK, labels_P = every_second_row(seen.sub_pixels_NQhw, mixed.labels_NHW, odd=odd)
        weight_NHW = torch.where(mixed.is_source_NHW, 1.0, sure_N[:, None, None])
        weight_P = weight_NHW[:, int(odd) :: 2].reshape(-1)
        is_labelled_P = labels_P != IGNORED
        loss_P = pixel_losses(
            logits_PK[is_labelled_P],
            labels_P[is_labelled_P],
            members_SK=with_single_channels(step.members_SK),
        )
        return (weight_P[is_labelled_P] * loss_P).sum() / max(1, len(loss_P))

    def after(self, network: CompactUNet) -> None:
        """The teacher follows."""
        self._num_steps += 1
        update_average(self.teacher, network, decay=min(self.decay, 1 - 1 / (self._num_steps + 1)))

    @torch.no_grad()
    def told(self, target: Samples, *, first_label: int) -> tuple[Tensor, Tensor]:
        """What the teacher says of the target.

        Args:
            target: Samples.
            first_label: The label of channel 0; those of the others follow.

        Returns:
            Labels int64 [N, H, W], 255 where there is no data, and the share of each sample's pixels with
            data that the teacher is sure of, float32 [N].
        """
        sub_pixels_NQhw = see(self.teacher, target).sub_pixels_NQhw
        posterior_NKHW = F.pixel_shuffle(sub_pixels_NQhw.float(), 2).softmax(dim=1)
        probability_NHW, channel_NHW = posterior_NKHW.max(dim=1)
        is_seen_NHW = target.image_NCHW.any(dim=1)
        is_sure_NHW = (probability_NHW >= self.min_confidence) & is_seen_NHW
        sure_N = is_sure_NHW.sum(dim=(1, 2)) / is_seen_NHW.sum(dim=(1, 2)).clamp(min=1)
        return torch.where(is_seen_NHW, channel_NHW + first_label, IGNORED), sure_N

    def _cut_from(self, step: Step) -> Samples:
        samples = step.source.samples
        if self.rare is None:
            return samples
        return self.rare.draw(
            len(samples.image_NCHW),
            crop_px=samples.image_NCHW.shape[-1],
            augmentation=self.source_augmentation,
            generator=step.generator,
        )


def with_single_channels(members_SK: Tensor) -> Tensor:
    """Label sets, then one set for each single channel: bool [S + K, K]."""
    num_channels = members_SK.shape[1]
    assert len(members_SK) + num_channels <= IGNORED, "labels stay below the one that teaches nothing"
    return torch.cat([members_SK, torch.eye(num_channels, dtype=torch.bool, device=members_SK.device)])

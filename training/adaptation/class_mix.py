"""ClassMix: some classes of a source sample cut out and laid over a target sample, each pixel with its label.

Axes: N samples, C bands, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from training.losses import IGNORED

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.method import Samples


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """Source laid over target."""

    image_NCHW: Tensor
    labels_NHW: Tensor
    is_absent_NC: Tensor
    """bool, bands that either side lacks: half a band would tell the sides apart."""
    is_source_NHW: Tensor
    """bool, which pixels, and which labels with them, are the source's; all others are the target's."""


def class_mix(
    source: Samples, target: Samples, target_labels_NHW: Tensor, *, generator: torch.Generator
) -> Mixed:
    """Half of the labels that each source sample holds, rounded up, with all of their pixels.

    ``x = M x_s + (1 - M) x_t``, and labels alike, where M is 1 on the labels that were drawn. ClassMix draws
    them from predictions on another unlabelled image and rounds half of them down in its code; DACS from the
    labels of a source image, rounded up. What teaches nothing in the source is never laid over anything.

    Args:
        source: With labels.
        target: As many samples, of the same size.
        target_labels_NHW: What is believed of them, in numbers that the caller tells from the source's.
        generator: Draws the labels.

    Source:
        Olsson, Tranheden, Pinto, Svensson 2021, ClassMix: Segmentation-Based Data Augmentation for
        Semi-Supervised Learning (arXiv:2007.07936); between domains: Tranheden, Olsson, Pinto, Svensson 2021,
        DACS: Domain Adaptation via Cross-domain Mixed Sampling (arXiv:2007.08702).
    """
    assert source.labels_NHW is not None, "a source has labels"
    is_source_NHW = torch.stack([_chosen(labels_HW, generator) for labels_HW in source.labels_NHW])
    return Mixed(
        image_NCHW=torch.where(is_source_NHW[:, None], source.image_NCHW, target.image_NCHW),
        labels_NHW=torch.where(is_source_NHW, source.labels_NHW, target_labels_NHW),
        is_absent_NC=source.absences() | target.absences(),
        is_source_NHW=is_source_NHW,
    )


def _chosen(labels_HW: Tensor, generator: torch.Generator) -> Tensor:
    present = torch.unique(labels_HW)
    present = present[present != IGNORED]
    order = torch.randperm(len(present), generator=generator).to(present.device)
    return torch.isin(labels_HW, present[order[: (len(present) + 1) // 2]])

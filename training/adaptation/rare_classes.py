"""Rare-class sampling: source crops drawn for the sake of a label, the rare ones most often.

Axes: S labels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from training.adaptation.method import Samples
from training.losses import IGNORED

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.augmentation import Augmentation
    from training.adaptation.pools import Pool

_ROOM = 1.5
"""Side of what a crop is drawn from, in crops: the label is then near, and not always in the middle."""


class RareClasses:
    """Draws a label, then an image that has it, then crops near one of its pixels until one has some of it.

    Args:
        pool: Of the source.
        temperature: How far rare labels are preferred; the paper's 0.01, for 19 classes, leaves of a
            handful of labels hardly any but the rarest.
        min_px: Pixels of the label that a crop should have.
        num_tries: Crops drawn at most for one sample; the last is taken as it is.

    Raises:
        ValueError: The pool has no labelled pixel.

    Source:
        Hoyer, Dai, Van Gool 2022, DAFormer: Improving Network Architectures and Training Strategies for
        Domain-Adaptive Semantic Segmentation (arXiv:2111.14887), "Rare Class Sampling": label c is drawn with
        a probability proportional to ``exp((1 - f_c) / T)``, where f_c is its share of the source's pixels,
        here of the labelled ones, as in its code.
    """

    def __init__(self, pool: Pool, *, temperature: float = 0.1, min_px: int = 64, num_tries: int = 4) -> None:
        assert pool.labels is not None, "a source has labels"
        self.min_px, self.num_tries = min_px, num_tries
        counts_IS = torch.stack([_counts(labels_HW) for labels_HW in pool.labels])
        if not counts_IS.any():
            raise ValueError("no labelled pixel to draw rare classes from")
        frequency_S = counts_IS.sum(dim=0) / counts_IS.sum()
        score_S = (1 - frequency_S) / temperature
        self.probability_S = score_S.masked_fill(frequency_S == 0, -torch.inf).softmax(dim=0)
        self._holders = {
            label: pool.chosen(counts_IS[:, label].nonzero().flatten().tolist())
            for label in frequency_S.nonzero().flatten().tolist()
        }

    def draw(
        self, num_samples: int, *, crop_px: int, augmentation: Augmentation, generator: torch.Generator
    ) -> Samples:
        """Crops, each for the sake of a label drawn for it; see `Pool.draw`."""
        labels = torch.multinomial(
            self.probability_S, num_samples, replacement=True, generator=generator
        ).tolist()
        drawn = [
            self._one(label, crop_px=crop_px, augmentation=augmentation, generator=generator)
            for label in labels
        ]
        return Samples(
            image_NCHW=torch.cat([each.image_NCHW for each in drawn]),
            labels_NHW=torch.cat([_labels(each) for each in drawn]),
            domain_N=torch.cat([each.domain_N for each in drawn]),
            is_absent_NC=torch.cat([each.absences() for each in drawn]),
        )

    def _one(
        self, label: int, *, crop_px: int, augmentation: Augmentation, generator: torch.Generator
    ) -> Samples:
        around = self._around(label, round(_ROOM * crop_px), generator=generator)
        for _ in range(self.num_tries):
            drawn = around.draw(1, crop_px=crop_px, augmentation=augmentation, generator=generator)
            if (_labels(drawn) == label).sum() >= self.min_px:
                break
        return drawn

    def _around(self, label: int, side_px: int, *, generator: torch.Generator) -> Pool:
        """A part of one image, in whose middle, but for its borders, is a pixel of the label."""
        holders = self._holders[label]
        index = int(torch.randint(len(holders.images), (), generator=generator))
        assert holders.labels is not None, "a source has labels"
        labels_HW = holders.labels[index]
        pixels = (labels_HW == label).nonzero()
        row, col = pixels[int(torch.randint(len(pixels), (), generator=generator))].tolist()
        window = tuple(
            slice(start := max(0, min(middle - side_px // 2, length - side_px)), start + side_px)
            for middle, length in zip((row, col), labels_HW.shape, strict=True)
        )
        return replace(
            holders,
            images=(holders.images[index][(slice(None), *window)],),
            labels=(labels_HW[window],),
            domain_numbers=(holders.domain_numbers[index],),
            absent=(holders.absent[index],) if holders.absent is not None else None,
        )


def _counts(labels_HW: Tensor) -> Tensor:
    """Pixels of each label but the one that teaches nothing, int64 [255]."""
    return torch.bincount(labels_HW.flatten().long(), minlength=IGNORED + 1)[:IGNORED]


def _labels(samples: Samples) -> Tensor:
    assert samples.labels_NHW is not None, "a source has labels"
    return samples.labels_NHW

"""Calibration: the temperature at which confidences are true, and how far from true they are.

Axes: C bands, H and W pixels, K channels, S label sets, P pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from training.evaluate import raw_logits
from training.losses import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from training.data.sources import Source
    from training.networks.compact import CompactUNet

_CANDIDATES = np.geomspace(0.25, 4.0, 161)
_NUM_BINS = 15
PIXELS_PER_IMAGE = 4000


@dataclass(frozen=True, kw_only=True)
class LabelledLogits:
    """Logits of labelled pixels, temperature not applied."""

    logits_PK: Tensor
    members_PK: Tensor
    """bool, which channels the label of each pixel may be."""

    @classmethod
    def of(
        cls,
        network: CompactUNet,
        source: Source,
        *,
        channels: Sequence[int],
        missing: Sequence[int] = (),
        seed: int = 0,
    ) -> Self:
        """Of pixels drawn from each image that has any labelled.

        Args:
            network: In evaluation mode.
            source: Labelled images.
            channels: Live channel to class value.
            missing: Positions of bands that the network is served without.
            seed: Of the draw.

        Raises:
            ValueError: No pixel is labelled.
        """
        rng = np.random.default_rng(seed)
        members_SK = torch.from_numpy(source.sets.members(channels))
        away = sorted({*missing, *source.absent})
        logits, members = [], []
        for image_CHW, labels_HW in zip(source.images, source.labels, strict=True):
            labels = np.asarray(labels_HW).ravel()
            labelled = np.flatnonzero(labels != IGNORED)
            if not len(labelled):
                continue
            chosen = rng.choice(labelled, min(PIXELS_PER_IMAGE, len(labelled)), replace=False)
            logits_KHW = raw_logits(network, np.asarray(image_CHW), missing=away)
            logits.append(logits_KHW.flatten(1)[:, torch.from_numpy(chosen)].T)
            members.append(members_SK[torch.from_numpy(labels[chosen].astype(np.int64))])
        if not logits:
            raise ValueError("no labelled pixel to calibrate on")
        return cls(logits_PK=torch.cat(logits), members_PK=torch.cat(members))

    def temperature(self) -> float:
        """The temperature of the least negative log likelihood; a coarse label is the set that it may be.

        Source:
            Guo, Pleiss, Sun, Weinberger 2017, On Calibration of Modern Neural Networks, section 4.2.
        """
        losses = [self.loss(float(value)) for value in _CANDIDATES]
        return round(float(_CANDIDATES[int(np.argmin(losses))]), 4)

    def loss(self, temperature: float) -> float:
        """Mean negative log likelihood at a temperature."""
        scaled_PK = self.logits_PK / temperature
        inside_PK = scaled_PK.masked_fill(~self.members_PK, -torch.inf)
        return float((scaled_PK.logsumexp(dim=1) - inside_PK.logsumexp(dim=1)).mean())

    def ece(self, temperature: float) -> float:
        """Expected calibration error at a temperature: confidence less accuracy, over 15 bins of confidence.

        A class inside a coarse label's set counts as right, so that confidences of coarse labels look lower
        than they should be: compare only figures of the same data.

        Source:
            Guo et al. 2017, equation 3.
        """
        confidence_P, channel_P = (self.logits_PK / temperature).softmax(dim=1).max(dim=1)
        is_right_P = self.members_PK.gather(1, channel_P[:, None])[:, 0].double()
        bin_P = (confidence_P * _NUM_BINS).long().clamp(max=_NUM_BINS - 1)
        gaps = torch.zeros(_NUM_BINS, dtype=torch.float64).index_add_(
            0, bin_P, confidence_P.double() - is_right_P
        )
        return float(gaps.abs().sum() / len(confidence_P))

"""Augmentation on the tensor's device: turns, zoom and radiometry of a batch, drawn from one generator.

Axes: N samples, C bands, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How much a batch is changed; standard deviations of normal draws, but for ``zoom``."""

    zoom: tuple[float, float] = (1.0, 1.0)
    """Least and largest magnification of a sample."""
    gain: float = 0.0
    """Of the log of a gain that all bands share."""
    band_gain: float = 0.0
    """Of the log of each band's own gain."""
    offset: float = 0.0
    """Of an offset that all bands share, in grey levels."""
    gamma: float = 0.0
    """Of the log of gamma."""
    haze: float = 0.0
    """Of how much of the image is veiled in white; its absolute value counts."""


FLIPS = Augmentation()
"""Quarter turns and mirrors alone: S0."""
STRONG = Augmentation(zoom=(1 / 1.4, 1.4), gain=0.12, band_gain=0.048, offset=6.0, gamma=0.12, haze=0.06)
"""Scale and radiometry: S1.

A compromise of small budgets: 0.6 M weights taught for 3000 steps are 3.5 points below S0 at home. Radiometry
5/3 as strong with zooms of 0.6 to 1.6 is still 4.7 below after 4500, but holds better under an induced shift
(docs/adaptation.md); who has the hours raises both.
"""


def draw_zooms(augmentation: Augmentation, num_samples: int, *, generator: torch.Generator) -> Tensor:
    """Magnification of each sample, evenly in its logarithm, float32 [N]."""
    least, largest = augmentation.zoom
    share_N = torch.rand(num_samples, generator=generator)
    return least * (largest / least) ** share_N


def turned(
    image_NCHW: Tensor, labels_NHW: Tensor | None, *, generator: torch.Generator
) -> tuple[Tensor, Tensor | None]:
    """Each sample turned by quarters and mirrored at random, its labels with it; samples are square."""
    images, labels = [], []
    turns_N = torch.randint(4, (len(image_NCHW),), generator=generator).tolist()
    mirrors_N = torch.randint(2, (len(image_NCHW),), generator=generator).tolist()
    for number, (turn, mirror) in enumerate(zip(turns_N, mirrors_N, strict=True)):
        flips = (-1,) if mirror else ()
        images.append(torch.rot90(image_NCHW[number], turn, (-2, -1)).flip(flips))
        if labels_NHW is not None:
            labels.append(torch.rot90(labels_NHW[number], turn, (-2, -1)).flip(flips))
    return torch.stack(images), torch.stack(labels) if labels_NHW is not None else None


def recoloured(image_NCHW: Tensor, augmentation: Augmentation, *, generator: torch.Generator) -> Tensor:
    """Gain, offset, gamma and haze as between two flights; pixels that are zero in all bands stay so.

    Args:
        image_NCHW: Raw pixels 0-255, float32.
        augmentation: How much.
        generator: On the CPU, so that every device draws the same.
    """
    num_samples, num_bands = image_NCHW.shape[:2]

    def draw(deviation: float, bands: int = 1) -> Tensor:
        drawn = deviation * torch.randn(num_samples, bands, 1, 1, generator=generator)
        return drawn.to(image_NCHW.device)

    gain = torch.exp(draw(augmentation.gain) + draw(augmentation.band_gain, num_bands))
    offset, gamma = draw(augmentation.offset), torch.exp(draw(augmentation.gamma))
    veil = draw(augmentation.haze).abs().clamp(max=0.9)
    has_data_N1HW = image_NCHW.any(dim=1, keepdim=True)
    curved_NCHW = 255 * (image_NCHW / 255).clamp(min=0) ** gamma
    changed_NCHW = (curved_NCHW * gain + offset) * (1 - veil) + 255 * veil
    return changed_NCHW.clamp(0, 255) * has_data_N1HW

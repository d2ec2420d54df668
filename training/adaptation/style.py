"""Style randomisation: each source sample as another flight, sensor and sky might have shown it.

Axes: N samples, C bands, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from training.adaptation.method import Plain, Samples, full_precision

_WHITE = 255.0


@dataclass(frozen=True, kw_only=True)
class Style:
    """How much styles differ: standard deviations of normal draws."""

    gain: float = 0.15
    """Of the log of a band's gain."""
    offset: float = 12.0
    """Of a band's offset, in grey levels."""
    gamma: float = 0.2
    """Of the log of a band's gamma."""
    mixing: float = 0.05
    """Of what a band takes in from each other band."""
    haze: float = 0.25
    """Of how much of the light is veiled in white; its absolute value counts."""
    blur: float = 0.6
    """Of the share of a blurred image; below zero the image is sharpened."""
    haze_cells: int = 4
    """Cells a side of the grid on which haze thickens and thins; between them it is smooth."""
    blur_px: float = 1.2
    """Standard deviation of the blur."""


class StyleRandomisation(Plain):
    """Random gains, offsets, gammas and mixing of bands, a field of haze, blur or sharpening.

    Beyond augmentation every band goes its own way, bands mix, and haze is uneven. The haze is the model of
    the atmosphere ``I = J t + A (1 - t)`` with white light A. Each step adds a difference that is exactly
    zero at strength 0, so that samples then are what they were, bit for bit.

    Args:
        strength: What all standard deviations are multiplied by.
        style: How much styles differ at strength 1.

    Source:
        Tobin et al. 2017, Domain Randomization for Transferring Deep Neural Networks from Simulation to the
        Real World (arXiv:1703.06907), there of rendered scenes, here of images; haze: He, Sun, Tang 2009,
        Single Image Haze Removal Using Dark Channel Prior.
    """

    def __init__(self, *, strength: float = 1.0, style: Style | None = None) -> None:
        self.strength = strength
        self.style = style or Style()

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """The samples in styles of their own; no data stays no data, an absent band absent."""
        del target
        with full_precision(source.image_NCHW):
            image_NCHW = restyled(source.image_NCHW, self.style, strength=self.strength, generator=generator)
        return source.with_image(image_NCHW)


def restyled(image_NCHW: Tensor, style: Style, *, strength: float, generator: torch.Generator) -> Tensor:
    """Each sample in a style of its own.

    Args:
        image_NCHW: Raw pixels 0-255, float32.
        style: How much styles differ.
        strength: What all standard deviations are multiplied by.
        generator: On the CPU, so that every device draws the same.
    """
    num_samples, num_bands = image_NCHW.shape[:2]

    def draw(deviation: float, *shape: int) -> Tensor:
        drawn = strength * deviation * torch.randn(num_samples, *shape, generator=generator)
        return drawn.to(image_NCHW.device)

    changed_NCHW = _blurred(image_NCHW, draw(style.blur, 1, 1, 1).clamp(-1, 1), sigma_px=style.blur_px)
    gamma = torch.exp(draw(style.gamma, num_bands, 1, 1))
    changed_NCHW = changed_NCHW + _curved(changed_NCHW, gamma) - _curved(changed_NCHW, torch.ones_like(gamma))
    mixing_NCC = draw(style.mixing, num_bands, num_bands)
    changed_NCHW = changed_NCHW + torch.einsum("ncd,ndhw->nchw", mixing_NCC, changed_NCHW)
    changed_NCHW = changed_NCHW * torch.exp(draw(style.gain, num_bands, 1, 1))
    changed_NCHW = changed_NCHW + draw(style.offset, num_bands, 1, 1)
    veil_N1HW = _field(draw(style.haze, 1, style.haze_cells, style.haze_cells), image_NCHW)
    changed_NCHW = changed_NCHW + veil_N1HW * (_WHITE - changed_NCHW)
    return changed_NCHW.clamp(0, _WHITE) * has_data(image_NCHW)


def has_data(image_NCHW: Tensor) -> Tensor:
    """Where there is something to see: not zero in all bands, in a band that is not zero everywhere."""
    return image_NCHW.any(dim=1, keepdim=True) & image_NCHW.any(dim=-1, keepdim=True).any(
        dim=-2, keepdim=True
    )


def _curved(image_NCHW: Tensor, gamma: Tensor) -> Tensor:
    curved: Tensor = _WHITE * (image_NCHW / _WHITE).clamp(min=0) ** gamma
    return curved


def _field(grid_N1GG: Tensor, image_NCHW: Tensor) -> Tensor:
    smooth = F.interpolate(grid_N1GG, size=image_NCHW.shape[-2:], mode="bilinear", align_corners=True)
    return smooth.abs().clamp(max=0.8)


def _blurred(image_NCHW: Tensor, share: Tensor, *, sigma_px: float) -> Tensor:
    reach_px = max(1, round(2 * sigma_px))
    away_px = torch.arange(-reach_px, reach_px + 1, device=image_NCHW.device)
    kernel = torch.exp(-0.5 * (away_px / sigma_px) ** 2)
    kernel = (kernel / kernel.sum()).expand(image_NCHW.shape[1], 1, 1, -1)
    padded = F.pad(image_NCHW, (reach_px,) * 4, mode="reflect")
    along = F.conv2d(padded, kernel, groups=len(kernel))
    return image_NCHW + share * (F.conv2d(along, kernel.mT, groups=len(kernel)) - image_NCHW)

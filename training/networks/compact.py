"""A compact U-Net that works at half resolution and answers at full resolution.

Much of a plain U-Net's work is in its convolutions at full resolution. Here the first convolution halves the
sides, and the head gives 2 x 2 sub-pixels a position, so that only the head's shuffle runs at full size.

Axes: N samples, C bands, K live channels, H and W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

STRIDE_PX = 32
"""Height and width must be multiples of it: the deepest features are this coarse."""
SUB_PIXELS = 2
"""Along each side of a position of the head."""


@dataclass(frozen=True, kw_only=True)
class CompactSpec:
    """What the network is made of."""

    num_bands: int
    num_channels: int
    """Live channels of the head."""
    widths: tuple[int, int, int, int, int] = (32, 48, 96, 128, 128)
    """Features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the resolution."""
    mean: tuple[float, ...]
    """Per band, of raw pixels 0-255; a band that is missing is set to it."""
    std: tuple[float, ...]


class ConvNorm(nn.Sequential):
    """Convolution, batch normalisation, rectifier; for export the first two become one."""

    def __init__(self, num_in: int, num_out: int, *, kernel_px: int = 3, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(
                num_in, num_out, kernel_px, stride=stride, padding=(kernel_px - stride + 1) // 2, bias=False
            ),
            nn.BatchNorm2d(num_out),
            nn.ReLU(inplace=True),
        )


class CompactUNet(nn.Module):
    """Raw pixels to logits.

    Raises:
        ValueError: Mean or std do not name one value a band.
    """

    mean_1C11: Tensor
    std_1C11: Tensor

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__()
        if not len(spec.mean) == len(spec.std) == spec.num_bands:
            raise ValueError(f"{spec.num_bands} bands, but mean {spec.mean} and std {spec.std}")
        self.spec = spec
        self.register_buffer("mean_1C11", _per_band(spec.mean))
        self.register_buffer("std_1C11", _per_band(spec.std))
        # 6 x 6 sees past both neighbours that share its step of two pixels.
        self.stem = ConvNorm(spec.num_bands, spec.widths[0], kernel_px=6, stride=2)
        self.stem_refine = ConvNorm(spec.widths[0], spec.widths[0])
        self.down = nn.ModuleList(ConvNorm(fine, coarse, stride=2) for fine, coarse in pairwise(spec.widths))
        # At the deepest level a neighbour is 32 px away, and what lies beyond a halo must not come in.
        self.refine = nn.ModuleList(
            ConvNorm(width, width, kernel_px=3 if width_index < len(spec.widths) - 1 else 1)
            for width_index, width in enumerate(spec.widths[1:], start=1)
        )
        self.up = nn.ModuleList(
            ConvNorm(coarse + fine, fine) for fine, coarse in reversed(list(pairwise(spec.widths)))
        )
        self.top = ConvNorm(spec.widths[0], spec.widths[0])
        self.head = nn.Conv2d(spec.widths[0], SUB_PIXELS**2 * spec.num_channels, 1)

    def forward(self, image_NCHW: Tensor) -> Tensor:
        """Logits for raw pixels.

        Args:
            image_NCHW: Raw pixels 0-255, of any real type; height and width multiples of ``STRIDE_PX``.

        Returns:
            float [N, K, H, W].
        """
        return self.logits(self.normalised(image_NCHW))

    def normalised(self, image_NCHW: Tensor) -> Tensor:
        """Raw pixels less the mean of their band, over its standard deviation."""
        normalised_NCHW: Tensor = (image_NCHW.float() - self.mean_1C11) / self.std_1C11
        return normalised_NCHW

    def logits(self, normalised_NCHW: Tensor) -> Tensor:
        """Logits for normalised pixels, where a missing band is zero."""
        logits: Tensor = F.pixel_shuffle(self.sub_pixels(normalised_NCHW), SUB_PIXELS)
        return logits

    def sub_pixels(self, normalised_NCHW: Tensor) -> Tensor:
        """Logits before the shuffle, at half resolution: channel, row of two, column of two on one axis."""
        sub_pixels: Tensor = self.head(self.decode(self.encode(normalised_NCHW)))
        return sub_pixels

    def encode(self, normalised_NCHW: Tensor) -> list[Tensor]:
        """Features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the resolution; the last are the deepest."""
        features = [self.stem_refine(self.stem(normalised_NCHW))]
        for down, refine in zip(self.down, self.refine, strict=True):
            features.append(refine(down(features[-1])))
        return features

    def decode(self, features: Sequence[Tensor]) -> Tensor:
        """What the head is given, at half resolution."""
        *skips, decoded = features
        for up, skip in zip(self.up, reversed(skips), strict=True):
            decoded = up(torch.cat([F.interpolate(decoded, scale_factor=2.0, mode="nearest"), skip], dim=1))
        topped: Tensor = self.top(decoded)
        return topped


def _per_band(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, -1, 1, 1)


def count_parameters(network: nn.Module) -> int:
    """Trained numbers of a network."""
    return sum(parameter.numel() for parameter in network.parameters())

"""U-Net over a ResNet-34, in plain torch, with the parameter names of segmentation-models-pytorch.

Checkpoints of ``unet`` / ``resnet34`` made with that library load as they are, IGN's FLAIR-INC among them.

Axes: N samples, C bands, K channels of the head, H and W pixels.

Source:
    Ronneberger et al. 2015 (arXiv:1505.04597); He et al. 2016 (arXiv:1512.03385), table 1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

STRIDE_PX = 32
"""Height and width must be multiples of it: the deepest features are this coarse."""

_STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
"""Features and residual blocks of each stage of a ResNet-34, finest first."""
_SKIPS = (256, 128, 64, 64, 0)
"""Features of the encoder that join each step of the decoder, coarsest first."""
_DECODER = (256, 128, 64, 32, 16)
"""Features that each step of the decoder gives."""


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut; the shortcut is a convolution where the shape changes."""

    def __init__(self, num_in: int, num_out: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(num_in, num_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(num_out)
        self.conv2 = nn.Conv2d(num_out, num_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(num_out)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or num_in != num_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(num_in, num_out, 1, stride=stride, bias=False), nn.BatchNorm2d(num_out)
            )

    def forward(self, features: Tensor) -> Tensor:
        """Features at the stride's resolution."""
        shortcut = features if self.downsample is None else self.downsample(features)
        features = F.relu(self.bn1(self.conv1(features)))
        return F.relu(self.bn2(self.conv2(features)) + shortcut)


class ResNet34Encoder(nn.Module):
    """A ResNet-34 without its classifier."""

    def __init__(self, num_bands: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(num_bands, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        num_in = 64
        for number, (width, num_blocks) in enumerate(_STAGES, start=1):
            strides = (1 if number == 1 else 2, *[1] * (num_blocks - 1))
            blocks = [
                ResidualBlock(num_in if i == 0 else width, width, stride=stride)
                for i, stride in enumerate(strides)
            ]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            num_in = width

    def forward(self, normalised_NCHW: Tensor) -> list[Tensor]:
        """Features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the resolution."""
        features = [F.relu(self.bn1(self.conv1(normalised_NCHW)))]
        deeper = F.max_pool2d(features[0], 3, stride=2, padding=1)
        for number in range(1, len(_STAGES) + 1):
            deeper = self.get_submodule(f"layer{number}")(deeper)
            features.append(deeper)
        return features


class DecoderStep(nn.Module):
    """Twice the resolution, joined with what the encoder saw there."""

    def __init__(self, num_in: int, num_skip: int, num_out: int) -> None:
        super().__init__()
        self.conv1 = _conv_norm(num_in + num_skip, num_out)
        self.conv2 = _conv_norm(num_out, num_out)

    def forward(self, features: Tensor, skip: Tensor | None) -> Tensor:
        """Features at the skip's resolution."""
        features = F.interpolate(features, scale_factor=2.0, mode="nearest")
        if skip is not None:
            features = torch.cat([features, skip], dim=1)
        wider: Tensor = self.conv2(self.conv1(features))
        return wider


class UNetDecoder(nn.Module):
    """From the coarsest features back to full resolution."""

    def __init__(self) -> None:
        super().__init__()
        widths = (_STAGES[-1][0], *_DECODER[:-1])
        self.blocks = nn.ModuleList(
            DecoderStep(num_in, num_skip, num_out)
            for num_in, num_skip, num_out in zip(widths, _SKIPS, _DECODER, strict=True)
        )

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Features at full resolution, from those of the encoder, finest first."""
        deepest, *skips = reversed(features)
        for step, skip in zip(self.blocks, [*skips, None], strict=True):
            deepest = step(deepest, skip)
        return deepest


class UNetResNet34(nn.Module):
    """Normalised pixels to logits."""

    def __init__(self, *, num_bands: int, num_channels: int) -> None:
        """Draw random weights.

        Args:
            num_bands: Of the image.
            num_channels: Of the head, live or not.
        """
        super().__init__()
        self.encoder = ResNet34Encoder(num_bands)
        self.decoder = UNetDecoder()
        self.segmentation_head = nn.Sequential(nn.Conv2d(_DECODER[-1], num_channels, 3, padding=1))

    def forward(self, normalised_NCHW: Tensor) -> Tensor:
        """Logits float [N, K, H, W]; height and width are multiples of ``STRIDE_PX``."""
        logits: Tensor = self.segmentation_head(self.decoder(self.encoder(normalised_NCHW)))
        return logits


class RawPixels(nn.Module):
    """A network that takes raw pixels 0-255, of any real type."""

    mean_1C11: Tensor
    std_1C11: Tensor

    def __init__(self, network: nn.Module, *, mean: Sequence[float], std: Sequence[float]) -> None:
        """Wrap a network that takes normalised pixels.

        Args:
            network: Normalised pixels to logits.
            mean: Per band, of raw pixels.
            std: Per band, of raw pixels.
        """
        super().__init__()
        self.network = network
        self.register_buffer("mean_1C11", torch.tensor(mean, dtype=torch.float32).reshape(1, -1, 1, 1))
        self.register_buffer("std_1C11", torch.tensor(std, dtype=torch.float32).reshape(1, -1, 1, 1))

    def forward(self, image_NCHW: Tensor) -> Tensor:
        """Logits float [N, K, H, W] for raw pixels."""
        logits: Tensor = self.network((image_NCHW.float() - self.mean_1C11) / self.std_1C11)
        return logits


def settle_norms(network: nn.Module, normalised_NCHW: Tensor) -> None:
    """Give the batch normalisations of a random network the statistics of an image.

    With the statistics that they are born with, activations would grow from layer to layer.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(normalised_NCHW)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _conv_norm(num_in: int, num_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(num_in, num_out, 3, padding=1, bias=False), nn.BatchNorm2d(num_out), nn.ReLU(inplace=True)
    )

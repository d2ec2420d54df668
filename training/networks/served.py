"""What a trained network becomes before it is exported: raw pixels in, class values and confidence out."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.networks.compact import SUB_PIXELS, CompactSpec, CompactUNet, ConvNorm


class Served(nn.Module):
    """The graph that the service runs.

    Args:
        network: Raw pixels to logits over live channels, in evaluation mode, its temperature already in the
            head.
        channels: Live channel to class value.
    """

    value_K: Tensor

    def __init__(self, network: nn.Module, *, channels: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.factor = logits_factor(network)
        self.has_lookup = list(channels) != list(range(len(channels)))
        self.register_buffer("value_K", torch.tensor(channels, dtype=torch.uint8))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Class values uint8 [N, H, W], confidence uint8 [N, H, W] in percent, logits float32.

        The confidence is the largest softmax: 1 / sum(exp(y - max)), without the softmax of the others.
        Where the network answers in sub-pixels, both are decided among these and only they are brought to
        full size; logits [N, Q, h, w] stay as they are (``models.subpixels``), else they are [N, K, H, W].
        """
        if isinstance(self.network, CompactUNet):
            logits_NQhw = self.network.sub_pixels(self.network.normalised(image))
        else:
            logits_NQhw = self.network(image)
        logits_NKShw = torch.unflatten(logits_NQhw, 1, (len(self.value_K), self.factor**2))
        largest_N1Shw = logits_NKShw.amax(dim=1, keepdim=True)
        total_NShw = torch.exp(logits_NKShw - largest_N1Shw).sum(dim=1)
        confidence_NShw = torch.round(100.0 / total_NShw).to(torch.uint8)
        channel_NShw = logits_NKShw.argmax(dim=1)
        value_NShw = self.value_K[channel_NShw] if self.has_lookup else channel_NShw.to(torch.uint8)
        return self._full_size(value_NShw), self._full_size(confidence_NShw), logits_NQhw

    def _full_size(self, values_NShw: Tensor) -> Tensor:
        """Sub-pixels [N, S, h, w] beside each other, [N, H, W]."""
        split = torch.unflatten(values_NShw, 1, (self.factor, self.factor))
        return split.permute(0, 3, 1, 4, 2).flatten(1, 2).flatten(2, 3)


def logits_factor(network: nn.Module) -> int:
    """Sub-pixels along each side of a position of what a network's head gives."""
    return SUB_PIXELS if isinstance(network, CompactUNet) else 1


def fold(network: CompactUNet, *, temperature: float, missing: Sequence[int] = ()) -> CompactUNet:
    """A copy that gives the same logits, divided by a temperature, in fewer operations.

    Batch normalisation goes into the convolutions. A missing band stands at its mean, which is zero once
    normalised, and so is the padding around it: leaving out its weights in the first convolution is the same.

    Args:
        network: Trained.
        temperature: What logits are divided by; it goes into the head.
        missing: Positions of bands that the graph shall not read.
    """
    folded: CompactUNet = copy.deepcopy(network).eval()
    folded.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    for module in folded.modules():
        if isinstance(module, ConvNorm):
            conv, norm, _ = module
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            module[0], module[1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    with torch.no_grad():
        for parameter in folded.head.parameters():
            parameter.div_(temperature)
    kept = [band for band in range(network.spec.num_bands) if band not in missing]
    stem = folded.stem[0]
    assert isinstance(stem, nn.Conv2d)
    stem.weight = nn.Parameter(stem.weight.detach()[:, kept].clone())
    stem.in_channels = len(kept)
    folded.mean_1C11, folded.std_1C11 = folded.mean_1C11[:, kept], folded.std_1C11[:, kept]
    spec = network.spec
    folded.spec = CompactSpec(
        num_bands=len(kept),
        num_channels=spec.num_channels,
        widths=spec.widths,
        mean=tuple(spec.mean[band] for band in kept),
        std=tuple(spec.std[band] for band in kept),
    )
    return folded

"""What a trained network becomes before it is exported: raw pixels in, class values and confidence out."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.networks.compact import CompactSpec, CompactUNet, ConvNorm


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
        self.register_buffer("value_K", torch.tensor(channels, dtype=torch.uint8))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Class values uint8 [N, H, W], confidence uint8 [N, H, W] in percent, logits float32 [N, K, H, W].

        The confidence is the largest softmax: 1 / sum(exp(y - max)), without the softmax of the others.
        """
        logits_NKHW: Tensor = self.network(image)
        largest_N1HW = logits_NKHW.amax(dim=1, keepdim=True)
        total_NHW = torch.exp(logits_NKHW - largest_N1HW).sum(dim=1)
        confidence_NHW = torch.round(100.0 / total_NHW).to(torch.uint8)
        classes_NHW = self.value_K[logits_NKHW.argmax(dim=1)]
        return classes_NHW, confidence_NHW, logits_NKHW


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

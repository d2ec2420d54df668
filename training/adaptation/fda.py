"""Fourier domain adaptation: the source's shapes under the target's slow light and colour.

Axes: N samples, C bands, H and W pixels; W' frequencies along a row, of which a real image has half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.adaptation.method import Plain, Samples
from training.adaptation.style import has_data

if TYPE_CHECKING:
    from torch import Tensor


class FourierAdaptation(Plain):
    """Each source sample takes the amplitudes of its lowest frequencies from a target sample; phases stay.

    The inverse transform of ``M A(x_t) + (1 - M) A(x_s)`` with the phases of x_s, where A are amplitudes and
    M is 1 at low frequencies. What is added is the difference that the swap makes, so that beta 0, where no
    frequency is low enough, gives the very same samples.

    M is 1 *below* beta, and in the paper's code up to the whole part of beta times the side, the same but
    where that is a whole number; there 0 still swaps the means. Crops are transformed, not whole images, so
    that a crop takes the mean colour of another crop, which the loop has augmented as it augments sources.
    The paper's penalty of entropy, its averaging of several beta and its rounds of self-training are not
    here.

    Args:
        beta: Below which frequency amplitudes are swapped, in cycles a pixel, along rows and columns; the
            paper's windows are 0.01 to 0.09.

    Source:
        Yang, Soatto 2020, FDA: Fourier Domain Adaptation for Semantic Segmentation (arXiv:2004.05498),
        the swap of low-frequency amplitudes.
    """

    needs_target = True

    def __init__(self, *, beta: float = 0.01) -> None:
        self.beta = beta

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """The samples, each with the slow amplitudes of a target sample drawn for it."""
        if target is None:
            raise ValueError("amplitudes are swapped with a target's: give its samples")
        drawn_N = torch.randint(len(target.image_NCHW), (len(source.image_NCHW),), generator=generator)
        change_NCHW = slow_change(source.image_NCHW, target.image_NCHW[drawn_N], beta=self.beta)
        # A band that the target does not have has no look to take.
        change_NCHW = change_NCHW.masked_fill(target.absences()[drawn_N][..., None, None], 0.0)
        image_NCHW = (source.image_NCHW + change_NCHW).clamp(0, 255) * has_data(source.image_NCHW)
        return source.with_image(image_NCHW)


def slow_change(source_NCHW: Tensor, target_NCHW: Tensor, *, beta: float) -> Tensor:
    """What swapping amplitudes below a frequency adds to the source, before anything is clipped.

    Args:
        source_NCHW: Whose phases stay.
        target_NCHW: Of the same shape, whose amplitudes come.
        beta: In cycles a pixel; frequencies strictly below it are swapped, and 0 swaps none.
    """
    height, width = source_NCHW.shape[-2:]
    spectrum, of_target = torch.fft.rfft2(source_NCHW.float()), torch.fft.rfft2(target_NCHW.float())
    is_slow_H = torch.fft.fftfreq(height, device=spectrum.device).abs() < beta
    is_slow_W = torch.fft.rfftfreq(width, device=spectrum.device) < beta
    gap = torch.polar(of_target.abs(), spectrum.angle()) - spectrum
    change_NCHW: Tensor = torch.fft.irfft2(gap * (is_slow_H[:, None] & is_slow_W), s=(height, width))
    return change_NCHW

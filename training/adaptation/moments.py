"""Moment matching: means and deviations of bands, carried from source to target, or back when serving.

Axes: N samples, C bands, H and W pixels, P pixels.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import torch

from training.adaptation.method import Plain, Samples
from training.adaptation.style import has_data

if TYPE_CHECKING:
    from torch import Tensor

    from training.adaptation.pools import Pool
    from training.networks.compact import CompactUNet

_NUM_VALUES = 256
_LEAST_STD = 1.0
"""Grey levels: a band flatter than this has no contrast to carry over, or is absent."""


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Of each band over pixels with data, in grey levels."""

    mean_C: Tensor
    """float32."""
    std_C: Tensor
    """float32, one at least."""
    is_known_C: Tensor | None = None
    """bool, bands that some image had: there is nothing to carry over of the others. None where all are."""

    @classmethod
    def of(cls, pool: Pool) -> Self:
        """Over all pixels of a pool that are not zero in all bands; bands that an image lacks do not count.

        Raises:
            ValueError: There are none.
        """
        has_NC = ~torch.stack([pool.absences(index) for index in range(len(pool.images))])
        count_NCV = torch.stack([_counts(image_CHW) for image_CHW in pool.images])
        count_CV = (count_NCV * has_NC[..., None]).sum(dim=0).double()
        num_px_C = count_CV.sum(dim=1)
        if not num_px_C.any():
            raise ValueError("no pixel with data to take moments of")
        value_V = torch.arange(_NUM_VALUES, dtype=torch.float64)
        mean_C = count_CV @ value_V / num_px_C.clamp(min=1)
        variance_C = count_CV @ value_V**2 / num_px_C.clamp(min=1) - mean_C**2
        std_C = variance_C.clamp(min=0).sqrt()
        return cls(mean_C=mean_C.float(), std_C=std_C.float().clamp(min=_LEAST_STD), is_known_C=num_px_C > 0)

    def known(self) -> Tensor:
        """Bands that some image had, bool [C]."""
        return torch.ones_like(self.mean_C, dtype=torch.bool) if self.is_known_C is None else self.is_known_C


class MomentMatching(Plain):
    """Each source sample's bands are given the mean and the deviation that they have in the target domain.

    Moments of the target are those of the whole domain: one crop of it may be all water. Those of the
    source are the sample's own, or its domain's, which keeps dark crops dark.

    Args:
        target: Of the target domain.
        domains: Of each source domain in the order of its number; None takes each sample's own.
        share: How far, from 0, where samples stay as they are, to 1.

    Source:
        Reinhard, Ashikhmin, Gooch, Shirley 2001, Color Transfer between Images:
        ``x' = (x - mean_s) std_t / std_s + mean_t``, there in a decorrelated space of colours, here band by
        band in the sensor's own.
    """

    def __init__(
        self, target: Moments, *, domains: tuple[Moments, ...] | None = None, share: float = 1.0
    ) -> None:
        self.target, self.domains, self.share = target, domains, share

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """The samples in the target's colours; no data stays no data, an absent band absent."""
        del target, generator
        image_NCHW = source.image_NCHW
        mean_NC, std_NC = self._source_moments(source)
        standard_NCHW = (image_NCHW - mean_NC[..., None, None]) / std_NC[..., None, None]
        goal_NCHW = standard_NCHW * self.target.std_C[:, None, None] + self.target.mean_C[:, None, None]
        goal_NCHW = torch.where(self.target.known()[:, None, None], goal_NCHW, image_NCHW)
        changed_NCHW = image_NCHW + self.share * (goal_NCHW - image_NCHW)
        return source.with_image(changed_NCHW.clamp(0, 255) * has_data(image_NCHW))

    def _source_moments(self, source: Samples) -> tuple[Tensor, Tensor]:
        if self.domains is None:
            return sample_moments(source.image_NCHW)
        mean_DC = torch.stack([each.mean_C for each in self.domains])
        std_DC = torch.stack([each.std_C for each in self.domains])
        return mean_DC[source.domain_N], std_DC[source.domain_N]


def _counts(image_CHW: Tensor) -> Tensor:
    """Pixels of each value in each band, those that are zero in all bands left out, int64 [C, V]."""
    bands = image_CHW.flatten(1)
    count_CV = torch.stack([torch.bincount(band, minlength=_NUM_VALUES) for band in bands])
    count_CV[:, 0] -= (bands.amax(dim=0) == 0).sum()
    return count_CV


def sample_moments(image_NCHW: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each sample's bands over its pixels with data, float32 [N, C] each."""
    is_seen_N1HW = image_NCHW.any(dim=1, keepdim=True)
    num_px_N1 = is_seen_N1HW.sum(dim=(-2, -1)).clamp(min=1)
    mean_NC = (image_NCHW * is_seen_N1HW).sum(dim=(-2, -1)) / num_px_N1
    away_NCHW = (image_NCHW - mean_NC[..., None, None]) * is_seen_N1HW
    std_NC = ((away_NCHW**2).sum(dim=(-2, -1)) / num_px_N1).sqrt()
    return mean_NC, std_NC.clamp(min=_LEAST_STD)


def domain_moments(pool: Pool) -> tuple[Moments, ...]:
    """Of each domain of a source, in the order of its number."""
    return tuple(Moments.of(pool.of_domain(number)) for number in sorted(set(pool.domain_numbers)))


@torch.no_grad()
def with_target_moments(
    network: CompactUNet, *, source: Moments, target: Moments, share: float = 1.0
) -> CompactUNet:
    """A copy that sees the target in the source's colours: the inverse transfer, inside its normalisation.

    ``(x - mean') / std'`` is ``(x_s - mean) / std`` where ``x_s`` is x carried from the target's moments to
    the source's; the graph that is served grows by nothing.

    Args:
        network: Trained on the source.
        source: Of what it was trained on.
        target: Of what it is to see.
        share: How far the target's moments are trusted: 0 gives the network back, between them they are
            shrunk to the source's.
    """
    share_C = share * (source.known() & target.known())
    mean_C = source.mean_C + share_C * (target.mean_C - source.mean_C)
    ratio_C = (source.std_C + share_C * (target.std_C - source.std_C)) / source.std_C
    adapted = copy.deepcopy(network)
    band = (1, -1, 1, 1)
    gap_1C11 = network.mean_1C11 - source.mean_C.reshape(band)
    # As a difference, so that equal moments leave the very bits.
    shift_1C11 = (mean_C - source.mean_C).reshape(band) + (ratio_C - 1).reshape(band) * gap_1C11
    adapted.mean_1C11.add_(shift_1C11)
    adapted.std_1C11.mul_(ratio_C.reshape(band))
    adapted.spec = replace(
        network.spec,
        mean=tuple(adapted.mean_1C11.flatten().tolist()),
        std=tuple(adapted.std_1C11.flatten().tolist()),
    )
    return adapted

"""Pools: the images of a side, source or target, and crops drawn from them.

Axes: N samples, C bands, H and W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from training.adaptation.augmentation import Augmentation, draw_zooms, recoloured, turned
from training.adaptation.method import Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training.data.sources import Source


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Images of any size, with or without labels."""

    images: tuple[Tensor, ...]
    """uint8 [C, H, W]."""
    labels: tuple[Tensor, ...] | None
    """uint8 [H, W], 255 teaches nothing; None of a target."""
    domain_numbers: tuple[int, ...]
    """Of each image; -1 of a target."""
    absent: tuple[tuple[int, ...], ...] | None = None
    """Of each image, the positions of bands that it does not have; None where all have all."""

    @classmethod
    def labelled(cls, source: Source) -> Self:
        """A source, its domains numbered in their order."""
        numbers = {domain: number for number, domain in enumerate(sorted(set(source.domains)))}
        return cls(
            images=_images(source),
            labels=tuple(torch.from_numpy(np.array(labels_HW)) for labels_HW in source.labels),
            domain_numbers=tuple(numbers[domain] for domain in source.domains),
            absent=(source.absent,) * len(source) if source.absent else None,
        )

    @classmethod
    def unlabelled(cls, source: Source) -> Self:
        """A target: its labels are left behind here, so that nothing after can look at them."""
        return cls(
            images=_images(source),
            labels=None,
            domain_numbers=(-1,) * len(source),
            absent=(source.absent,) * len(source) if source.absent else None,
        )

    def chosen(self, indices: Sequence[int]) -> Self:
        """Some of the images, their numbers of domains and what they lack kept."""
        return replace(
            self,
            images=tuple(self.images[index] for index in indices),
            labels=tuple(self.labels[index] for index in indices) if self.labels is not None else None,
            domain_numbers=tuple(self.domain_numbers[index] for index in indices),
            absent=tuple(self.absent[index] for index in indices) if self.absent is not None else None,
        )

    def with_bands_of(self, other: Self) -> Self:
        """The same without the bands that no image of another pool has.

        A network that is to be served without a band is taught without it; and no method can carry over a
        look, or learn a difference, that is nothing but its absence.
        """
        if other.absent is None:
            return self
        never = frozenset.intersection(*(frozenset(each) for each in other.absent))
        own = self.absent or ((),) * len(self.images)
        absent = tuple(tuple(sorted(never.union(each))) for each in own)
        return replace(self, images=_blanked(self.images, absent), absent=absent)

    def of_domain(self, number: int) -> Self:
        """The images of one domain."""
        return self.chosen([index for index, each in enumerate(self.domain_numbers) if each == number])

    def draw(
        self,
        num_samples: int,
        *,
        crop_px: int,
        augmentation: Augmentation,
        generator: torch.Generator,
    ) -> Samples:
        """Crops from images drawn evenly, turned, zoomed and recoloured.

        Args:
            num_samples: How many.
            crop_px: Side of a crop.
            augmentation: How much it is changed.
            generator: On the CPU; nothing else enters.
        """
        zooms = draw_zooms(augmentation, num_samples, generator=generator).tolist()
        images, labels, numbers, absences = [], [], [], []
        for zoom in zooms:
            index = int(torch.randint(len(self.images), (), generator=generator))
            window = self.window(index, round(crop_px / zoom), generator=generator)
            image_CHW = self.images[index][(slice(None), *window)].float()
            images.append(_resized(image_CHW, crop_px, mode="bilinear"))
            if self.labels is not None:
                labels.append(_resized(self.labels[index][window][None].float(), crop_px, mode="nearest")[0])
            numbers.append(self.domain_numbers[index])
            absences.append(self.absences(index))
        labels_NHW = torch.stack(labels).long() if self.labels is not None else None
        image_NCHW, labels_NHW = turned(torch.stack(images), labels_NHW, generator=generator)
        image_NCHW = recoloured(image_NCHW, augmentation, generator=generator)
        is_absent_NC = torch.stack(absences) if self.absent is not None else None
        if is_absent_NC is not None:  # offsets and haze would write in them
            image_NCHW = image_NCHW.masked_fill(is_absent_NC[..., None, None], 0.0)
        return Samples(
            image_NCHW=image_NCHW,
            labels_NHW=labels_NHW,
            domain_N=torch.tensor(numbers),
            is_absent_NC=is_absent_NC,
        )

    def absences(self, index: int) -> Tensor:
        """Bands that an image does not have, bool [C]."""
        is_absent_C = torch.zeros(len(self.images[index]), dtype=torch.bool)
        if self.absent is not None:
            is_absent_C[list(self.absent[index])] = True
        return is_absent_C

    def window(self, index: int, side_px: int, *, generator: torch.Generator) -> tuple[slice, slice]:
        """Rows and columns of a square drawn from an image, cut to its sides where it is smaller."""
        height, width = self.images[index].shape[1:]
        side_px = min(side_px, height, width)
        row = int(torch.randint(height - side_px + 1, (), generator=generator))
        col = int(torch.randint(width - side_px + 1, (), generator=generator))
        return slice(row, row + side_px), slice(col, col + side_px)


def _images(source: Source) -> tuple[Tensor, ...]:
    """Copies of its images, zero in the bands that they do not have."""
    images = tuple(torch.from_numpy(np.array(image_CHW)) for image_CHW in source.images)
    return _blanked(images, (source.absent,) * len(images))


def _blanked(images: tuple[Tensor, ...], absent: tuple[tuple[int, ...], ...]) -> tuple[Tensor, ...]:
    """Images with zero in the bands that they do not have: what is zero in all bands is no data."""
    blanked = []
    for image_CHW, bands in zip(images, absent, strict=True):
        blanked.append(image_CHW.clone() if bands else image_CHW)
        blanked[-1][list(bands)] = 0
    return tuple(blanked)


def _resized(image_CHW: Tensor, side_px: int, *, mode: str) -> Tensor:
    if image_CHW.shape[-2:] == (side_px, side_px):
        return image_CHW
    size = (side_px, side_px)
    if mode == "nearest":
        return F.interpolate(image_CHW[None], size=size, mode="nearest-exact")[0]
    return F.interpolate(image_CHW[None], size=size, mode="bilinear", antialias=True)[0]

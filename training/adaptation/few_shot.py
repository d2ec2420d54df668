"""Few-shot fine-tuning: a handful of labelled target windows in a part of each batch.

The same with all of a labelled pool, normalisations learning, is the oracle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.adaptation.augmentation import STRONG, Augmentation
from training.adaptation.method import Plain, Samples
from training.adaptation.pools import Pool
from training.losses import IGNORED

if TYPE_CHECKING:
    from training.data.sources import Source

_NUM_TRIES = 100


class FewShot(Plain):
    """The last samples of each source batch are replaced by labelled ones of the target.

    Source and target go through the network together. Running statistics of a mixed batch would be of
    neither, so the fit is one with ``FitSpec.is_norm_frozen``; a pool as large as a source may do without.

    Args:
        labelled: Target images, in the source's label sets; see `few_windows`.
        share: Of each batch, rounded to whole samples; 0 is plain training.
        augmentation: Of the target samples.

    Source:
        Wang, Huang, Darrell, Gonzalez, Yu 2020, Frustratingly Simple Few-Shot Object Detection
        (arXiv:2003.06957): fine-tuning on a balanced set of base and novel classes; here the balance is of
        source and target samples, and all weights but the statistics learn, where they train the last layers.
    """

    def __init__(self, labelled: Pool, *, share: float = 0.5, augmentation: Augmentation = STRONG) -> None:
        assert labelled.labels is not None, "few-shot windows have labels"
        self.labelled, self.share, self.augmentation = labelled, share, augmentation

    def altered(self, source: Samples, target: Samples | None, *, generator: torch.Generator) -> Samples:
        """Source samples first, then the target's, of domain -1."""
        del target
        num_samples = len(source.image_NCHW)
        num_kept = num_samples - round(self.share * num_samples)
        if num_kept == num_samples:
            return source
        drawn = self.labelled.draw(
            num_samples - num_kept,
            crop_px=source.image_NCHW.shape[-1],
            augmentation=self.augmentation,
            generator=generator,
        )
        assert source.labels_NHW is not None, "a source has labels"
        assert drawn.labels_NHW is not None, "few-shot windows have labels"
        return Samples(
            image_NCHW=torch.cat([source.image_NCHW[:num_kept], drawn.image_NCHW]),
            labels_NHW=torch.cat([source.labels_NHW[:num_kept], drawn.labels_NHW]),
            domain_N=torch.cat([source.domain_N[:num_kept], torch.full_like(drawn.domain_N, -1)]),
            is_absent_NC=torch.cat([source.absences()[:num_kept], drawn.absences()]),
        )


def few_windows(source: Source, *, num_windows: int, window_px: int = 256, seed: int = 0) -> Pool:
    """Labelled windows of a target, as a person would be asked to draw them.

    Windows are drawn one after the other, so that those of five begin with the one of one. At least half of
    each is labelled; where there is nothing of the kind left, that is an error.

    Args:
        source: The target's labelled images that may be looked at, never those it is tested on.
        num_windows: How many.
        window_px: Side of each, less where an image is smaller.
        seed: Of the draw.

    Raises:
        ValueError: No window of which half is labelled was found.
    """
    pool, generator = Pool.labelled(source), torch.Generator().manual_seed(seed)
    windows = [_window(pool, window_px, generator) for _ in range(num_windows)]
    return Pool(
        images=tuple(image_CHW for image_CHW, _ in windows),
        labels=tuple(labels_HW for _, labels_HW in windows),
        domain_numbers=(-1,) * num_windows,
        absent=(source.absent,) * num_windows if source.absent else None,
    )


def _window(pool: Pool, window_px: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    assert pool.labels is not None, "a labelled pool has labels"
    for _ in range(_NUM_TRIES):
        index = int(torch.randint(len(pool.images), (), generator=generator))
        window = pool.window(index, window_px, generator=generator)
        labels_HW = pool.labels[index][window]
        if (labels_HW != IGNORED).float().mean() >= 0.5:
            return pool.images[index][(slice(None), *window)], labels_HW
    raise ValueError(f"no window of {window_px} px is half labelled: label more, or take smaller windows")

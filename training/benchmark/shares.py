"""How much of labelled ground is of which label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training.losses import IGNORED

if TYPE_CHECKING:
    from torch import Tensor

    from training.data.sources import Source


def shares_of(source: Source) -> Tensor:
    """Of each label among the labelled pixels of a source, float64 [K]."""
    counts = sum(
        torch.bincount(torch.from_numpy(labels_HW).flatten().long(), minlength=IGNORED + 1)
        for labels_HW in source.labels
    )
    assert isinstance(counts, torch.Tensor), "a source has images"
    shares_K = counts[: len(source.sets)].double()
    return shares_K / shares_K.sum()

"""A case: what is learned from, which images of a target may be looked at, and what is judged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from training.data.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.data.sources import Source


@dataclass(frozen=True, kw_only=True)
class Case:
    """One target of one experiment. All share bands and label sets; each label is a channel of the head."""

    experiment: str
    target: str
    source: Source
    """Labelled, of other domains."""
    pool: Source
    """Of the target: methods see its images, the oracle its labels too."""
    test: Source
    """Of the target, apart from the pool; empty where nobody here has its labels."""
    in_domain: Source | None = None
    """Of the source's kind, apart from it: what the shift costs is seen against it."""
    ceiling: float | None = None
    """mIoU of two annotations of the same ground, where there are two."""
    base_share: float = 1.0
    """Of the steps that a budget gives to bases: a small source is learned in fewer."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels."""
        return tuple(each.name for each in self.source.sets.sets)

    def fingerprint(self) -> str:
        """sha256 of all that a run without the target's labels depends on."""
        digest = hashlib.sha256(self.source.fingerprint().encode())
        for image_CHW in self.pool.images:
            digest.update(np.ascontiguousarray(image_CHW).data)
        return digest.hexdigest()

    def truth(self) -> str:
        """sha256 of what runs are judged on, and of the pool's labels, which the oracle sees."""
        digest = hashlib.sha256(self.test.fingerprint().encode())
        if self.in_domain is not None:
            digest.update(self.in_domain.fingerprint().encode())
        for labels_HW in self.pool.labels:
            digest.update(np.ascontiguousarray(labels_HW).data)
        return digest.hexdigest()


def ignoring(source: Source, is_ignored: Sequence[NDArray[np.bool_]]) -> Source:
    """The same images with some labels taken away."""
    labels = [
        np.where(is_ignored_HW, IGNORED, labels_HW).astype(np.uint8)
        for labels_HW, is_ignored_HW in zip(source.labels, is_ignored, strict=True)
    ]
    return replace(source, labels=labels)

"""How good a network of fine classes is where truth is coarse.

A fine class that is predicted counts as one coarse label: the one that it stood for most often on domains
that were trained on, never on those that are judged.

Axes: S coarse labels (truth), V class values predicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.data.samples import IGNORED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.data.label_sets import LabelSets
    from training.data.sources import Source
    from training.evaluate import Predict

_NONE = -1
MIN_SHARE = 0.005
"""Labels below this share of the truth are named and enter no mean."""


@dataclass(frozen=True, kw_only=True)
class CoarseScore:
    """Of one set of images."""

    num_px: int
    accuracy: float
    """Share of labelled pixels whose class is in their label's set."""
    recall: dict[str, float]
    """Of each coarse label that has its share of the truth."""
    absent: tuple[str, ...]
    """Labels with too small a share."""

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the recalls."""
        return float(np.mean(list(self.recall.values()))) if self.recall else float("nan")


def count(source: Source, predict: Predict, *, num_classes: int) -> NDArray[np.int64]:
    """Pixels by coarse label and predicted class, int64 [S, V], pooled over the images of a source."""
    counts_SV = np.zeros((len(source.sets), num_classes), dtype=np.int64)
    for image_CHW, labels_HW in zip(source.images, source.labels, strict=True):
        is_labelled_HW = labels_HW != IGNORED
        if not is_labelled_HW.any():
            continue
        pairs = labels_HW[is_labelled_HW].astype(np.int64) * num_classes + predict(image_CHW)[is_labelled_HW]
        counts_SV += np.bincount(pairs, minlength=counts_SV.size).reshape(counts_SV.shape)
    return counts_SV


def assigned(source: Source, predict: Predict, *, num_classes: int) -> NDArray[np.int64]:
    """`assign` by what a network says of a source that was trained on.

    It is not asked where no class is in two sets: each then stands for the one that it is in.
    """
    values = [value for each in source.sets.sets for value in each.values]
    if len(values) == len(set(values)):
        counts_SV = np.zeros((len(source.sets), num_classes), dtype=np.int64)
    else:
        counts_SV = count(source, predict, num_classes=num_classes)
    return assign(counts_SV, source.sets)


def assign(counts_SV: NDArray[np.int64], sets: LabelSets) -> NDArray[np.int64]:
    """The coarse label that each class value stands for, int64 [V]; -1 where no set has it.

    Args:
        counts_SV: On domains that were trained on.
        sets: Of the data set.
    """
    may_SV = np.array([[value in each.values for value in range(counts_SV.shape[1])] for each in sets.sets])
    # Shares of each label, so that a common label does not take all classes; among those that may be.
    shares_SV = counts_SV / np.maximum(1, counts_SV.sum(axis=1, keepdims=True))
    chosen_V = np.where(may_SV, shares_SV, -1.0).argmax(axis=0)
    assigned_V: NDArray[np.int64] = np.where(may_SV.any(axis=0), chosen_V, _NONE)
    return assigned_V


def score(counts_SV: NDArray[np.int64], assigned_V: NDArray[np.int64], sets: LabelSets) -> CoarseScore:
    """What counts on judged domains amount to."""
    truth_S = counts_SV.sum(axis=1)
    names = [each.name for each in sets.sets]
    is_in_SV = np.array([[value in each.values for value in range(counts_SV.shape[1])] for each in sets.sets])
    is_scored_S = truth_S >= max(1, MIN_SHARE * truth_S.sum())
    hits_S = np.array([counts_SV[label, assigned_V == label].sum() for label in range(len(names))])
    return CoarseScore(
        num_px=int(truth_S.sum()),
        accuracy=float((counts_SV * is_in_SV).sum() / max(1, truth_S.sum())),
        recall={names[label]: float(hits_S[label] / truth_S[label]) for label in np.flatnonzero(is_scored_S)},
        absent=tuple(names[label] for label in np.flatnonzero(~is_scored_S)),
    )

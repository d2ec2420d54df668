"""How good a network is on real ground whose labels are classes themselves: intersection over union."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.evaluate import Confusion, torch_predictor
from training.judging import count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.nomenclature import Nomenclature
    from training.data.label_sets import LabelSets
    from training.networks.compact import CompactUNet
    from training.real import Real


@dataclass(frozen=True, kw_only=True)
class ExactScore:
    """Of one domain."""

    num_images: int
    miou: float
    """Over the classes that are in truth or predicted."""
    accuracy: float
    iou: Mapping[str, float]
    absent: tuple[str, ...]
    """Classes that are in neither."""


def is_exact(sets: LabelSets) -> bool:
    """Whether each label is one class."""
    return all(len(each.values) == 1 for each in sets.sets)


def exact_scores(
    network: CompactUNet, real: Real, *, channels: tuple[int, ...], nomenclature: Nomenclature
) -> dict[str, ExactScore]:
    """Scores by judged domain, of the sources whose labels are classes; domains without a label are left out.

    Args:
        network: In evaluation mode.
        real: Sources by name, as what is trained on and what is judged on.
        channels: Live channel to class value.
        nomenclature: Of the values.
    """
    scores = {}
    num_classes = len(nomenclature.classes)
    for train, judged in real.values():
        if not is_exact(judged.sets):
            continue
        value_of_label = [min(each.values) for each in judged.sets.sets]
        predict = torch_predictor(network, channels=channels, missing=train.absent)
        for domain in sorted(set(judged.domains)):
            its = judged.of_domains({domain})
            counts_TP = np.zeros((num_classes, num_classes), dtype=np.int64)
            counts_TP[value_of_label] = count(its, predict, num_classes=num_classes)
            if counts_TP.any():
                scores[domain] = _score(Confusion(counts_TP=counts_TP), len(its), nomenclature)
    return scores


def _score(confusion: Confusion, num_images: int, nomenclature: Nomenclature) -> ExactScore:
    iou = dict(zip((each.slug for each in nomenclature.classes), confusion.iou.tolist(), strict=True))
    return ExactScore(
        num_images=num_images,
        miou=round(confusion.miou, 4),
        accuracy=round(confusion.overall_accuracy, 4),
        iou={slug: round(value, 4) for slug, value in iou.items() if not np.isnan(value)},
        absent=tuple(slug for slug, value in iou.items() if np.isnan(value)),
    )

"""What the real sources of a recipe give to a manifest: figures, domains, and who taught each class."""

import logging
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from models.manifest import CoarseMetrics, Provenance
from models.nomenclature import Nomenclature
from training.data.samples import IGNORED
from training.data.sources import Source
from training.judging import CoarseScore

Real = Mapping[str, tuple[Source, Source]]
"""Real sources by name, as what is trained on and what is held out."""

log = logging.getLogger(__name__)


def with_bands(real: Real, rows: Sequence[int]) -> Real:
    """The sources that have all bands of a graph: nobody would run it on the others.

    Args:
        real: Sources of the recipe.
        rows: Positions of the graph's bands among the recipe's.
    """
    return {name: pair for name, pair in real.items() if not set(pair[0].absent) & set(rows)}


def provenance_of(
    sources: Iterable[Source], *, channels: Sequence[int], nomenclature: Nomenclature
) -> dict[str, Provenance]:
    """Who taught each live class.

    Args:
        sources: Real ones, as trained on; a label counts only if pixels of it are there.
        channels: Live channel to class value. A class that shares its label only with classes that are not
            live has it alone.
        nomenclature: Names the values.
    """
    told: dict[int, Provenance] = dict.fromkeys(sorted(channels), "synthetic-only")
    for source in sources:
        for label in labels_in(source):
            values = source.sets.sets[label].values & set(told)
            for value in values:
                if len(values) == 1:
                    told[value] = "real-fine"
                elif told[value] == "synthetic-only":
                    told[value] = "real-coarse"
    return {nomenclature.classes[value].slug: each for value, each in told.items()}


def labels_in(source: Source) -> list[int]:
    """The labels that pixels of a source carry."""
    found: set[int] = set()
    for labels_HW in source.labels:
        found |= {int(label) for label in np.unique(labels_HW)}
    return sorted(found - {IGNORED})


def trained_domains(real: Real) -> tuple[str, ...]:
    """The real domains that were trained on, each after its data set's name."""
    return tuple(
        f"{name}: {domain}" for name, (train, _) in real.items() for domain in sorted({*train.domains})
    )


def coarse_metrics(scores: Mapping[str, CoarseScore], real: Real) -> dict[str, CoarseMetrics]:
    """The manifest's words for scores by held-out domain; one without labels is left out, and said so."""
    metrics = {}
    for name, (_, judged) in real.items():
        for domain in sorted(set(judged.domains)):
            score = scores[domain]
            if not score.recall:
                log.warning("%s holds no labelled pixel: nothing is told of it", domain)
                continue
            metrics[domain] = CoarseMetrics(
                label_set=name,
                num_images=judged.domains.count(domain),
                num_pixels=score.num_px,
                balanced_accuracy=round(score.balanced_accuracy, 4),
                accuracy=round(score.accuracy, 4),
                recall={label: round(value, 4) for label, value in score.recall.items()},
                absent=score.absent,
            )
    return metrics

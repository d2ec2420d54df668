"""What graphs of lower precision are calibrated on, and what they are judged on: that of the recipe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.manifest import Precision, Role
from models.nomenclature import get_nomenclature
from training import judging
from training.data.label_sets import LabelSets
from training.data.lazy import Changed
from training.data.sources import Source
from training.evaluate import Confusion, torch_predictor
from training.networks.compact import STRIDE_PX, CompactUNet
from training.precisions import Lowering, Trial
from training.real import Real, with_bands
from training.recipes.recipe import Recipe
from training.scenes import SceneSet

_WINDOW_PX = 256
_WINDOWS_PER_SOURCE = 64


def plan_lowering(
    network: CompactUNet,
    recipe: Recipe,
    *,
    precisions: Sequence[Precision],
    bands: Sequence[Role],
    scenes: Mapping[str, tuple[SceneSet, SceneSet]],
    real: Real,
) -> Lowering:
    """What to try on the graph of a band set.

    Calibration sees what was trained on, never what is judged on. Real images that lack a band of the graph
    are left out of both: nobody would run this graph on them.

    Args:
        network: That is exported; which coarse label its classes stand for is told by it.
        recipe: What trained it.
        precisions: To try.
        bands: Of the graph.
        scenes: By domain, generated scenes to calibrate and to judge on.
        real: Sources of the recipe.
    """
    rows = [recipe.bands.index(band) for band in bands]
    num_classes = len(get_nomenclature(recipe.nomenclature).classes)
    seen, trials = [], []
    for domain, (calibration, unseen) in scenes.items():
        seen.append(calibration.as_source(recipe.channels))
        source = _in_bands(unseen.as_source(recipe.channels), rows)
        trials.append(
            Trial(domain=domain, source=source, metric="miou", score=_Miou(recipe.channels, num_classes))
        )
    away = [row for row in range(len(recipe.bands)) if row not in rows]
    for train, judged in with_bands(real, rows).values():
        seen.append(train)
        predict = torch_predictor(network, channels=recipe.channels, missing=sorted({*train.absent, *away}))
        assigned_V = judging.assigned(train, predict, num_classes=num_classes)
        for domain in sorted(set(judged.domains)):
            source = _in_bands(judged.of_domains({domain}), rows)
            score = _Balanced(assigned_V, judged.sets)
            trials.append(Trial(domain=domain, source=source, metric="balanced_accuracy", score=score))
    return Lowering(
        precisions=tuple(precisions),
        windows=[window for source in seen for window in _windows(_in_bands(source, rows))],
        trials=trials,
        nomenclature=recipe.nomenclature,
        stride_px=STRIDE_PX,
    )


class _Miou:
    """Mean intersection over union, where each label is one class."""

    def __init__(self, channels: Sequence[int], num_classes: int) -> None:
        self._channels, self._num_classes = list(channels), num_classes

    def __call__(self, counts_SV: NDArray[np.int64]) -> float:
        counts_TP = np.zeros((self._num_classes, self._num_classes), dtype=np.int64)
        counts_TP[self._channels] = counts_SV
        return Confusion(counts_TP=counts_TP).miou


class _Balanced:
    """Mean of the recalls of coarse labels."""

    def __init__(self, assigned_V: NDArray[np.int64], sets: LabelSets) -> None:
        self._assigned_V, self._sets = assigned_V, sets

    def __call__(self, counts_SV: NDArray[np.int64]) -> float:
        return judging.score(counts_SV, self._assigned_V, self._sets).balanced_accuracy


def _in_bands(source: Source, rows: Sequence[int]) -> Source:
    """Some bands of all images, none read before it is asked for: a source may not fit into memory."""
    images = Changed(source.images, lambda image_CHW: np.ascontiguousarray(image_CHW[rows]))
    return replace(source, images=images, absent=())


def _windows(source: Source) -> Iterator[NDArray[np.uint8]]:
    """Windows uint8 [1, C, H, W] drawn evenly from the images of a source, the same each time."""
    rng = np.random.default_rng(0)
    for number in range(_WINDOWS_PER_SOURCE):
        image_CHW = source.images[number % len(source.images)]
        height, width = (min(_WINDOW_PX, side - side % STRIDE_PX) for side in image_CHW.shape[1:])
        row = rng.integers(image_CHW.shape[1] - height + 1)
        col = rng.integers(image_CHW.shape[2] - width + 1)
        yield np.ascontiguousarray(image_CHW[None, :, row : row + height, col : col + width])

"""What drift is measured against: looks at generated landscapes, each a domain, and at real domains."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.drift import NUM_WINDOWS, WINDOW_PX, DriftReference, Look, window_origins
from training.data.samples import IGNORED
from training.data.sources import Source
from training.real import Real
from training.scenes import SceneSet

MAX_GENERATED = 48
"""Landscapes that stand for all, each with its own ground, season, light and camera."""

_Window = tuple[NDArray[np.uint8], NDArray[np.bool_]]


def drift_reference(scenes: SceneSet, real: Real, *, rows: Sequence[int]) -> DriftReference:
    """What imagery of a graph is compared with.

    Args:
        scenes: Generated; those of validation will do, since they are drawn as those of training are.
        real: Sources that have all bands of the graph.
        rows: Positions of the graph's bands among the recipe's.
    """
    return DriftReference.of({name: look.of_bands(rows) for name, look in looks_of(scenes, real).items()})


def looks_of(scenes: SceneSet, real: Real) -> Mapping[str, Look]:
    """Looks by domain, in the bands of the recipe: generated landscapes, then real domains trained on."""
    looks: dict[str, Look] = {}
    chosen = np.unique(np.linspace(0, len(scenes) - 1, min(len(scenes), MAX_GENERATED)).astype(int))
    for index in chosen:
        image_CHW, classes_HW = np.asarray(scenes.image_NCHW[index]), np.asarray(scenes.classes_NHW[index])
        _keep(looks, f"generated landscape {index}", _windows(image_CHW, classes_HW != IGNORED, NUM_WINDOWS))
    for name, (train, _) in real.items():
        for domain in sorted(set(train.domains)):
            _keep(looks, f"{name}: {domain}", _windows_of_domain(train.of_domains({domain})))
    return looks


def _windows_of_domain(source: Source) -> list[_Window]:
    """The windows of a domain, shared by its images."""
    each = -(-NUM_WINDOWS // len(source))
    return [
        window
        for image_CHW in source.images
        # Unlabelled pixels are as much a part of a territory's looks as others.
        for window in _windows(image_CHW, np.ones(image_CHW.shape[1:], dtype=bool), each)
    ]


def _windows(image_CHW: NDArray[np.uint8], is_data_HW: NDArray[np.bool_], num_windows: int) -> list[_Window]:
    height, width = is_data_HW.shape
    return [
        (
            image_CHW[:, row : row + WINDOW_PX, col : col + WINDOW_PX],
            is_data_HW[row : row + WINDOW_PX, col : col + WINDOW_PX],
        )
        for row, col in window_origins(height, width, num_windows=num_windows)
    ]


def _keep(looks: dict[str, Look], name: str, windows: list[_Window]) -> None:
    look = Look.at(windows)
    if look is not None:
        looks[name] = look

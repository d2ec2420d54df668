"""What drift is measured against: looks at generated landscapes, each a domain, and at real domains."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.drift import NUM_WINDOWS, WINDOW_PX, DriftReference, Look, window_origins
from training.data.samples import IGNORED
from training.data.sources import Source
from training.real import Real
from training.scenes import SceneSet

MAX_GENERATED = 48
"""Landscapes that stand for all, each with its own ground, season, light and camera."""

Window = tuple[NDArray[np.uint8], NDArray[np.bool_]]
"""Raw pixels CHW, and which of them are data HW."""


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
    for index in chosen_landscapes(scenes):
        image_CHW, classes_HW = np.asarray(scenes.image_NCHW[index]), np.asarray(scenes.classes_NHW[index])
        _keep(looks, landscape_name(index), _windows(image_CHW, classes_HW != IGNORED, NUM_WINDOWS))
    for name, (train, _) in real.items():
        for domain in sorted(set(train.domains)):
            _keep(looks, f"{name}: {domain}", windows_of_domain(train.of_domains({domain})))
    return looks


def chosen_landscapes(scenes: SceneSet) -> list[int]:
    """The landscapes that stand for all."""
    spread = np.linspace(0, len(scenes) - 1, min(len(scenes), MAX_GENERATED))
    return [int(index) for index in np.unique(spread.astype(int))]


def landscape_name(index: int) -> str:
    """A generated landscape as a domain."""
    return f"generated landscape {index}"


def windows_of_domain(source: Source, *, is_each_once: bool = False) -> Iterator[Window]:
    """The windows of a domain, shared by its images; one image is held at a time.

    Args:
        source: Of one domain.
        is_each_once: Whether an image smaller than a window is looked at once, however many are its share.
    """
    each = -(-NUM_WINDOWS // len(source))
    for image_CHW in source.images:
        # Unlabelled pixels are as much a part of a territory's looks as others; what is zero in all bands is
        # no data, as everywhere in training: the collar of a flight is no look of its ground.
        is_data_HW = np.asarray(image_CHW.any(axis=0), dtype=np.bool_)
        yield from _windows(image_CHW, is_data_HW, each, is_each_once=is_each_once)


def _windows(
    image_CHW: NDArray[np.uint8],
    is_data_HW: NDArray[np.bool_],
    num_windows: int,
    *,
    is_each_once: bool = False,
) -> list[Window]:
    height, width = is_data_HW.shape
    origins = list(window_origins(height, width, num_windows=num_windows))
    return [
        (
            image_CHW[:, row : row + WINDOW_PX, col : col + WINDOW_PX],
            is_data_HW[row : row + WINDOW_PX, col : col + WINDOW_PX],
        )
        for row, col in (dict.fromkeys(origins) if is_each_once else origins)
    ]


def _keep(looks: dict[str, Look], name: str, windows: Iterable[Window]) -> None:
    look = Look.at(windows)
    if look is not None:
        looks[name] = look

"""Batches: crops drawn, turned and recoloured by a seed and a step number alone.

Because nothing else enters, a run that resumes at a step sees what it would have seen.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from training.recipes.recipe import Recipe
from training.scenes import NODATA, SceneSet

_SPOTS_PER_SCENE = 32
"""Positions remembered for each class in each scene."""


@dataclass(frozen=True, kw_only=True)
class ClassSpots:
    """Where classes are, to centre crops on rare ones."""

    spots_by_class: tuple[NDArray[np.int32], ...]
    """For each class value that occurs: rows of scene, row, column."""
    frequencies: NDArray[np.float64]
    """Share of each class value 0..254 among labelled pixels."""

    @classmethod
    def of(cls, scenes: SceneSet, *, seed: int) -> Self:
        """Look through all scenes once."""
        rng = np.random.default_rng(seed)
        counts = np.zeros(256, dtype=np.int64)
        found: dict[int, list[NDArray[np.int32]]] = {}
        for index in range(len(scenes)):
            classes_HW = np.asarray(scenes.classes_NHW[index])
            counts_here = np.bincount(classes_HW.ravel(), minlength=256)
            counts += counts_here
            for value in np.flatnonzero(counts_here[:NODATA]):
                flat = rng.choice(np.flatnonzero(classes_HW.ravel() == value), _SPOTS_PER_SCENE)
                rows, columns = np.divmod(flat, classes_HW.shape[1])
                spots = np.stack([np.full_like(rows, index), rows, columns], axis=1)
                found.setdefault(int(value), []).append(spots.astype(np.int32))
        return cls(
            spots_by_class=tuple(np.concatenate(found[value]) for value in sorted(found)),
            frequencies=counts[:NODATA] / max(1, counts[:NODATA].sum()),
        )


def draw_batch(
    scenes: SceneSet, spots: ClassSpots, recipe: Recipe, *, step: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The batch of a step.

    Returns:
        Raw pixels float32 [N, C, H, W] in 0-255 (recoloured, so no longer whole numbers) and class values
        uint8 [N, H, W].
    """
    rng = np.random.default_rng([recipe.seed, step])
    images, classes = [], []
    for _ in range(recipe.batch_size):
        index, row, column = _draw_corner(scenes, spots, recipe, rng)
        window = np.s_[row : row + recipe.crop_px, column : column + recipe.crop_px]
        raw_CHW = np.asarray(scenes.image_NCHW[index][:, *window])
        classes_HW = np.asarray(scenes.classes_NHW[index][window])
        image_CHW = _recolour(raw_CHW, rng)
        turn, is_mirrored = int(rng.integers(4)), rng.random() < 0.5
        image_CHW, classes_HW = np.rot90(image_CHW, turn, axes=(1, 2)), np.rot90(classes_HW, turn)
        if is_mirrored:
            image_CHW, classes_HW = image_CHW[:, :, ::-1], classes_HW[:, ::-1]
        images.append(image_CHW)
        classes.append(classes_HW)
    return np.ascontiguousarray(np.stack(images)), np.ascontiguousarray(np.stack(classes))


def draw_nir_drops(recipe: Recipe, *, step: int) -> NDArray[np.bool_]:
    """Samples of a step's batch whose near infrared is replaced by its mean."""
    rng = np.random.default_rng([recipe.seed, step, 1])
    return rng.random(recipe.batch_size) < recipe.nir_drop_share


def _draw_corner(
    scenes: SceneSet, spots: ClassSpots, recipe: Recipe, rng: np.random.Generator
) -> tuple[int, int, int]:
    """Scene, row and column of a crop's first pixel."""
    last = scenes.classes_NHW.shape[1] - recipe.crop_px
    if rng.random() < recipe.rare_share:
        of_class = spots.spots_by_class[rng.integers(len(spots.spots_by_class))]
        index, row, column = of_class[rng.integers(len(of_class))]
        # Somewhere in the crop, not in its middle: the network must not learn where to look.
        row, column = row - rng.integers(recipe.crop_px), column - rng.integers(recipe.crop_px)
        return int(index), int(np.clip(row, 0, last)), int(np.clip(column, 0, last))
    return int(rng.integers(len(scenes))), int(rng.integers(last + 1)), int(rng.integers(last + 1))


def _recolour(raw_CHW: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A light change of gain, offset and gamma, partly shared by the bands, as between two flights.

    Pixels without data are zero in all bands, and stay so.
    """
    num_bands = len(raw_CHW)
    gain_C = np.exp(rng.normal(0, 0.04) + rng.normal(0, 0.02, num_bands))
    offset_C = rng.normal(0, 2) + rng.normal(0, 1, num_bands)
    gamma = np.exp(rng.normal(0, 0.04))
    curve = 255 * (np.arange(256) / 255) ** gamma
    table_C256 = np.clip(curve * gain_C[:, None] + offset_C[:, None], 0, 255).astype(np.float32)
    recoloured_CHW = np.stack([table[band] for table, band in zip(table_C256, raw_CHW, strict=True)])
    recoloured_CHW[:, ~raw_CHW.any(axis=0)] = 0
    return recoloured_CHW

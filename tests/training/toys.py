"""Tiny scenes and recipes for the training tests."""

from dataclasses import replace

import numpy as np
import pytest

from training.batches import Mixture
from training.data.label_sets import label_sets
from training.data.sources import Source
from training.recipes import LANDSCAPES, RECIPES
from training.recipes.recipe import Share
from training.scenes import SceneSet

EXPORTS = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning:torch"),
    pytest.mark.slow,
]
"""Marks of tests that export: torch's exporter warns of its own future; what it writes is proved here."""

COLOURS = np.random.default_rng(7).integers(30, 226, (16, 4))


def toy_scenes(*, num_scenes=3, side_px=96, values=(0, 6, 12)):
    """Squares of a few classes, each of its own colour, under noise; a strip without data on top."""
    rng = np.random.default_rng(0)
    squares = rng.choice(values, (num_scenes, side_px // 32, side_px // 32))
    classes_NHW = np.kron(squares, np.ones((32, 32))).astype(np.uint8)
    noisy = COLOURS[classes_NHW] + rng.normal(0, 10, (*classes_NHW.shape, 4))
    image_NCHW = np.clip(noisy, 1, 255).astype(np.uint8).transpose(0, 3, 1, 2).copy()
    classes_NHW[:, :8], image_NCHW[:, :, :8] = 255, 0
    return SceneSet(image_NCHW=image_NCHW, classes_NHW=classes_NHW, gsd_m=(0.2,) * num_scenes)


def toy_coarse(*, num_images=2, shape=(100, 140)):
    """A source without near infrared, in two coarse labels: dark ones are buildings, bright ones the rest."""
    rng = np.random.default_rng(1)
    labels = [(np.indices(shape).sum(axis=0) // 40 % 2).astype(np.uint8) for _ in range(num_images)]
    images = [
        np.stack([*(np.where(each, 180, 20) + rng.integers(0, 9, shape) for _ in range(3)), 0 * each])
        for each in labels
    ]
    return Source(
        name="coarse",
        images=[image_CHW.astype(np.uint8) for image_CHW in images],
        labels=labels,
        domains=tuple(f"place-{number}" for number in range(num_images)),
        sets=label_sets(building=(0,), rest=(6, 12)),
        absent=(3,),
    )


def toy_mixture(**changes):
    recipe = toy_recipe(**changes)
    return Mixture.of([toy_scenes().as_source(recipe.channels)], recipe)


def toy_recipe(**changes):
    """The shipped recipe, a hundred times smaller."""
    recipe = RECIPES["landscapes_compact"]()
    sets = {
        "train": replace(recipe.train, num_scenes=3, side_px=96),
        "validation": replace(recipe.validation, num_scenes=2, side_px=96, gsd_m_cycle=(0.2, 0.5)),
    }
    small = {
        "widths": (8, 8, 8, 8, 8),
        "shares": (Share(source=LANDSCAPES, num_samples=2),),
        "crop_px": 64,
        "num_steps": 3,
    }
    return replace(recipe, **{**sets, **small, **changes})

"""Tiny scenes and recipes for the training tests."""

from dataclasses import replace

import numpy as np

from training.recipes import RECIPES
from training.scenes import SceneSet

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


def toy_recipe(**changes):
    """The shipped recipe, a hundred times smaller."""
    recipe = RECIPES["landscapes_compact"]()
    sets = {
        "train": replace(recipe.train, num_scenes=3, side_px=96),
        "validation": replace(recipe.validation, num_scenes=2, side_px=96, gsd_m_cycle=(0.2, 0.5)),
    }
    small = {"widths": (8, 8, 8, 8, 8), "batch_size": 2, "crop_px": 64, "num_steps": 3}
    return replace(recipe, **{**sets, **small, **changes})

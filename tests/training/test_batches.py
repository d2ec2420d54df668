"""Batches follow from a seed and a step; rare classes are found; no data stays no data."""

import numpy as np
from toys import toy_recipe, toy_scenes

from training.batches import ClassSpots, draw_batch, draw_nir_drops


def test_a_batch_depends_on_its_step_alone():
    scenes, recipe = toy_scenes(), toy_recipe()
    spots = ClassSpots.of(scenes, seed=0)
    first = draw_batch(scenes, spots, recipe, step=5)
    draw_batch(scenes, spots, recipe, step=6)
    again = draw_batch(scenes, spots, recipe, step=5)
    other = draw_batch(scenes, spots, recipe, step=6)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert (draw_nir_drops(recipe, step=5) == draw_nir_drops(recipe, step=5)).all()


def test_images_and_classes_turn_together():
    scenes, recipe = toy_scenes(), toy_recipe()
    spots = ClassSpots.of(scenes, seed=0)
    for step in range(12):
        image_NCHW, classes_NHW = draw_batch(scenes, spots, recipe, step=step)
        assert image_NCHW.shape == (2, 4, 64, 64)
        assert (~image_NCHW.any(axis=1) == (classes_NHW == 255)).all()


def test_rare_classes_are_sought():
    scenes = toy_scenes(num_scenes=4, side_px=256, values=(0,))
    scenes.classes_NHW[2, 200:203, 100:103] = 9
    spots = ClassSpots.of(scenes, seed=0)
    batches = [draw_batch(scenes, spots, toy_recipe(rare_share=1.0), step=step)[1] for step in range(10)]
    holds_rare = [(classes_HW == 9).any() for classes_NHW in batches for classes_HW in classes_NHW]
    assert (
        4 <= sum(holds_rare) <= 16
    )  # a half of twenty crops, where a random crop would find it in one of sixty


def test_frequencies_are_over_labelled_pixels():
    spots = ClassSpots.of(toy_scenes(), seed=0)
    assert np.isclose(spots.frequencies.sum(), 1)
    assert len(spots.spots_by_class) == 3

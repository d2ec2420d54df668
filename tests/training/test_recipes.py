"""Recipes refuse what cannot be trained."""

from dataclasses import replace

import pytest
from toys import toy_recipe

from training.recipes import RECIPES


def test_named_recipes_carry_their_names():
    assert all(recipe().name == name for name, recipe in RECIPES.items())


def test_seeds_of_training_stay_below_those_of_validation():
    recipe = toy_recipe()
    with pytest.raises(ValueError, match="validation seeds"):
        replace(recipe, train=replace(recipe.train, first_seed=999_999))


def test_crops_fit_the_stride_and_the_scenes():
    for crop_px in (48, 128):
        with pytest.raises(ValueError, match="crop"):
            toy_recipe(crop_px=crop_px)


def test_near_infrared_can_only_be_dropped_where_it_is_read():
    with pytest.raises(ValueError, match="near infrared"):
        toy_recipe(bands=("red", "green", "blue"))

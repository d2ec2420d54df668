"""Recipes: a run is a function that returns a full, frozen configuration."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from training.recipes.curated_compact import curated_compact
from training.recipes.flair_compact import flair_compact
from training.recipes.landscapes_compact import landscapes_compact
from training.recipes.mixed_compact import mixed_compact
from training.recipes.recipe import LANDSCAPES, Recipe, SceneSetSpec

RECIPES: Mapping[str, Callable[[], Recipe]] = MappingProxyType(
    {
        "landscapes_compact": landscapes_compact,
        "mixed_compact": mixed_compact,
        "curated_compact": curated_compact,
        "flair_compact": flair_compact,
    }
)

__all__ = ["LANDSCAPES", "RECIPES", "Recipe", "SceneSetSpec"]

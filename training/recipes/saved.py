"""Recipes as they are kept beside weights and in run folders: JSON, and back."""

import json
from pathlib import Path
from typing import Any

from models.errors import RemediedError
from training.recipes.recipe import LANDSCAPES, Looks, Recipe, SceneSetSpec, Share


class RecipeUnreadable(RemediedError):
    """A file is no recipe of this version's networks."""


def read_recipe(path: Path) -> Recipe:
    """The recipe that a file holds.

    Raises:
        RecipeUnreadable: It is of an imported network, or of another version.
    """
    try:
        return parse_recipe(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise RecipeUnreadable(
            f"{path} is no recipe of a network that is trained here: {error}",
            remedy="Imported networks run, but are not adapted; begin with a packaged artefact"
            " (orthoscape models).",
        ) from error


def parse_recipe(content: dict[str, Any]) -> Recipe:
    """A recipe from what `dataclasses.asdict` and JSON made of it.

    Raises:
        TypeError, KeyError, ValueError: It is none.
    """
    content = dict(content)
    batch_size = content.pop("batch_size", None)  # before sources had shares, all were generated
    shares = content.pop("shares", None) or [{"source": LANDSCAPES, "num_samples": batch_size}]
    train, validation = (SceneSetSpec(**_frozen(content.pop(name))) for name in ("train", "validation"))
    return Recipe(
        **_frozen(content),
        train=train,
        validation=validation,
        shares=tuple(
            Share(**_frozen(share) | {"looks": Looks(**_frozen(share.get("looks", {})))}) for share in shares
        ),
    )


def _frozen(content: dict[str, Any]) -> dict[str, Any]:
    """Lists as the tuples that they were."""
    return {name: _tuple(value) if isinstance(value, list) else value for name, value in content.items()}


def _tuple(values: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(value) if isinstance(value, list) else value for value in values)

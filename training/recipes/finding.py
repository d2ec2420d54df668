"""Recipes by name, or as ``file.py:function``; where a run's recipe is from is kept in its folder."""

import hashlib
import importlib.util
import json
import re
import sys
from pathlib import Path

from models.errors import RemediedError
from training.recipes import RECIPES, Recipe

ORIGIN_NAME = "recipe_origin.json"


class RecipeMissing(RemediedError):
    """There is no such recipe, or what is named gives none."""


def find_recipe(name: str) -> Recipe:
    """A recipe by its name, or from a function of a file.

    Args:
        name: One of `RECIPES`, or ``path/to/file.py:function``; the file is run.

    Raises:
        RecipeMissing: There is none of that name, no such file or function, or it returns something else.
    """
    if name in RECIPES:
        return RECIPES[name]()
    path, _, function = name.rpartition(":")
    if not path.endswith(".py"):
        raise RecipeMissing(
            f"no recipe {name!r}", remedy=f"recipes: {', '.join(RECIPES)}; or your own: file.py:function"
        )
    return _from_file(Path(path), function)


def write_origin(name: str, *, out: Path) -> None:
    """Keep in a run folder where its recipe is from, so that later commands find it again."""
    path, has_function, function = name.rpartition(":")
    origin = {"recipe": name}
    if has_function:
        file = Path(path).resolve()
        origin = {
            "recipe": f"{file}:{function}",
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        }
    out.mkdir(parents=True, exist_ok=True)
    (out / ORIGIN_NAME).write_text(json.dumps(origin, indent=2) + "\n", encoding="utf-8")


def read_origin(run: Path, *, default: str) -> str:
    """What a run's recipe was found by; the default for runs that do not say."""
    path = run / ORIGIN_NAME
    if not path.exists():
        return default
    origin: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return origin["recipe"]


def _from_file(path: Path, function: str) -> Recipe:
    if not path.is_file():
        raise RecipeMissing(f"{path} does not exist", remedy="A recipe of your own is file.py:function.")
    name = "orthoscape_recipe_" + re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "the name ends in .py"
    assert spec.loader is not None, "as above"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise RecipeMissing(
            f"{path} cannot be run: {type(error).__name__}: {error}", remedy=f"python {path} tells more."
        ) from error
    make = getattr(module, function, None)
    if not callable(make):
        functions = [each for each, value in vars(module).items() if callable(value) and each[0] != "_"]
        raise RecipeMissing(
            f"{path} has no function {function!r}", remedy=f"It has: {', '.join(functions) or 'none'}."
        )
    try:
        recipe = make()
    except Exception as error:
        raise RecipeMissing(
            f"{path}:{function} gives no recipe: {type(error).__name__}: {error}",
            remedy="It is called without arguments, and returns a Recipe; docs/training.md has one.",
        ) from error
    if not isinstance(recipe, Recipe):
        raise RecipeMissing(
            f"{path}:{function} returns {type(recipe).__name__}, not a Recipe",
            remedy="from training.recipes import Recipe; docs/training.md has one.",
        )
    return recipe

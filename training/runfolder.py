"""A run folder: the recipe that it was made with, the sources it was taught by, and what it says of them."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from training.batches import Mixture
from training.data.errors import DataError
from training.data.sources import Source, load_source
from training.recipes import LANDSCAPES, Recipe, finding
from training.recipes.finding import RecipeMissing, read_origin

CACHE_FOLDER = Path("runs/scenes")
"""Where generated scenes are kept for all runs."""
DATA_NAME = "data.json"


def find_recipe(name: str) -> Recipe:
    """A recipe by its name, or from ``file.py:function``; see ``training.recipes.finding``.

    Raises:
        ClickException: There is none.
    """
    try:
        return finding.find_recipe(name)
    except RecipeMissing as error:
        raise click.ClickException(str(error)) from error


def recipe_of(run: Path) -> Recipe:
    """The recipe that a run folder was trained with.

    Raises:
        ClickException: The folder holds no run, or the recipe of that name has changed since.
    """
    path = run / "recipe.json"
    if not path.exists():
        raise click.ClickException(f"{run} holds no recipe.json; is it a run folder?")
    saved = json.loads(path.read_text(encoding="utf-8"))
    recipe = find_recipe(read_origin(run, default=saved["name"]))
    if json.loads(json.dumps(asdict(recipe))) != saved:
        raise click.ClickException(f"recipe {recipe.name!r} is not the one that {run} was trained with")
    return recipe


def read_real(recipe: Recipe, data: Mapping[str, Path]) -> dict[str, tuple[Source, Source]]:
    """The real sources of a recipe, as what is trained on and what is held out.

    Raises:
        ClickException: A folder is not named, or does not hold what it should.
    """
    wanted = [share for share in recipe.shares if share.source != LANDSCAPES]
    missing = [share.source for share in wanted if share.source not in data]
    if missing:
        options = " ".join(f"--data {name}=FOLDER" for name in missing)
        raise click.ClickException(
            f"{recipe.name} trains on {', '.join(missing)} too: say where with {options}"
        )
    try:
        return {
            share.source: load_source(
                share.source, data[share.source], bands=recipe.bands, held_out=share.held_out
            )
            for share in wanted
        }
    except DataError as error:
        raise click.ClickException(str(error)) from error


def write_fingerprints(mixture: Mixture, *, out: Path) -> None:
    """Say in the run folder what is trained on: images, domains and a digest of each source."""
    described = {
        part.source.name: {
            "num_images": len(part.source),
            "domains": sorted(set(part.source.domains)),
            "sha256": part.source.fingerprint(),
        }
        for part in mixture.parts
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / DATA_NAME).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def working_commit() -> str:
    """Commit of the working tree, marked where it has changes; "unknown" outside a clone."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        described = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()

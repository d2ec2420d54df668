"""A run folder: the recipe that it was made with, the sources it was taught by, and what it says of them."""

import json
import logging
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path

import click

from models.errors import RemediedError
from training.batches import Mixture
from training.data.errors import DataError
from training.data.sources import Source, load_source
from training.loop import CHECKPOINT_NAME
from training.recipes import LANDSCAPES, Recipe, finding
from training.recipes.finding import RecipeMissing, read_origin
from training.recipes.saved import RecipeUnreadable, read_recipe

CACHE_FOLDER = Path("runs/scenes")
"""Where generated scenes are kept for all runs."""
DATA_NAME = "data.json"
_NAMES = ("name", "title", "model_id", "version", "num_steps")
"""Fields of a recipe that may change while a run goes on: what was learned so far does not depend on them."""

log = logging.getLogger(__name__)


class RunTaken(RemediedError):
    """A run folder holds weights that another recipe taught."""


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
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{path} is no recipe: {error}") from error
    recipe = find_recipe(read_origin(run, default=saved["name"]))
    if json.loads(json.dumps(asdict(recipe))) != saved:
        raise click.ClickException(f"recipe {recipe.name!r} is not the one that {run} was trained with")
    return recipe


def require_own(recipe: Recipe, *, out: Path) -> None:
    """Refuse to go on in a folder where another recipe was trained: its weights would pass for this one's.

    Raises:
        RunTaken: One was.
    """
    if not (out / CHECKPOINT_NAME).exists():
        return
    try:
        noted = read_recipe(out / "recipe.json")
    except RecipeUnreadable as error:
        raise RunTaken(
            f"{out} holds weights, and no recipe that can be read: {error.message}",
            remedy="Name another folder with --out.",
        ) from error
    noted = replace(noted, **{name: getattr(recipe, name) for name in _NAMES})
    others = [each.name for each in fields(Recipe) if getattr(noted, each.name) != getattr(recipe, each.name)]
    if others:
        raise RunTaken(
            f"{out} holds another run: the {', '.join(others)} of its recipe differ(s)",
            remedy="Name another folder with --out, or delete this one.",
        )


def read_real(recipe: Recipe, data: Mapping[str, Path]) -> dict[str, tuple[Source, Source]]:
    """The real sources of a recipe, as what is trained on and what is held out.

    Labels of classes that its head does not have teach nothing, and judge nothing.

    Raises:
        ClickException: A folder is not named, does not hold what it should, or is of no use to the recipe.
    """
    wanted = [share for share in recipe.shares if share.source != LANDSCAPES]
    idle = [name for name in data if name not in {share.source for share in wanted}]
    if idle:
        own = ", ".join(share.source for share in wanted) or "generated landscapes alone"
        raise click.ClickException(
            f"{recipe.name} does not train on {', '.join(idle)}, but on {own}:"
            " leave it away, or name a recipe that has a share of it"
        )
    missing = [share.source for share in wanted if share.source not in data]
    if missing:
        options = " ".join(f"--data {name}=FOLDER" for name in missing)
        raise click.ClickException(
            f"{recipe.name} trains on {', '.join(missing)} too: say where with {options}"
        )
    try:
        loaded = {
            share.source: load_source(
                share.source, data[share.source], bands=recipe.bands, held_out=share.held_out
            )
            for share in wanted
        }
    except DataError as error:
        raise click.ClickException(str(error)) from error
    real = {
        name: (train.taught(recipe.channels), judged.taught(recipe.channels))
        for name, (train, judged) in loaded.items()
    }
    for name, (train, _) in real.items():
        if not train.is_labelled:
            raise click.ClickException(
                f"{data[name]} has no labelled pixel that {recipe.name} could train on:"
                " check that the data set is whole, or hold fewer domains out"
            )
    return real


def write_fingerprints(mixture: Mixture, *, out: Path) -> None:
    """Say in the run folder what is trained on: images, domains and a digest of each source.

    A run that goes on with other real data than it began with says so; of scenes see ``training.reference``.
    """
    described = {
        part.source.name: {
            "num_images": len(part.source),
            "domains": sorted(set(part.source.domains)),
            "sha256": part.source.fingerprint(),
        }
        for part in mixture.parts
    }
    out.mkdir(parents=True, exist_ok=True)
    if (out / CHECKPOINT_NAME).exists() and (out / DATA_NAME).exists():
        noted = json.loads((out / DATA_NAME).read_text(encoding="utf-8"))
        for name in sorted(described):
            if name != LANDSCAPES and noted.get(name) != described[name]:
                log.warning("%s has changed since %s began; the run goes on with other images", name, out)
    (out / DATA_NAME).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def working_commit() -> str:
    """Commit of the working tree, marked where it has changes; "unknown" outside a clone."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        described = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()

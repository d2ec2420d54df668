"""What `fit` and `evaluate` do: scenes from the cache, a network taught, and how good it is."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from models.manifest import Metrics
from models.nomenclature import get_nomenclature
from training import runfolder
from training.batches import Mixture
from training.curves import draw_curves
from training.exact import ExactScore, exact_scores
from training.looks import write_look
from training.loop import RunLimits, RunState, fit, restore
from training.machine import write_start
from training.progress import shown_steps
from training.recipes.finding import write_origin
from training.reference import write_reference
from training.runfolder import find_recipe, read_real, recipe_of, require_own, write_fingerprints
from training.scenes import load_scenes
from training.scoring import DOMAIN, band_sets, score, score_real

_LOOK_EVERY = 15
"""Times as long as a look took, at least, until the next."""
_LOOK_SCENES = 15
"""Validation scenes looked at during training; the figures of record take all."""
_LOOK_IMAGES = 32
"""Images of each real domain looked at; as above."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How generated scenes are drawn that the cache lacks."""

    budget_s: float
    """Seconds after which no further one is begun."""
    num_processes: int


def fit_recipe(
    name: str,
    *,
    out: Path,
    seconds: float | None,
    num_steps: int | None,
    drawing: Drawing,
    data: Mapping[str, Path],
) -> RunState:
    """Draw the scenes that are missing, then train until the limit, looking at unseen images on the way."""
    recipe = find_recipe(name)
    require_own(recipe, out=out)
    real = read_real(recipe, data)
    scenes = load_scenes(
        recipe.train,
        bands=recipe.bands,
        folder=runfolder.CACHE_FOLDER,
        num_processes=drawing.num_processes,
        budget_s=drawing.budget_s,
    )
    write_origin(name, out=out)
    write_reference(scenes, recipe.bands, out=out)
    mixture = Mixture.of([scenes.as_source(recipe.channels), *(train for train, _ in real.values())], recipe)
    write_fingerprints(mixture, out=out)
    look = load_scenes(
        replace(recipe.validation, num_scenes=min(_LOOK_SCENES, recipe.validation.num_scenes)),
        bands=recipe.bands,
        folder=runfolder.CACHE_FOLDER,
        num_processes=drawing.num_processes,
    )

    real_look = {
        name: (train.spread(_LOOK_IMAGES), judged.spread(_LOOK_IMAGES))
        for name, (train, judged) in real.items()
    }

    next_look_s = 0.0
    looked_step = -1

    def look_at(state: RunState, *, is_last: bool = False) -> None:
        nonlocal next_look_s, looked_step
        began_s = time.monotonic()
        if state.step == looked_step or (began_s < next_look_s and not is_last):
            return
        looked_step = state.step
        metrics = score(state.average, recipe, look)[DOMAIN]
        worst = ", ".join(
            f"{slug} {iou:.2f}" for slug, iou in sorted(metrics.iou.items(), key=lambda item: item[1])
        )
        log.info("step %d: mIoU %.3f on %d scenes; %s", state.step, metrics.miou, len(look), worst)
        scores = score_real(state.average, recipe, real_look)
        for domain, coarse in scores.items():
            told = ", ".join(f"{label} {recall:.2f}" for label, recall in coarse.recall.items())
            log.info("%s: balanced accuracy %.3f; %s", domain, coarse.balanced_accuracy, told)
        write_look(out, step=state.step, fine={DOMAIN: metrics}, coarse=scores)
        draw_curves(recipe, out)
        next_look_s = time.monotonic() + _LOOK_EVERY * (time.monotonic() - began_s)

    if seconds is None and num_steps is None:
        num_steps = recipe.num_steps
    limits = RunLimits(num_steps=num_steps, seconds=seconds)
    write_start(out, num_steps=num_steps)
    with shown_steps() as each_step:
        state = fit(mixture, out=out, limits=limits, each_checkpoint=look_at, each_step=each_step)
    look_at(state, is_last=True)
    return state


def default_run(name: str) -> Path:
    """The run folder of a recipe, where none is named."""
    return Path("runs") / find_recipe(name).name


def evaluate_run(run: Path) -> dict[str, Metrics]:
    """Metrics by band set and resolution, on all validation scenes."""
    recipe = recipe_of(run)
    network = restore(recipe, mixture=None, out=run).average
    scenes = load_scenes(recipe.validation, bands=recipe.bands, folder=runfolder.CACHE_FOLDER)
    return {
        f"{domain}, {suffix.upper()}": metrics
        for suffix, bands in band_sets(recipe).items()
        for domain, metrics in score(network, recipe, scenes, bands=bands).items()
    }


def evaluate_real(run: Path, data: Mapping[str, Path]) -> dict[str, ExactScore]:
    """Scores by domain on the recipe's real ground that is judged on, where its labels are classes.

    Raises:
        ClickException: A real data set of the recipe is not named.
    """
    recipe = recipe_of(run)
    real = read_real(recipe, data)
    network = restore(recipe, mixture=None, out=run).average
    return exact_scores(
        network, real, channels=recipe.channels, nomenclature=get_nomenclature(recipe.nomenclature)
    )

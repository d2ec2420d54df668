"""What the commands do: recipes by name, scenes from the cache, runs to scores and artefacts."""

import json
import logging
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.artefact import Artefact
from models.manifest import Metrics, Precision, Role, Training
from models.nomenclature import get_nomenclature
from models.registry import PACKAGED_FOLDER
from training import judging
from training import real as real_sources
from training.batches import Mixture
from training.card import Measured, RunFacts, write_card
from training.curves import draw_curves
from training.data.credits import CREDITS
from training.data.errors import DataError
from training.data.sources import Source, load_source
from training.drift import drift_reference
from training.evaluate import Confusion, evaluate, fit_temperature, to_metrics, torch_predictor
from training.exact import ExactScore, exact_scores
from training.export import Exported, write_artefact
from training.judging import CoarseScore, assign, count
from training.looks import write_look
from training.loop import RunLimits, RunState, channel_table, fit, restore
from training.machine import read_starts, write_start
from training.networks.compact import CompactUNet, count_parameters
from training.outcomes import Outcomes
from training.progress import shown_steps
from training.recipes import LANDSCAPES, Recipe, finding
from training.recipes.finding import RecipeMissing, read_origin, write_origin
from training.reference import read_reference, write_reference
from training.scenes import SceneSet, load_scenes
from training.trials import plan_lowering

CACHE_FOLDER = Path("runs/scenes")
DATA_NAME = "data.json"
DOMAIN = "generated landscapes"
GOLDEN_PX = (96, 128)
"""Height and width of the golden sample: it need not be square, and logits weigh."""

_CALIBRATION_SCENES = 32
"""Training scenes that show a graph of lower precision what it will meet."""
_LOOK_EVERY = 15
"""Times as long as a look took, at least, until the next."""
_LOOK_SCENES = 15
"""Validation scenes looked at during training; the figures of record take all."""

log = logging.getLogger(__name__)


def find_recipe(name: str) -> Recipe:
    """A recipe by its name, or from ``file.py:function``; see ``training.recipes.finding``.

    Raises:
        ClickException: There is none.
    """
    try:
        return finding.find_recipe(name)
    except RecipeMissing as error:
        raise click.ClickException(str(error)) from error


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How generated scenes are drawn that the cache lacks."""

    budget_s: float
    """Seconds after which no further one is begun."""
    num_processes: int


def fit_recipe(
    name: str,
    *,
    out: Path | None,
    seconds: float | None,
    num_steps: int | None,
    drawing: Drawing,
    data: Mapping[str, Path],
) -> RunState:
    """Draw the scenes that are missing, then train until the limit, looking at unseen images on the way."""
    recipe = find_recipe(name)
    real = read_real(recipe, data)
    out = out or Path("runs") / recipe.name
    scenes = load_scenes(
        recipe.train,
        bands=recipe.bands,
        folder=CACHE_FOLDER,
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
        folder=CACHE_FOLDER,
        num_processes=drawing.num_processes,
    )

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
        scores = score_real(state.average, recipe, real)
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


def score_real(
    network: CompactUNet,
    recipe: Recipe,
    real: Mapping[str, tuple[Source, Source]],
    *,
    bands: tuple[Role, ...] | None = None,
) -> dict[str, CoarseScore]:
    """How good a network is on the domains held out, by domain; see ``training.judging``."""
    num_classes = len(get_nomenclature(recipe.nomenclature).classes)
    away = [row for row, band in enumerate(recipe.bands) if bands is not None and band not in bands]
    scores = {}
    for train, judged in real.values():
        absent = sorted({*train.absent, *away})
        predict = torch_predictor(network, channels=recipe.channels, missing=absent)
        assigned = assign(count(train, predict, num_classes=num_classes), train.sets)
        for domain in sorted(set(judged.domains)):
            counted = count(judged.of_domains({domain}), predict, num_classes=num_classes)
            scores[domain] = judging.score(counted, assigned, judged.sets)
    return scores


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


def score(
    network: CompactUNet, recipe: Recipe, scenes: SceneSet, *, bands: tuple[Role, ...] | None = None
) -> dict[str, Metrics]:
    """Metrics of a network, with all of its bands or with some at their means.

    Returns:
        By domain: all scenes pooled, then the scenes of each ground resolution.
    """
    nomenclature = get_nomenclature(recipe.nomenclature)
    missing = [row for row, band in enumerate(recipe.bands) if bands is not None and band not in bands]
    predict = torch_predictor(network, channels=recipe.channels, missing=missing)
    parts = {gsd_m: scenes.at_resolution(gsd_m) for gsd_m in sorted(set(scenes.gsd_m))}
    confusions = {
        gsd_m: evaluate(part, predict, num_classes=len(nomenclature.classes)) for gsd_m, part in parts.items()
    }
    pooled = Confusion(counts_TP=np.sum([part.counts_TP for part in confusions.values()], axis=0))
    metrics = {DOMAIN: to_metrics(pooled, scenes, nomenclature=nomenclature)}
    for gsd_m, part in parts.items():
        metrics[f"{DOMAIN} at {gsd_m:g} m"] = to_metrics(confusions[gsd_m], part, nomenclature=nomenclature)
    return metrics


def band_sets(recipe: Recipe) -> Mapping[str, tuple[Role, ...]]:
    """Suffix of the artefact's id to the bands that it reads."""
    suffixes: dict[Role, str] = {"red": "r", "green": "g", "blue": "b", "nir": "i", "height": "e"}
    sets: list[tuple[Role, ...]] = [recipe.bands]
    if recipe.nir_drop_share:
        sets.append(tuple(band for band in recipe.bands if band != "nir"))
    return {"".join(suffixes[band] for band in bands): bands for bands in sets}


def evaluate_run(run: Path) -> dict[str, Metrics]:
    """Metrics by band set and resolution, on all validation scenes."""
    recipe = _recipe_of(run)
    network = restore(recipe, mixture=None, out=run).average
    scenes = load_scenes(recipe.validation, bands=recipe.bands, folder=CACHE_FOLDER)
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
    recipe = _recipe_of(run)
    real = read_real(recipe, data)
    network = restore(recipe, mixture=None, out=run).average
    return exact_scores(
        network, real, channels=recipe.channels, nomenclature=get_nomenclature(recipe.nomenclature)
    )


def export_run(
    run: Path,
    *,
    into: Path | None,
    note: str = "",
    precisions: Sequence[Precision] = (),
    data: Mapping[str, Path] | None = None,
) -> list[Artefact]:
    """Write one artefact for each band set of a run; the first carries the weights.

    Args:
        run: Run folder.
        into: Folder of artefact folders; None is the packaged one.
        note: For the card: what happened to the run that its commands do not show.
        precisions: Lower ones to try; see ``training.precisions``.
        data: Folders of the recipe's real data sets, by name: the artefacts are judged on what is held out.

    Raises:
        ClickException: A real data set of the recipe is not named, or nobody knows whose it is.
    """
    recipe = _recipe_of(run)
    real = read_real(recipe, data or {})
    if unknown := set(real) - set(CREDITS):
        raise click.ClickException(
            f"training/data/credits.py does not say whose {', '.join(sorted(unknown))} is, and on which terms"
        )
    state = restore(recipe, mixture=None, out=run)
    validation = load_scenes(recipe.validation, bands=recipe.bands, folder=CACHE_FOLDER)
    calibration = validation
    if precisions:
        few = replace(recipe.train, num_scenes=min(_CALIBRATION_SCENES, recipe.train.num_scenes))
        calibration = load_scenes(few, bands=recipe.bands, folder=CACHE_FOLDER)
    reference = read_reference(run)
    golden_NCHW = _golden_window(validation)
    facts = RunFacts(
        num_parameters=count_parameters(state.average),
        num_steps=state.step,
        minutes=state.elapsed_s / 60,
        num_scenes=reference.num_scenes,
        note=note,
        starts=read_starts(run),
        real=real,
        provenance=real_sources.provenance_of(
            [train for train, _ in real.values()],
            channels=recipe.channels,
            nomenclature=get_nomenclature(recipe.nomenclature),
        ),
    )
    artefacts: list[Artefact] = []
    for suffix, bands in band_sets(recipe).items():
        missing = [row for row, band in enumerate(recipe.bands) if band not in bands]
        rows = [row for row in range(len(recipe.bands)) if row not in missing]
        seen = real_sources.with_bands(real, rows)
        # On generated scenes alone: images trained on ask for a sharper one than real ground never seen does.
        temperature = fit_temperature(
            state.average, validation, channel_of_value=channel_table(recipe), missing=missing
        )
        metrics = score(state.average, recipe, validation, bands=bands)
        coarse = real_sources.coarse_metrics(score_real(state.average, recipe, seen, bands=bands), seen)
        outcomes = Outcomes(
            network=state.average,
            channels=recipe.channels,
            missing=tuple(missing),
            temperature=temperature,
        )
        exported = Exported(
            model_id=f"{recipe.model_id}-{suffix}",
            title=f"{recipe.title}, {suffix.upper()}",
            bands=bands,
            temperature=temperature,
            metrics=metrics,
            coarse_metrics=coarse,
            provenance=facts.provenance,
            domains=(DOMAIN, *real_sources.trained_domains(real)),
            card=write_card(
                recipe,
                facts,
                suffix=suffix,
                bands=bands,
                measured=Measured(metrics=metrics, coarse=coarse, temperature=temperature),
            ),
            training=Training(
                commit=working_commit(),
                recipe=recipe.name,
                seed=recipe.seed,
                num_steps=state.step,
                weights_of=artefacts[0].manifest.key if artefacts else None,
            ),
            has_weights=not artefacts,
            drift=replace(
                drift_reference(validation, seen, rows=rows), of_maps=outcomes.reference(validation, seen)
            ),
            lowering=plan_lowering(
                state.average,
                recipe,
                precisions=precisions,
                bands=bands,
                scenes={DOMAIN: (calibration, validation)},
                real=real,
            )
            if precisions
            else None,
        )
        folder = (into or PACKAGED_FOLDER) / exported.model_id
        artefacts.append(
            write_artefact(
                exported,
                state.average,
                recipe,
                references=reference.bands,
                golden_NCHW=golden_NCHW,
                folder=folder,
            )
        )
    return artefacts


def _golden_window(scenes: SceneSet) -> NDArray[np.uint8]:
    """The first corner among the scenes' that shows the most classes, uint8 [1, C, H, W]."""
    height, width = GOLDEN_PX
    num_classes = [len(np.unique(classes_HW[:height, :width])) for classes_HW in scenes.classes_NHW]
    chosen = int(np.argmax(num_classes))
    return np.ascontiguousarray(scenes.image_NCHW[chosen : chosen + 1, :, :height, :width])


def _recipe_of(run: Path) -> Recipe:
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


def working_commit() -> str:
    """Commit of the working tree, marked where it has changes; "unknown" outside a clone."""
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        described = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()

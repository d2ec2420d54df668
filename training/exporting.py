"""From a run to artefacts: one for each set of bands, measured and calibrated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.artefact import MANIFEST_NAME, Artefact, read_manifest
from models.errors import RemediedError
from models.manifest import Precision, Training
from models.nomenclature import get_nomenclature
from models.registry import PACKAGED_FOLDER
from training import real as real_sources
from training import runfolder
from training.calibration import LabelledLogits
from training.card import Measured, RunFacts, write_card
from training.data.credits import CREDITS
from training.drift import drift_reference
from training.export import Exported, write_artefact
from training.loop import restore
from training.machine import read_starts
from training.networks.compact import count_parameters
from training.outcomes import Outcomes
from training.recipes import Recipe
from training.reference import read_reference
from training.runfolder import read_real, recipe_of, working_commit
from training.scenes import SceneSet, load_scenes
from training.scoring import DOMAIN, band_sets, score, score_real
from training.trials import plan_lowering

GOLDEN_PX = (96, 128)
"""Height and width of the golden sample: it need not be square, and logits weigh."""

_CALIBRATION_SCENES = 32
"""Training scenes that show a graph of lower precision what it will meet."""


class VersionTaken(RemediedError):
    """An artefact of that id and version is there: maps that name it would no longer say what made them."""


def export_run(
    run: Path,
    *,
    into: Path | None,
    note: str = "",
    precisions: Sequence[Precision] = (),
    data: Mapping[str, Path] | None = None,
    may_replace: bool = False,
) -> list[Artefact]:
    """Write one artefact for each band set of a run; the first carries the weights.

    Args:
        run: Run folder.
        into: Folder of artefact folders; None is the packaged one.
        note: For the card: what happened to the run that its commands do not show.
        precisions: Lower ones to try; see ``training.precisions``.
        data: Folders of the recipe's real data sets, by name: the artefacts are judged on what is held out.
        may_replace: Whether an artefact of the same id and version may give way to another.

    Raises:
        ClickException: A real data set of the recipe is not named, or nobody knows whose it is.
        VersionTaken: The folder holds this version of an artefact already.
    """
    recipe = recipe_of(run)
    if not may_replace:
        _require_new(recipe, into=into or PACKAGED_FOLDER)
    real = read_real(recipe, data or {})
    if unknown := set(real) - set(CREDITS):
        raise click.ClickException(
            f"training/data/credits.py does not say whose {', '.join(sorted(unknown))} is, and on which terms"
        )
    state = restore(recipe, mixture=None, out=run)
    validation = load_scenes(recipe.validation, bands=recipe.bands, folder=runfolder.CACHE_FOLDER)
    calibration = validation
    if precisions:
        few = replace(recipe.train, num_scenes=min(_CALIBRATION_SCENES, recipe.train.num_scenes))
        calibration = load_scenes(few, bands=recipe.bands, folder=runfolder.CACHE_FOLDER)
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
        temperature = LabelledLogits.of(
            state.average,
            validation.as_source(recipe.channels),
            channels=recipe.channels,
            missing=missing,
        ).temperature()
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


def _require_new(recipe: Recipe, *, into: Path) -> None:
    for suffix in band_sets(recipe):
        folder = into / f"{recipe.model_id}-{suffix}"
        if not (folder / MANIFEST_NAME).exists():
            continue
        key = read_manifest(folder)[0].key
        if key == f"{folder.name}@{recipe.version}":
            raise VersionTaken(
                f"{folder} is {key} already",
                remedy="Raise the recipe's version, name another folder with --into, or say --replace.",
            )

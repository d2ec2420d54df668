"""How good a network is, on generated scenes and on the real ground that its recipe holds out."""

from collections.abc import Mapping

import numpy as np

from models.manifest import Metrics, Role
from models.nomenclature import get_nomenclature
from training import judging
from training.data.sources import Source
from training.evaluate import Confusion, evaluate, to_metrics, torch_predictor
from training.judging import CoarseScore, assigned, count
from training.networks.compact import CompactUNet
from training.recipes import Recipe
from training.scenes import SceneSet

DOMAIN = "generated landscapes"


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
        assigned_V = assigned(train, predict, num_classes=num_classes)
        for domain in sorted(set(judged.domains)):
            counted = count(judged.of_domains({domain}), predict, num_classes=num_classes)
            scores[domain] = judging.score(counted, assigned_V, judged.sets)
    return scores


def band_sets(recipe: Recipe) -> Mapping[str, tuple[Role, ...]]:
    """Suffix of the artefact's id to the bands that it reads."""
    suffixes: dict[Role, str] = {"red": "r", "green": "g", "blue": "b", "nir": "i", "height": "e"}
    sets: list[tuple[Role, ...]] = [recipe.bands]
    if recipe.nir_drop_share:
        sets.append(tuple(band for band in recipe.bands if band != "nir"))
    return {"".join(suffixes[band] for band in bands): bands for bands in sets}

"""Whether drift tells beforehand what a target will cost: drift of each target beside what is lost on it.

The domains that a source is made of are what `models.drift` compares with; a source of one domain is taken
image by image. What is lost is O - S1: what the target's own labels would win back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from models.drift import NUM_WINDOWS, WINDOW_PX, DriftReference, Look, window_origins
from training.benchmark.runs import ORACLE, STRENGTHENED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from models.drift import Drift
    from training.benchmark.advice import Row
    from training.benchmark.case import Case
    from training.benchmark.summary import Results
    from training.data.sources import Source

MIN_LOSS = 0.05
"""Loss of mIoU below which a warning was needless."""
MIN_RANKED = 4
"""Targets below which ranks say nothing."""


def drift_of(images: Sequence[NDArray[np.uint8]], source: Source) -> Drift | None:
    """How far images are from what was learned from.

    Returns:
        None where too little is known to tell.
    """
    domains = sorted(set(source.domains))
    parts = (
        {domain: source.of_domains({domain}).images for domain in domains}
        if len(domains) > 1
        else {f"{domains[0]} {number}": [image] for number, image in enumerate(source.images)}
    )
    looks = {name: look for name, part in parts.items() if (look := _look(part)) is not None}
    seen = _look(images)
    return None if seen is None or len(looks) < 2 else DriftReference.of(looks).measure(seen)


def tell_drifts(results: Results, cases: Mapping[Row, Case]) -> dict[str, Any]:
    """Drift and loss of every target that has both, and how well one tells the other.

    Where images of the source's own kind are kept apart, they are measured too: nothing is lost on them, so
    that a warning of them is a false alarm.
    """
    targets: dict[str, dict[str, Any]] = {}
    for row, case in cases.items():
        not_adapted, oracle = results.miou(row, STRENGTHENED), results.miou(row, ORACLE)
        if not_adapted is None or oracle is None:
            continue
        targets["/".join(row)] = _told(drift_of(case.pool.images, case.source), loss=oracle - not_adapted)
        home = f"{row[0]}, as the source"
        if case.in_domain is not None and home not in targets:
            targets[home] = _told(drift_of(case.in_domain.images, case.source), loss=0.0)
    known = [each for each in targets.values() if each["drift"] is not None]
    needless = [each["is_far"] for each in known if each["loss"] < MIN_LOSS]
    needed = [each["is_far"] for each in known if each["loss"] >= MIN_LOSS]
    return {
        "targets": targets,
        "spearman": _rank_correlation((each["drift"] / each["threshold"], each["loss"]) for each in known),
        "false_alarms": {"of": len(needless), "warned": sum(needless)},
        "hits": {"of": len(needed), "warned": sum(needed)},
    }


def _told(drift: Drift | None, *, loss: float) -> dict[str, Any]:
    return {
        "drift": None if drift is None else drift.value,
        "threshold": None if drift is None else drift.threshold,
        "is_far": None if drift is None else drift.is_far,
        "loss": loss,
    }


def _rank_correlation(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Spearman's; drift enters over its threshold, since each source has its own scale."""
    drifts, losses = zip(*known, strict=True) if (known := list(pairs)) else ((), ())
    if len(known) < MIN_RANKED or len(set(drifts)) < 2 or len(set(losses)) < 2:
        return None
    return float(spearmanr(drifts, losses).statistic)


def _look(images: Sequence[NDArray[np.uint8]]) -> Look | None:
    """Windows of images, as many of each; what is zero in all bands is no data."""
    each = -(-NUM_WINDOWS // max(1, len(images)))
    windows = [
        image_CHW[:, row : row + WINDOW_PX, col : col + WINDOW_PX]
        for image_CHW in images
        for row, col in window_origins(*image_CHW.shape[1:], num_windows=each)
    ]
    return Look.at([(window_CHW, np.asarray(window_CHW.any(axis=0))) for window_CHW in windows])

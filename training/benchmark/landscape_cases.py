"""Cases of generated landscapes: the source as it is drawn, targets moved along one axis, or along all.

The truth is exact, and so is what differs. Layouts are drawn anew for each target.
"""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from training.benchmark.case import Case
from training.data.label_sets import exact_sets
from training.data.landscapes import LandscapeSpec, generate_landscape
from training.data.sources import Source
from training.scenes import generator_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NUM_BANDS = 4
_FIRST_SEED = 7_000_000
"""Far from the seeds of recipes."""
_SEEDS_APART = 10_000
_TRAIN, _POOL, _TEST = range(0, 3000, 1000)
"""First seeds, beyond those of a fold."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """How many scenes there are of each kind, and how large."""

    num_train: int = 24
    num_pool: int = 6
    num_test: int = 6
    side_px: int = 256


SHIFTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "radiometry": {"haze": 0.4},
        "season": {"season": "winter"},
        "label_prior": {"kind_weights": (("urban", 1.0), ("industrial", 1.0), ("suburban", 1.0))},
        "texture": {"texture_gain": 2.0},
        "resolution": {"gsd_m": 0.5},
        "occlusion": {"sun_elevation_deg": 14.0},
    }
)
"""What differs from the source; layouts are drawn anew for each, so that no two targets share their truth."""
BASE_SHARE = 0.25
"""Scenes as small as these are learned in a quarter of the steps that Dubai takes."""
TOGETHER = "together"
AXES = (*SHIFTS, TOGETHER)

_SOURCE = LandscapeSpec(seed=0, season="summer", defects="none")


def shifts(folder: Path, *, scenes: Scenes | None = None) -> list[Case]:
    """Every axis as a target.

    Args:
        folder: Where scenes are kept once they are drawn.
        scenes: How many.
    """
    scenes = scenes or Scenes()
    moved = {key: value for shift in SHIFTS.values() for key, value in shift.items()}
    source = _drawn(_SOURCE, _FIRST_SEED + _TRAIN, scenes.num_train, scenes, folder)
    in_domain = _drawn(_SOURCE, _FIRST_SEED + _TEST, scenes.num_test, scenes, folder)
    cases = []
    for number, axis in enumerate(AXES, 1):
        spec = replace(_SOURCE, **(moved if axis == TOGETHER else SHIFTS[axis]))
        first = _FIRST_SEED + number * _SEEDS_APART
        cases.append(
            Case(
                experiment="landscape_shifts",
                target=axis,
                source=source,
                pool=_drawn(spec, first + _POOL, scenes.num_pool, scenes, folder),
                test=_drawn(spec, first + _TEST, scenes.num_test, scenes, folder),
                in_domain=in_domain,
                base_share=BASE_SHARE,
            )
        )
    return cases


def _drawn(spec: LandscapeSpec, first_seed: int, num: int, scenes: Scenes, folder: Path) -> Source:
    """Scenes from their files, drawn where there is none.

    The generator's digest is in the names: scenes of an earlier one are never taken for its own.
    """
    images, labels = [], []
    for seed in range(first_seed, first_seed + num):
        sized = replace(spec, seed=seed, side_px=scenes.side_px)
        content = repr((sorted(asdict(sized).items()), generator_digest()))
        path = folder / f"{seed}-{hashlib.sha256(content.encode()).hexdigest()[:12]}.npz"
        if not path.exists():
            log.info("drawing scene %d", seed)
            landscape = generate_landscape(sized)
            folder.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.part.npz")  # two queues may draw one scene
            np.savez_compressed(
                partial, image_CHW=landscape.image_CHW[:_NUM_BANDS], classes_HW=landscape.classes_HW
            )
            partial.replace(path)
        with np.load(path) as arrays:
            images.append(arrays["image_CHW"])
            labels.append(arrays["classes_HW"])
    return Source(
        name="landscapes",
        images=images,
        labels=labels,
        domains=("landscapes",) * num,
        sets=exact_sets(),
    )

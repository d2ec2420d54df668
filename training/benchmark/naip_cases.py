"""Cases over NAIP-Chesapeake: a tile at one date against the other tile at the other date.

Nearly all of both tiles is forest and grass, so trees are judged against low vegetation, and nothing else.
Patches lie apart on the ground, as far as their numbers tell: odd ones are the pool, even ones the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.benchmark.case import Case
from training.data import naip_chesapeake
from training.data.label_sets import label_sets
from training.data.samples import IGNORED, domains_of
from training.data.sources import Source

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SETS = label_sets(tree=(12, 13), low_vegetation=(8, 9, 10, 11, 14, 15))
BASE_SHARE = 0.25
"""Seven patches of 256 px are learned in a quarter of the steps that Dubai takes."""


def seasons(folder: Path) -> list[Case]:
    """Every tile and date as a target."""
    samples = naip_chesapeake.load_naip_chesapeake(folder)
    cases = []
    for target in domains_of(samples):
        own = [sample for sample in samples if sample.domain == target]
        cases.append(
            Case(
                experiment="naip_seasons",
                target=target.key,
                source=_read(naip_chesapeake.sources_for(samples, target)),
                pool=_read([sample for sample in own if _number(sample) % 2 == 1]),
                test=_read([sample for sample in own if _number(sample) % 2 == 0]),
                base_share=BASE_SHARE,
            )
        )
    return cases


def _number(sample: naip_chesapeake.Patch) -> int:
    return int(sample.image.stem.rpartition("-")[2])


def _read(samples: Sequence[naip_chesapeake.Patch]) -> Source:
    names = [each.name for each in naip_chesapeake.SETS.sets]
    table = np.full(256, IGNORED, dtype=np.uint8)
    for label, each in enumerate(SETS.sets):
        table[names.index(each.name)] = label
    read = [naip_chesapeake.read_sample(sample) for sample in samples]
    return Source(
        name="naip",
        images=[pixels.image_CHW for pixels in read],
        labels=[table[pixels.labels_HW] for pixels in read if pixels.labels_HW is not None],
        domains=tuple(sample.domain.key for sample in samples),
        sets=SETS,
    )

"""Cases over Dubai: five labels, odd parts of each scene to learn from, even ones to be judged on.

Parts lie like a chess board, so each test part has pool parts at its sides: 64 px along them judge nothing.
Scene 4 has 40 % of its ground in scene 8, at another date, and is left out where both would be trained and
judged on; parts of scenes 1 and 3 that share ground are odd both, in the same pool.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from training.benchmark.case import Case, ignoring
from training.benchmark.shift import shifted
from training.data import dubai
from training.data.reading import ignore_where
from training.data.samples import IGNORED
from training.data.sources import Source

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from training.data.samples import Domain

TEST_GUARD_PX = 64
"""Pixels of test parts this near to another part judge nothing."""
APART = (1, 2, 3, 5, 6, 8)
"""Labelled scenes of which no odd part shares ground with an even one."""
TILE_7_SOURCES = (1, 2, 3, 4, 5, 6)

CEILINGS = {"Dubai_tiles-1-3": 0.52, "Dubai_tile-4": 0.40, "Dubai_tiles-7-8": 0.625}
"""mIoU of two annotations of the same pixels, by domain."""


def induced_shift(folder: Path) -> list[Case]:
    """Odd parts as they are against even parts through the chain of `training.benchmark.shift`."""
    reader = _reader(folder)
    parts = [part for part in reader.data.parts if part.scene in APART]
    odd = _read(reader, [part for part in parts if is_odd(part)])
    even = guarded(_read(reader, [part for part in parts if not is_odd(part)]))
    return [
        Case(
            experiment="dubai_induced_shift",
            target="shifted",
            source=odd,
            pool=shifted(odd),
            test=shifted(even),
            in_domain=even,
        )
    ]


def leave_one_out(folder: Path) -> list[Case]:
    """Each labelled domain in turn: the others' ground near it teaches nothing."""
    reader = _reader(folder)
    data = reader.data
    labelled = [part for part in data.parts if part.labels is not None]
    cases = []
    for domain in sorted({part.domain for part in labelled}):
        own = [part for part in labelled if part.domain == domain]
        others = [part for part in labelled if part.domain != domain]
        cases.append(
            Case(
                experiment="dubai_leave_one_out",
                target=domain.key,
                source=_read(reader, others, held_out={domain}),
                pool=_read(reader, [part for part in own if is_odd(part)]),
                test=guarded(_read(reader, [part for part in own if not is_odd(part)])),
                ceiling=CEILINGS.get(domain.key),
            )
        )
    return cases


def tile_seven(folder: Path) -> list[Case]:
    """Scenes 1 to 6 against scene 7, whose labels are not in the data set: predicted, not judged here."""
    reader = _reader(folder)
    data = reader.data
    seventh = [part for part in data.parts if part.scene == 7]
    return [
        Case(
            experiment="tile_7",
            target="Dubai_tile-7",
            source=_read(
                reader,
                [part for part in data.parts if part.scene in TILE_7_SOURCES],
                held_out={part.domain for part in seventh},
            ),
            pool=_read(reader, [part for part in seventh if is_odd(part)]),
            test=_read(reader, seventh),
        )
    ]


def part_number(part: dubai.Part) -> int:
    """1 to 9, row by row."""
    return int(part.name.rpartition("-")[2])


def is_odd(part: dubai.Part) -> bool:
    """Whether a part is in the pool of its scene."""
    return part_number(part) % 2 == 1


def guarded(source: Source) -> Source:
    """Test parts without what is near to other parts: all sides, though those of the scene have none."""
    is_near = []
    for labels_HW in source.labels:
        is_near_HW = np.ones(labels_HW.shape, dtype=bool)
        is_near_HW[TEST_GUARD_PX:-TEST_GUARD_PX, TEST_GUARD_PX:-TEST_GUARD_PX] = False
        is_near.append(is_near_HW)
    return ignoring(source, is_near)


class _Reader:
    """Reads each part once: folds differ in what they ignore, not in pixels."""

    def __init__(self, folder: Path) -> None:
        self.data = dubai.load_dubai(folder)
        self.pixels = lru_cache(maxsize=None)(self.data.read)


_reader = lru_cache(maxsize=1)(_Reader)


def _read(reader: _Reader, parts: Sequence[dubai.Part], *, held_out: Collection[Domain] = ()) -> Source:
    read = [reader.pixels(part) for part in parts]
    labels = [
        np.full(pixels.image_CHW.shape[1:], IGNORED, np.uint8)
        if pixels.labels_HW is None
        else pixels.labels_HW
        for pixels in read
    ]
    is_near = [reader.data.near_ground(part, held_out) for part in parts]
    return Source(
        name="dubai",
        images=[pixels.image_CHW for pixels in read],
        labels=[
            ignore_where(labels_HW, near_HW) if near_HW.any() else labels_HW
            for labels_HW, near_HW in zip(labels, is_near, strict=True)
        ],
        domains=tuple(part.domain.key for part in parts),
        sets=dubai.SETS,
    )

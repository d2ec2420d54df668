"""Cases over Dubai: five labels, odd parts of each scene to learn from, even ones to be judged on.

Parts lie like a chess board, so each test part has pool parts at its sides: 64 px along them judge nothing.
Scene 4 has 40 % of its ground in scene 8, at another date, and is left out where both would be trained and
judged on; parts of scenes 1 and 3 that share ground are odd both, in the same pool.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.benchmark.case import Case, ignoring
from training.benchmark.shift import shifted
from training.data import dubai
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
    data = dubai.load_dubai(folder)
    parts = [part for part in data.parts if part.scene in APART]
    odd = _read(data, [part for part in parts if is_odd(part)])
    even = guarded(_read(data, [part for part in parts if not is_odd(part)]))
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
    data = dubai.load_dubai(folder)
    labelled = [part for part in data.parts if part.labels is not None]
    cases = []
    for domain in sorted({part.domain for part in labelled}):
        own = [part for part in labelled if part.domain == domain]
        others = [part for part in labelled if part.domain != domain]
        cases.append(
            Case(
                experiment="dubai_leave_one_out",
                target=domain.key,
                source=_read(data, others, held_out={domain}),
                pool=_read(data, [part for part in own if is_odd(part)]),
                test=guarded(_read(data, [part for part in own if not is_odd(part)])),
                ceiling=CEILINGS.get(domain.key),
            )
        )
    return cases


def tile_seven(folder: Path) -> list[Case]:
    """Scenes 1 to 6 against scene 7, whose labels are not in the data set: predicted, not judged here."""
    data = dubai.load_dubai(folder)
    seventh = [part for part in data.parts if part.scene == 7]
    return [
        Case(
            experiment="tile_7",
            target="Dubai_tile-7",
            source=_read(
                data,
                [part for part in data.parts if part.scene in TILE_7_SOURCES],
                held_out={part.domain for part in seventh},
            ),
            pool=_read(data, [part for part in seventh if is_odd(part)]),
            test=_read(data, seventh),
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


def _read(data: dubai.Dubai, parts: Sequence[dubai.Part], *, held_out: Collection[Domain] = ()) -> Source:
    read = [data.read(part, held_out=held_out) for part in parts]
    return Source(
        name="dubai",
        images=[pixels.image_CHW for pixels in read],
        labels=[
            np.full(pixels.image_CHW.shape[1:], 255, np.uint8)
            if pixels.labels_HW is None
            else pixels.labels_HW
            for pixels in read
        ],
        domains=tuple(part.domain.key for part in parts),
        sets=dubai.SETS,
    )

"""NAIP at 1 m with the Chesapeake land cover, West Virginia: patches of two tiles, each at two dates.

    wv_1m_2014-m_3708020_sw_17_1-0.npz   arr_0 float32 [1, 29, 256, 256]: 0-3 NAIP (red, green, blue, near
                                         infrared), 4-7 NAIP of another year, 8 land cover, then others

Both dates share one label band: the same tile at another date is a leak, and ``sources_for`` leaves it out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from models.manifest import Role
from training.data.errors import FileUnexpected, LayoutUnknown
from training.data.label_sets import label_sets
from training.data.reading import map_labels
from training.data.samples import IGNORED, Domain, Pixels, Sample

BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir")
GSD_M = 1.0

SETS = label_sets(
    water=(2, 6),
    tree=(12, 13),
    low_vegetation={8: 1, 9: 1, 10: 0.7, 11: 1, 14: 1, 15: 0.5},
    barren={4: 0.3, 5: 0.7, 10: 0.3, 15: 0.5},
    built={0: 1, 1: 1, 3: 0.6, 4: 0.4, 5: 0.3},
    road={3: 0.4, 4: 0.3},
)
"""A label is a position here: that of Chesapeake's codes 1 to 6. Built includes dirt tracks.

Its tree canopy is woody plants of more than some three to five metres; shrubs are low vegetation. Brushwood
is therefore in that set alone: in both, nothing real would tell a network that a tree is not brushwood.
"""

Date = Literal["new", "old"]
_FIRST_BAND: dict[Date, int] = {"new": 0, "old": 4}
_LABEL_BAND, _NUM_BANDS = 8, 29
_TABLE = {code: code - 1 for code in range(1, 7)} | {15: IGNORED}
_NAME = re.compile(r"(?P<state>[a-z]{2})_1m_(?P<year>\d{4})-(?P<tile>m_\d+_[ns][ew])_.*-(?P<number>\d+)")


@dataclass(frozen=True, kw_only=True)
class Patch(Sample):
    """One patch at one of its two dates."""

    date: Date


def load_naip_chesapeake(root: Path) -> tuple[Patch, ...]:
    """Every patch of a folder, at both dates: a domain is a tile at a date.

    Raises:
        LayoutUnknown: The folder holds none.
    """
    samples = [
        Patch(
            name=f"{path.stem}/{date}",
            domain=Domain(territory=match["tile"], campaign=date),
            zone=match["tile"],
            split="train",
            image=path,
            labels=path,
            date=date,
        )
        for path in sorted(root.glob("*_1m_*.npz"))
        if (match := _NAME.fullmatch(path.stem))
        for date in _FIRST_BAND
    ]
    if not samples:
        raise LayoutUnknown(f"{root} holds no patches such as wv_1m_2014-m_3708020_sw_17_1-0.npz")
    return tuple(samples)


def sources_for(samples: Iterable[Patch], target: Domain) -> tuple[Patch, ...]:
    """What may be trained on when a domain is the target: other tiles, at the other date."""
    return tuple(
        sample
        for sample in samples
        if sample.domain.territory != target.territory and sample.domain.campaign != target.campaign
    )


def read_sample(sample: Patch) -> Pixels:
    """The pixels of a patch at its date; its labels are positions in ``SETS``.

    Raises:
        FileUnexpected: The file holds something else.
        LabelUnknown: A label is none of Chesapeake's.
    """
    try:
        with np.load(sample.image, allow_pickle=False) as arrays:
            stack_NCHW = arrays["arr_0"]
    except (OSError, ValueError, KeyError) as error:
        raise FileUnexpected(f"{sample.image} cannot be read: {error}") from error
    if stack_NCHW.ndim != 4 or stack_NCHW.shape[:2] != (1, _NUM_BANDS):
        raise FileUnexpected(f"{sample.image} has shape {stack_NCHW.shape}, expected (1, {_NUM_BANDS}, H, W)")
    first = _FIRST_BAND[sample.date]
    chosen_CHW = stack_NCHW[0, [*range(first, first + len(BANDS)), _LABEL_BAND]]
    whole_CHW = chosen_CHW.astype(np.uint8)
    if (whole_CHW != chosen_CHW).any():
        raise FileUnexpected(f"{sample.image} holds values that are no whole numbers from 0 to 255")
    labels_HW = map_labels(whole_CHW[-1], _TABLE, path=sample.image)
    return Pixels(image_CHW=whole_CHW[:-1], labels_HW=labels_HW)

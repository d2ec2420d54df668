"""The checkpoints that IGN publishes: their names here, where they lie, what they read and tell.

Source: the model cards of https://huggingface.co/IGNF (licence etalab-2.0), as of 2025. All of FLAIR-INC
share one training: 218 400 patches of 512 px at 0.2 m, turned and mirrored but never scaled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from models.manifest import Role
from models.nomenclature import COSIA
from training.importing.errors import NotPublished

Family = Literal["12cl", "15cl"]
"""Which of FLAIR's 19 codes a network was trained to tell; the others had weight zero."""

LICENCE = "etalab-2.0"
NUM_CHANNELS = 19
"""Of every head, live or not: FLAIR code minus one is the channel."""

LIVE_CODES: Mapping[Family, tuple[int, ...]] = MappingProxyType(
    {"12cl": tuple(range(1, 13)), "15cl": (*range(1, 15), 18)}
)
"""FLAIR codes with a weight in training."""

STATISTICS: Mapping[Role, tuple[float, float]] = MappingProxyType(
    {
        "red": (105.08, 52.17),
        "green": (110.87, 45.38),
        "blue": (101.82, 44.0),
        "nir": (106.38, 39.69),
        "height": (53.26, 79.3),
    }
)
"""Mean and standard deviation of raw pixels, by which training normalised."""

GSD_M = (0.18, 0.22, 0.2)
"""Finest, coarsest and nominal ground resolution: scale was never varied in training."""

CORE_PX, HALO_PX = 1024, 128
"""IGN cuts 128 px from each side of what it infers, and so do we."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """One checkpoint of the U-Net ResNet-34."""

    name: str
    """Of the artefact that it becomes."""
    repository: str
    """On the hub."""
    file: str
    bands: tuple[Role, ...]
    family: Family
    figures: str
    """What its card reports, for ours."""

    @property
    def channels(self) -> tuple[int, ...]:
        """Live channels of the head, in its order."""
        return tuple(code - 1 for code in LIVE_CODES[self.family])

    @property
    def values(self) -> tuple[int, ...]:
        """CoSIA's class value of each live channel."""
        value_of = {land_cover.flair_code: land_cover.value for land_cover in COSIA.classes}
        return tuple(value_of[code] for code in LIVE_CODES[self.family])


_BANDS: Mapping[str, tuple[Role, ...]] = {
    "rgb": ("red", "green", "blue"),
    "rgbi": ("red", "green", "blue", "nir"),
    "rgbie": ("red", "green", "blue", "nir", "height"),
}

_FIGURES: tuple[tuple[str, Family, str], ...] = (
    ("rgb", "12cl", "none that can be told apart from those of another model in the revisions seen"),
    ("rgb", "15cl", "mIoU 55.08 %, accuracy 75.48 %, F1 68.06 %"),
    ("rgbi", "15cl", "none in the revisions seen"),
    ("rgbie", "12cl", "mIoU 62.72 %, accuracy 76.51 %, F1 75.91 %"),
    (
        "rgbie",
        "15cl",
        "mIoU 58.63 % over the 14 classes that occur (snow does not), accuracy 76.37 %, F1 72.44 %",
    ),
)


def _published(bands: str, family: Family, figures: str) -> Published:
    stem = f"FLAIR-INC_{bands}_{family}_resnet34-unet"
    return Published(
        name=f"ign-flair-inc-{bands}-{family}",
        repository=f"IGNF/{stem}",
        file=f"{stem}_weights.pth",
        bands=_BANDS[bands],
        family=family,
        figures=figures,
    )


PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {entry.name: entry for entry in (_published(*row) for row in _FIGURES)}
)
"""By the name that `orthoscape-train import` takes."""

_OTHER_NETWORKS = re.compile(r"(?i)flair[-_]?hub|mitb5|deeplab|fpn|swin|convnext|upernet|utae")


def find_published(name: str) -> Published:
    """A published checkpoint by its name here, or by its repository on the hub.

    Raises:
        NotPublished: None is called so, or it is of a network that is not built here.
    """
    for entry in PUBLISHED.values():
        if name.lower() in (entry.name, entry.repository.lower(), entry.repository.partition("/")[2].lower()):
            return entry
    what = "is of a network that is not built here" if _OTHER_NETWORKS.search(name) else "is not known"
    raise NotPublished(
        f"{name!r} {what}; importable are U-Nets over a ResNet-34",
        remedy=f"Name one of {', '.join(PUBLISHED)}, or the path of a checkpoint.",
    )


def guess_published(file_name: str) -> Published:
    """The published checkpoint that a file name carries, as it is downloaded from the hub.

    Raises:
        NotPublished: It carries none: nothing in the weights themselves tells 12 classes from 15.
    """
    for entry in PUBLISHED.values():
        if entry.repository.partition("/")[2].lower() in file_name.lower():
            return entry
    raise NotPublished(
        f"{file_name} does not say which model it is, and 12 classes look like 15 inside",
        remedy=f"Add --like with one of {', '.join(PUBLISHED)}.",
    )

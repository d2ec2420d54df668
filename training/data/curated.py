"""Sets that `orthoscape-train curate` made: patches of orthophotos with single classes, split by area.

FOLDER/curation.json                          what it was made of, its bands, its nomenclature
FOLDER/metadata.csv                           one row a patch
FOLDER/D033_2024/SHEET/r00000_c00512_image.tif, ..._labels.tif
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.nomenclature import get_nomenclature
from training.data.errors import FileMissing, FileUnexpected, LayoutUnknown, SplitsOverlap
from training.data.ground import widened
from training.data.label_sets import exact_sets
from training.data.reading import map_labels, read_note, read_raster
from training.data.samples import IGNORED, Domain, Pixels, Sample

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from numpy.typing import NDArray

    from models.manifest import Role
    from models.nomenclature import Nomenclature
    from training.data.label_sets import LabelSets
    from training.data.samples import Split

    U8 = NDArray[np.uint8]

NOTE_NAME, TABLE_NAME = "curation.json", "metadata.csv"
_FORMAT = 1
_SPLITS: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}


@dataclass(frozen=True, kw_only=True)
class CuratedSample(Sample):
    """One patch."""

    box: tuple[float, float, float, float]
    """Its ground: left, bottom, right, top, in degrees."""
    gsd_m: float
    bands: tuple[Role, ...]
    nomenclature: Nomenclature


@dataclass(frozen=True, kw_only=True)
class CuratedSet:
    """A set."""

    samples: tuple[CuratedSample, ...]
    bands: tuple[Role, ...]
    nomenclature: Nomenclature
    licence: str
    credit: str
    guard_m: float
    """Least distance between patches of two splits, in metres."""

    @property
    def sets(self) -> LabelSets:
        """Every class alone: labels are class values."""
        return exact_sets(self.nomenclature)


def load_curated(root: Path) -> CuratedSet:
    """The patches of a set, in its splits.

    Raises:
        LayoutUnknown: The folder holds none, or one that is not finished.
        FileMissing: A patch of the table is not there.
        FileUnexpected: The note or the table cannot be understood.
        SplitsOverlap: It was changed by hand, and has the same ground in two splits.
    """
    for name in (NOTE_NAME, TABLE_NAME):
        if not (root / name).is_file():
            raise LayoutUnknown(
                f"{root} has no {name}",
                remedy="Give the folder that orthoscape-train curate wrote; run it again if it was stopped.",
            )
    note = read_note(root / NOTE_NAME)
    if note.get("format") != _FORMAT:
        raise LayoutUnknown(
            f"{root / NOTE_NAME} is of format {note.get('format')!r}, this version reads {_FORMAT}",
            remedy="Make the set again.",
        )
    try:
        bands, nomenclature = tuple(note["bands"]), get_nomenclature(note["nomenclature"])
        licence, credit, guard_m = note["licence"], note["credit"], float(note["splitting"]["guard_m"])
    except (KeyError, ValueError, TypeError) as error:
        raise FileUnexpected(
            f"{root / NOTE_NAME} cannot be understood: {error!r}", remedy="Make the set again."
        ) from error
    with (root / TABLE_NAME).open(encoding="utf-8", newline="") as file:
        try:
            samples = tuple(
                _sample(row, root=root, bands=bands, nomenclature=nomenclature)
                for row in csv.DictReader(file)
            )
        except (KeyError, ValueError, TypeError) as error:
            raise FileUnexpected(
                f"{root / TABLE_NAME} cannot be understood: {error!r}", remedy="Make the set again."
            ) from error
    _require_disjoint(samples, root / TABLE_NAME)
    return CuratedSet(
        samples=samples,
        bands=bands,
        nomenclature=nomenclature,
        licence=licence,
        credit=credit,
        guard_m=guard_m,
    )


def read_sample(sample: CuratedSample) -> Pixels:
    """The pixels of a patch in its bands, and its class values.

    Raises:
        FileUnexpected: A file is not what was written.
        LabelUnknown: A label is no class.
    """
    return Pixels(image_CHW=read_image(sample), labels_HW=read_labels(sample))


def read_image(sample: CuratedSample) -> U8:
    """The pixels of a patch, in its bands."""
    image_CHW: U8 = read_raster(sample.image, num_bands=len(sample.bands), dtype="uint8").pixels_CHW
    return image_CHW


def read_labels(sample: CuratedSample) -> U8:
    """The class values of a patch; 255 teaches nothing."""
    assert sample.labels is not None, "patches are labelled"
    labels = read_raster(sample.labels, num_bands=1, dtype="uint8")
    known = {land_cover.value: land_cover.value for land_cover in sample.nomenclature.classes}
    return map_labels(labels.pixels_CHW[0], {**known, IGNORED: IGNORED}, path=sample.labels)


def away_from(
    samples: Collection[CuratedSample], ground: Collection[CuratedSample], *, guard_m: float
) -> tuple[CuratedSample, ...]:
    """Those of some samples that show no ground of others nor within a guard of it, whatever their date."""
    if not ground:
        return tuple(samples)
    left_N, bottom_N, right_N, top_N = np.array([widened(other.box, guard_m) for other in ground]).T
    return tuple(
        sample
        for sample in samples
        if not (
            (left_N < sample.box[2])
            & (right_N > sample.box[0])
            & (bottom_N < sample.box[3])
            & (top_N > sample.box[1])
        ).any()
    )


def _require_disjoint(samples: Collection[CuratedSample], path: Path) -> None:
    """Refuse a zone in two splits: zones are ground, which several domains may show.

    Raises:
        SplitsOverlap: There is one.
    """
    split_of: dict[str, Split] = {}
    for sample in samples:
        if split_of.setdefault(sample.zone, sample.split) != sample.split:
            raise SplitsOverlap(
                f"{path} has zone {sample.zone} in {split_of[sample.zone]} and in {sample.split}",
                remedy="Make the set again: another seed or other areas give other splits.",
            )


def _sample(
    row: dict[str, str], *, root: Path, bands: tuple[Role, ...], nomenclature: Nomenclature
) -> CuratedSample:
    image, labels = root / row["image"], root / row["labels"]
    for path in (image, labels):
        if not path.is_file():
            raise FileMissing(f"{path} is not there", remedy="Copy the set again, or make it again.")
    west, south, east, north = (float(row[side]) for side in ("west", "south", "east", "north"))
    return CuratedSample(
        name=row["id"],
        domain=Domain(territory=row["territory"], campaign=row["campaign"]),
        zone=row["zone"],
        split=_SPLITS[row["split"]],
        image=image,
        labels=labels,
        box=(west, south, east, north),
        gsd_m=float(row["gsd_m"]),
        bands=bands,
        nomenclature=nomenclature,
    )

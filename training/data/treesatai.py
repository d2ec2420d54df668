"""TreeSatAI: aerial patches of forest in Lower Saxony at 0.2 m, and the genera of their trees.

    aerial/Quercus_robur_3_86918_WEFL_NLF.tif   uint8 [4, 304, 304]: near infrared, green, blue, red
    train.csv, val.csv, test.csv                aerial_name, aerial_date, then a column for each genus

Genera are told of whole patches as shares of their area, not of pixels: a patch that trees cover teaches its
green pixels that they are trees, and nothing of which. Bands are stored as near infrared, green, blue and
red, as shadows show: lit by the sky, they are bluest in the third. CC BY 4.0, TreeSatAI Benchmark Archive.
"""

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.manifest import Role
from training.data.errors import FileMissing, FileUnexpected, LayoutUnknown
from training.data.label_sets import label_sets
from training.data.reading import read_raster
from training.data.samples import IGNORED, Domain, Pixels, Sample, Split

BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir")
SETS = label_sets(tree=(12, 13))
"""The only label: deciduous or coniferous."""

MIN_TREE_SHARE = 0.85
"""Of the patch's area that its genera cover; others hold fields and paths."""
MIN_NDVI = 0.1
"""Pixels below show tracks, roofs, bare ground between the trees."""

_LISTS: dict[str, Split] = {"train.csv": "train", "val.csv": "validation", "test.csv": "test"}
_NOT_GENERA = {"aerial_name", "sen_name", "aerial_date", "Cleared"}
_STORED: tuple[Role, ...] = ("nir", "green", "blue", "red")


@dataclass(frozen=True, kw_only=True)
class ForestPatch(Sample):
    """One patch."""

    shares: tuple[tuple[str, float], ...]
    """Genus and share of the area, largest first; those that are not there are left out."""

    @property
    def tree_share(self) -> float:
        """Of the area that genera cover."""
        return sum(share for _, share in self.shares)


def load_treesatai(root: Path) -> tuple[ForestPatch, ...]:
    """Every patch that the lists of a folder name: a domain is a year of flight.

    Raises:
        LayoutUnknown: The folder has no list.
        FileMissing: A list names a patch that is not there.
        FileUnexpected: A list is written otherwise.
    """
    lists = [root / name for name in _LISTS if (root / name).is_file()]
    if not lists:
        raise LayoutUnknown(f"{root} has none of {', '.join(_LISTS)}")
    patches = []
    for path in lists:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                try:
                    patches.append(_patch(root, row, split=_LISTS[path.name]))
                except (KeyError, ValueError) as error:
                    raise FileUnexpected(f"{path} is no list of TreeSatAI: {error}") from error
    return tuple(sorted(patches, key=lambda patch: patch.name))


def _patch(root: Path, row: dict[str, str], *, split: Split) -> ForestPatch:
    name = row["aerial_name"]
    image = root / "aerial" / name
    if not image.is_file():
        raise FileMissing(f"{image} is not there, though a list names it")
    shares = [(genus, float(share)) for genus, share in row.items() if genus not in _NOT_GENERA]
    year = dt.datetime.strptime(row["aerial_date"], "%Y%m%d").replace(tzinfo=dt.UTC).year
    return ForestPatch(
        name=Path(name).stem,
        domain=Domain(territory="lower-saxony", campaign=str(year)),
        zone=Path(name).stem,
        split=split,
        image=image,
        labels=None,
        shares=tuple(sorted(((g, s) for g, s in shares if s > 0), key=lambda pair: -pair[1])),
    )


def read_forest(patch: ForestPatch) -> Pixels:
    """The pixels of a patch in the order of ``BANDS``; labels are positions in ``SETS``.

    Raises:
        FileUnexpected: It has other bands or another type, or cannot be read.
    """
    stored_CHW = read_raster(patch.image, num_bands=len(_STORED), dtype="uint8").pixels_CHW
    image_CHW = np.ascontiguousarray(stored_CHW[[_STORED.index(band) for band in BANDS]])
    red_HW, nir_HW = (stored_CHW[_STORED.index(band)].astype(np.float32) for band in ("red", "nir"))
    ndvi_HW = (nir_HW - red_HW) / np.maximum(1, nir_HW + red_HW)
    is_tree_HW = (ndvi_HW >= MIN_NDVI) & (patch.tree_share >= MIN_TREE_SHARE)
    return Pixels(image_CHW=image_CHW, labels_HW=np.where(is_tree_HW, 0, IGNORED).astype(np.uint8))

"""FLAIR-HUB, its aerial part: 63 départements and years, with elevations and CoSIA's own labels.

    D012-2019_AERIAL_RGBI/AF-S1-27/D012-2019_AERIAL_RGBI_AF-S1-27_5-10.tif       uint8: R, G, B, NIR
    D012-2019_DEM_ELEV/AF-S1-27/D012-2019_DEM_ELEV_AF-S1-27_5-10.tif             float32: surface, terrain
    D012-2019_AERIAL_LABEL-COSIA/AF-S1-27/D012-2019_AERIAL_LABEL-COSIA_AF-S1-27_5-10.tif uint8: 0 to 18

Split by lists with a header, one column a modality, separated by commas or by semicolons as released. Their
paths are relative to whoever wrote them, so that only the last three parts count. Licence Ouverte 2.0.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.manifest import Role
from training.data.errors import FileMissing, LayoutUnknown
from training.data.flair_labels import Merge, hub_table
from training.data.reading import Raster, ignore_where, map_labels, read_raster, require_same_ground
from training.data.samples import Domain, Pixels, Sample, Split, require_disjoint

BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir")
BANDS_WITH_HEIGHT: tuple[Role, ...] = (*BANDS, "height")

LEVEL_M = 0.2
"""Height above ground of one level, as in FLAIR #1 and in the manifest's role."""

_IMAGE, _LABELS, _HEIGHT = "AERIAL_RGBI", "AERIAL_LABEL-COSIA", "DEM_ELEV"
_LISTS: Mapping[Split, str] = {"train": "TRAIN", "validation": "VALID", "test": "TEST"}
_PATCH = re.compile(r"(?P<territory>D(?:\d{3}|02[AB]))-(?P<campaign>\d{4})_(?P<zone>[^_]+)_(?P<cell>\d+-\d+)")


def load_flair_hub(
    root: Path, *, lists: Mapping[Split, Path] | None = None, with_height: bool = False
) -> tuple[Sample, ...]:
    """The samples of FLAIR-HUB's lists.

    Args:
        root: Folder that the archives were unpacked into, or that holds them in ``data``.
        lists: CSV file of each part; None looks for ``*TRAIN*.csv`` and its like in the root and its folders.
        with_height: Whether elevations are needed.

    Raises:
        DataError: As its subclasses name.
    """
    found = lists or _find_lists(root)
    samples = [
        _sample(root, split, row, path=path, with_height=with_height)
        for split, path in found.items()
        for row in _rows(path)
    ]
    if not samples:
        raise LayoutUnknown(f"the lists of {root} name no patches")
    require_disjoint(samples)
    return tuple(samples)


def read_sample(sample: Sample, *, merge: Merge = "16 classes") -> Pixels:
    """The pixels of a sample, with its height above ground where it was loaded so.

    Raises:
        FileUnexpected: A file is not what FLAIR-HUB says.
        LabelUnknown: The mask holds a value above 18.
    """
    image = read_raster(sample.image, num_bands=len(BANDS), dtype="uint8")
    image_CHW, is_bad_HW = image.pixels_CHW, np.zeros(image.pixels_CHW.shape[1:], dtype=bool)
    if sample.height is not None:
        elevation = read_raster(sample.height, num_bands=2, dtype="float32")
        require_same_ground(image, elevation)
        image_CHW = np.concatenate([image_CHW, height_levels(elevation)[None]])
        is_bad_HW = is_bad_HW | ~elevation.is_valid_HW
    if sample.labels is None:
        return Pixels(image_CHW=image_CHW, labels_HW=None)
    labels = read_raster(sample.labels, num_bands=1, dtype="uint8")
    require_same_ground(image, labels)
    mapped_HW = map_labels(labels.pixels_CHW[0], hub_table(merge), path=sample.labels)
    return Pixels(image_CHW=image_CHW, labels_HW=ignore_where(mapped_HW, is_bad_HW))


def height_levels(elevation: Raster) -> NDArray[np.uint8]:
    """Surface less terrain in levels of 0.2 m, clipped to 0-255; 0 where one of them is unknown."""
    surface_HW, terrain_HW = elevation.pixels_CHW
    known_HW = np.where(elevation.is_valid_HW, surface_HW - terrain_HW, 0.0)
    return np.clip(np.rint(known_HW / LEVEL_M), 0, 255).astype(np.uint8)


def _find_lists(root: Path) -> dict[Split, Path]:
    found: dict[Split, Path] = {}
    for split, word in _LISTS.items():
        near = (path for pattern in ("*.csv", "*/*.csv") for path in root.glob(pattern))
        candidates = sorted(path for path in near if word in path.stem.upper())
        if len(candidates) > 1:
            raise LayoutUnknown(
                f"{len(candidates)} lists could be {split}: {', '.join(map(str, candidates))}",
                remedy="Name the ones to use.",
            )
        if candidates:
            found[split] = candidates[0]
    if not found:
        raise LayoutUnknown(f"{root} holds no list such as FLAIR-HUB_TRAIN.csv", remedy="Name the lists.")
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter=";" if ";" in header else ",")
        columns = {"patch_id", _IMAGE, _LABELS}
        if not columns <= set(rows.fieldnames or ()):
            raise LayoutUnknown(f"{path} lacks columns of {', '.join(sorted(columns))}: {header.strip()!r}")
        yield from rows


def _sample(root: Path, split: Split, row: Mapping[str, str], *, path: Path, with_height: bool) -> Sample:
    match = _PATCH.fullmatch(row["patch_id"].strip())
    if match is None:
        raise LayoutUnknown(f"{path}: {row['patch_id']!r} is no patch, such as D012-2019_AF-S1-27_5-10")
    image = _file(root, row[_IMAGE])
    labels = _file(root, row[_LABELS])
    height = _file(root, row.get(_HEIGHT) or "") if with_height else None
    if image is None or (labels is None and split != "test") or (with_height and height is None):
        raise FileMissing(
            f"{row['patch_id']} of {path} lacks its image, its labels or its elevations under {root}",
            remedy="Unpack the archives of the modalities that the list names.",
        )
    return Sample(
        name=match[0],
        domain=Domain(territory=match["territory"], campaign=match["campaign"]),
        zone=match["zone"],
        split=split,
        image=image,
        labels=labels,
        height=height,
    )


def _file(root: Path, listed: str) -> Path | None:
    """The file that a list names, found by modality, zone and name."""
    if not listed.strip():
        return None
    end = Path(*Path(listed.strip()).parts[-3:])
    return next((path for path in (root / end, root / "data" / end) if path.is_file()), None)

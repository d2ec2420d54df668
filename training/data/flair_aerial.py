"""What FLAIR #1 and FLAIR #2 share: five-band aerial patches by département, year and zone.

    flair_aerial_train/D004_2021/Z1_NN/img/IMG_000001.tif   uint8: red, green, blue, near infrared, height
    flair_labels_train/D004_2021/Z1_NN/msk/MSK_000001.tif   uint8: 1 to 19, 0 where there is no label

Images and masks are paired by their number, never by their order. Height is above ground, 0.2 m a level.
"""

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.manifest import Role
from training.data.errors import FileMissing, FileUnexpected, LayoutUnknown
from training.data.flair_labels import Merge, flair_table
from training.data.reading import map_labels, read_note, read_raster, require_same_ground
from training.data.samples import Acquisition, Domain, Pixels, Sample, Split, require_disjoint

BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir", "height")

VALIDATION_DOMAINS = frozenset(
    {
        "D004_2021",
        "D014_2020",
        "D029_2021",
        "D031_2019",
        "D058_2020",
        "D066_2021",
        "D067_2021",
        "D077_2021",
    }
)
"""The domains of FLAIR #1's published validation list."""

_DOMAIN = re.compile(r"(?P<territory>D(?:\d{3}|02[AB]))_(?P<campaign>\d{4})")
_METADATA_NAMES = (
    "flair_aerial_metadata.json",
    "flair-1_metadata_aerial.json",
    "flair-2_metadata_aerial.json",
)
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Part:
    """Where images and masks of one part of the data set lie, below its root."""

    split: Split
    images: str
    labels: str


def find_samples(root: Path, parts: Sequence[Part], *, data_set: str) -> tuple[Sample, ...]:
    """The samples of the parts that are there, validation domains taken out of training.

    Args:
        root: Folder that the archives were unpacked into.
        parts: Where they may lie.
        data_set: Its name, for messages.

    Raises:
        LayoutUnknown: None of the parts is there.
        FileMissing: An image has no mask, or a mask no image, in a part whose masks are given.
    """
    found = [sample for part in parts for sample in _samples_of(root, part)]
    if not found:
        raise LayoutUnknown(
            f"{root} holds none of {', '.join(sorted({part.images for part in parts}))}",
            remedy=f"Give the folder that the archives of {data_set} were unpacked into.",
        )
    require_disjoint(found)
    acquisitions = read_acquisitions(root)
    if acquisitions is None:
        return tuple(found)
    return tuple(replace(sample, acquisition=_acquired(sample, acquisitions)) for sample in found)


def read_sample(sample: Sample, *, merge: Merge = "16 classes") -> Pixels:
    """The pixels of a sample, its labels as CoSIA's class values.

    Raises:
        FileUnexpected: Image or mask is not what FLAIR says.
        LabelUnknown: The mask holds a value above 19.
    """
    image = read_raster(sample.image, num_bands=len(BANDS), dtype="uint8")
    if sample.labels is None:
        return Pixels(image_CHW=image.pixels_CHW, labels_HW=None)
    labels = read_raster(sample.labels, num_bands=1, dtype="uint8")
    require_same_ground(image, labels)
    mapped_HW = map_labels(labels.pixels_CHW[0], flair_table(merge), path=sample.labels)
    return Pixels(image_CHW=image.pixels_CHW, labels_HW=mapped_HW)


def keep_listed(samples: Iterable[Sample], lists: Mapping[Split, Path]) -> tuple[Sample, ...]:
    """The samples of published lists of paths, in the parts that the lists say.

    The lists have no header: image and mask, by paths of whoever wrote them, so that only their ends count.

    Raises:
        FileMissing: A list names an image that is not there.
    """
    by_end = {_end_of(sample.image): sample for sample in samples}
    kept: list[Sample] = []
    for split, path in lists.items():
        with path.open(encoding="utf-8", newline="") as file:
            listed = [row[0].strip() for row in csv.reader(file) if row]
        absent = [name for name in listed if _end_of(Path(name)) not in by_end]
        if absent:
            raise FileMissing(
                f"{path} names {len(absent)} images that are not there, such as {absent[0]}",
                remedy="Unpack the archives that the list was made for.",
            )
        kept += [replace(by_end[_end_of(Path(name))], split=split) for name in listed]
    require_disjoint(kept)
    return tuple(kept)


def read_acquisitions(root: Path) -> dict[str, Acquisition] | None:
    """Date, time, camera and place of each image, by ``IMG_000001``; None where the file is not there.

    Raises:
        FileUnexpected: The file says something that cannot be understood.
    """
    for folder in (root, root / "flair-data", root / "metadata", root / "data"):
        for name in _METADATA_NAMES:
            if (folder / name).is_file():
                return {
                    key.removesuffix(".tif"): _acquisition(key, entry, path=folder / name)
                    for key, entry in read_note(folder / name).items()
                }
    return None


def _samples_of(root: Path, part: Part) -> list[Sample]:
    images = {_number(path): path for path in sorted((root / part.images).glob("D*/Z*/img/IMG_*.tif"))}
    masks = {_number(path): path for path in sorted((root / part.labels).glob("D*/Z*/msk/MSK_*.tif"))}
    if masks and images.keys() != masks.keys():
        lone = sorted(images.keys() ^ masks.keys())
        told = ", ".join("/".join(place) for place in lone[:_SHOWN])
        raise FileMissing(
            f"{len(lone)} images or masks of {part.images} have no other half, such as {told}",
            remedy="Unpack both archives again.",
        )
    if images and not masks and part.split != "test":
        raise FileMissing(f"{root / part.labels} holds no masks", remedy="Unpack the archive of the labels.")
    samples = []
    for (domain_key, zone, number), path in images.items():
        domain = _domain(domain_key, path)
        is_validation = part.split == "train" and domain.key in VALIDATION_DOMAINS
        samples.append(
            Sample(
                name=f"{domain_key}/{zone}/IMG_{number}",
                domain=domain,
                zone=zone,
                split="validation" if is_validation else part.split,
                image=path,
                labels=masks.get((domain_key, zone, number)),
            )
        )
    return samples


def _number(path: Path) -> tuple[str, str, str]:
    """Domain, zone and number of an image or a mask."""
    return path.parts[-4], path.parts[-3], path.stem.partition("_")[2]


def _end_of(path: Path) -> tuple[str, ...]:
    return path.parts[-4:]


def _domain(key: str, path: Path) -> Domain:
    match = _DOMAIN.fullmatch(key)
    if match is None:
        raise LayoutUnknown(f"{path}: {key!r} is no département and year, such as D004_2021")
    return Domain(territory=match["territory"], campaign=match["campaign"])


def _acquired(sample: Sample, acquisitions: Mapping[str, Acquisition]) -> Acquisition:
    try:
        return acquisitions[sample.image.stem]
    except KeyError:
        raise FileUnexpected(
            f"the metadata do not tell of {sample.image.stem}", remedy="Use the metadata of this release."
        ) from None


def _acquisition(key: str, entry: Mapping[str, Any], *, path: Path) -> Acquisition:
    try:
        hours, _, minutes = entry["time"].partition("h")
        return Acquisition(
            date=dt.date.fromisoformat(entry["date"]),
            time=dt.time(int(hours), int(minutes)),
            camera=entry["camera"],
            centre_m=(
                float(entry["patch_centroid_x"]),
                float(entry["patch_centroid_y"]),
                float(entry["patch_centroid_z"]),
            ),
        )
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise FileUnexpected(f"{path}: {key} cannot be understood: {error!r}") from error

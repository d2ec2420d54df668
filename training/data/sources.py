"""Labelled imagery as training takes it: images of any size in a network's bands, labels in sets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, overload

import numpy as np

from training.data import curated, dubai, naip_chesapeake, treesatai
from training.data.errors import DataError, SourceUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from models.manifest import Role
    from training.data.label_sets import LabelSets
    from training.data.samples import Pixels

    U8 = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Images that share a label set."""

    name: str
    images: Sequence[U8]
    """Raw pixels [C, H, W], in the network's bands; those that are absent are zero."""
    labels: Sequence[U8]
    """[H, W], positions in ``sets``; 255 teaches nothing."""
    domains: tuple[str, ...]
    """Of each image: territory and campaign."""
    sets: LabelSets
    absent: tuple[int, ...] = ()
    """Positions of bands that these images do not have."""
    credit: str = ""
    """Whose they are, where the data say it themselves; else ``training.data.credits`` does."""

    def __len__(self) -> int:
        return len(self.domains)

    def of_domains(self, domains: Collection[str]) -> Source:
        """The images of some domains."""
        chosen = [index for index, domain in enumerate(self.domains) if domain in domains]
        return Source(
            name=self.name,
            images=Chosen(self.images, chosen),
            labels=Chosen(self.labels, chosen),
            domains=tuple(self.domains[index] for index in chosen),
            sets=self.sets,
            absent=self.absent,
            credit=self.credit,
        )

    def fingerprint(self) -> str:
        """sha256 over pixels, labels and domains: two runs that saw the same have the same."""
        digest = hashlib.sha256(repr((self.name, self.domains, self.absent)).encode())
        for image_CHW, labels_HW in zip(self.images, self.labels, strict=True):
            digest.update(repr(image_CHW.shape).encode())
            digest.update(np.ascontiguousarray(image_CHW).data)
            digest.update(np.ascontiguousarray(labels_HW).data)
        return digest.hexdigest()


class Chosen(Sequence["U8"]):
    """Some of a sequence of arrays, none of them read before it is asked for."""

    def __init__(self, arrays: Sequence[U8], positions: Sequence[int]) -> None:
        self._arrays, self._positions = arrays, positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> U8: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[U8]: ...
    def __getitem__(self, index: int | slice) -> U8 | Sequence[U8]:
        if isinstance(index, slice):
            return Chosen(self._arrays, self._positions[index])
        return self._arrays[self._positions[index]]


def load_source(
    name: str, folder: Path, *, bands: Sequence[Role], held_out: Collection[str]
) -> tuple[Source, Source]:
    """A real data set, as what may be trained on and what is held out.

    Args:
        name: Of the data set; see ``READERS``.
        folder: Where it lies.
        bands: Of the network.
        held_out: Keys of the domains that are judged on: neither they nor what overlaps them is trained on.

    Raises:
        SourceUnknown: No such data set.
        DataError: The folder holds something else, or no such domain.
    """
    try:
        read = READERS[name]
    except KeyError:
        known = ", ".join(READERS)
        raise SourceUnknown(f"no data set {name!r}", remedy=f"Known data sets: {known}.") from None
    train, judged = read(folder, bands, frozenset(held_out))
    missing = set(held_out) - set(judged.domains)
    if missing:
        raise DataError(f"{folder} has no domain {', '.join(sorted(missing))}")
    return train, judged


def _read_dubai(folder: Path, bands: Sequence[Role], held_out: frozenset[str]) -> tuple[Source, Source]:
    data = dubai.load_dubai(folder)
    parts = [part for part in data.parts if part.labels is not None]
    away = {part.domain for part in data.parts if part.domain.key in held_out}
    read = [data.read(part, held_out=away) for part in parts]
    source = Source(
        name="dubai",
        **_in_bands(read, dubai.BANDS, bands),
        domains=tuple(part.domain.key for part in parts),
        sets=dubai.SETS,
    )
    return _apart(source, held_out)


def _read_naip(folder: Path, bands: Sequence[Role], held_out: frozenset[str]) -> tuple[Source, Source]:
    samples = naip_chesapeake.load_naip_chesapeake(folder)
    away = {sample.domain for sample in samples if sample.domain.key in held_out}
    for target in away:  # the same tile on another date shares the target's truth: neither is trained on
        allowed = set(naip_chesapeake.sources_for(samples, target)) | {
            sample for sample in samples if sample.domain in away
        }
        samples = tuple(sample for sample in samples if sample in allowed)
    read = [naip_chesapeake.read_sample(sample) for sample in samples]
    source = Source(
        name="naip",
        **_in_bands(read, naip_chesapeake.BANDS, bands),
        domains=tuple(sample.domain.key for sample in samples),
        sets=naip_chesapeake.SETS,
    )
    return _apart(source, held_out)


def _read_treesatai(folder: Path, bands: Sequence[Role], held_out: frozenset[str]) -> tuple[Source, Source]:
    patches = [
        patch for patch in treesatai.load_treesatai(folder) if patch.tree_share >= treesatai.MIN_TREE_SHARE
    ]
    source = Source(
        name="treesatai",
        **_in_bands([treesatai.read_forest(patch) for patch in patches], treesatai.BANDS, bands),
        domains=tuple(patch.domain.key for patch in patches),
        sets=treesatai.SETS,
    )
    return _apart(source, held_out)


def _read_curated(folder: Path, bands: Sequence[Role], held_out: frozenset[str]) -> tuple[Source, Source]:
    """Patches of the set's train split, and those that are judged on.

    These are its validation and test splits, as domains ``D033_2024, test``, and whole domains that a recipe
    holds out, under their own keys: what shows their ground on another date, or lies within the set's guard
    of it, is not trained on either.
    """
    data = curated.load_curated(folder)
    away = [sample for sample in data.samples if sample.domain.key in held_out]
    own = [sample for sample in data.samples if sample.domain.key not in held_out]
    train = curated.away_from(
        [sample for sample in own if sample.split == "train"], away, guard_m=data.guard_m
    )
    judged = [sample for sample in own if sample.split != "train"]
    if not train:
        raise DataError(f"{folder} has no patch to train on", remedy="Hold fewer domains out.")

    def source(samples: Sequence[curated.CuratedSample], domains: Sequence[str]) -> Source:
        return Source(
            name="curated",
            images=curated.Decoded(
                samples, lambda sample: _rearranged(curated.read_image(sample), data.bands, bands)
            ),
            labels=curated.Decoded(samples, curated.read_labels),
            domains=tuple(domains),
            sets=data.sets,
            absent=tuple(position for position, band in enumerate(bands) if band not in data.bands),
            credit=f"{data.credit or 'imagery and labels of whoever made the set.'} Licence: {data.licence}.",
        )

    names = [f"{sample.domain.key}, {sample.split}" for sample in judged]
    return (
        source(train, [sample.domain.key for sample in train]),
        source([*judged, *away], [*names, *(sample.domain.key for sample in away)]),
    )


VALIDATION = ", validation"
"""End of the names of domains whose ground a set keeps to choose by."""

READERS: Mapping[str, Callable[[Path, Sequence[Role], frozenset[str]], tuple[Source, Source]]] = {
    "curated": _read_curated,
    "dubai": _read_dubai,
    "naip": _read_naip,
    "treesatai": _read_treesatai,
}
"""Data sets that runs can name."""


def _apart(source: Source, held_out: frozenset[str]) -> tuple[Source, Source]:
    return source.of_domains(set(source.domains) - held_out), source.of_domains(held_out)


class _Read(TypedDict):
    """What pixels give to a source."""

    images: list[U8]
    labels: list[U8]
    absent: tuple[int, ...]


def _in_bands(read: Sequence[Pixels], have: Sequence[Role], want: Sequence[Role]) -> _Read:
    """Pixels with their bands in the network's order, zero where there is none."""
    return _Read(
        images=[_rearranged(pixels.image_CHW, have, want) for pixels in read],
        labels=[_labelled(pixels.labels_HW) for pixels in read],
        absent=tuple(position for position, band in enumerate(want) if band not in have),
    )


def _rearranged(image_CHW: U8, have: Sequence[Role], want: Sequence[Role]) -> U8:
    empty_HW = np.zeros(image_CHW.shape[1:], dtype=np.uint8)
    return np.stack([image_CHW[have.index(band)] if band in have else empty_HW for band in want])


def _labelled(labels_HW: U8 | None) -> U8:
    assert labels_HW is not None, "only labelled samples are read"
    return labels_HW

"""Labelled imagery as training takes it: images of any size in a network's bands, labels in sets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from training.data import curated, dubai, flair1, flair2, flair_hub, naip_chesapeake, treesatai
from training.data.errors import DataError, SourceUnknown
from training.data.label_sets import exact_sets
from training.data.lazy import Changed, Chosen, Decoded
from training.data.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.manifest import Role
    from training.data.label_sets import LabelSets
    from training.data.samples import AnySample, Pixels, Sample

    U8 = NDArray[np.uint8]
    Reader = Callable[[Path, Sequence[Role], frozenset[str]], tuple["Source", "Source"]]
    Load = Callable[[Path, Sequence[Role]], tuple[Sequence[Sample], Sequence[Role]]]


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

    @property
    def is_labelled(self) -> bool:
        """Whether a pixel of it teaches something; it is not read further than to the first."""
        return any((np.asarray(labels_HW) != IGNORED).any() for labels_HW in self.labels)

    def of_domains(self, domains: Collection[str]) -> Source:
        """The images of some domains."""
        return self._of([index for index, domain in enumerate(self.domains) if domain in domains])

    def spread(self, most: int) -> Source:
        """At most so many images of each domain, evenly apart in their order."""
        of_domain: dict[str, list[int]] = {}
        for index, domain in enumerate(self.domains):
            of_domain.setdefault(domain, []).append(index)
        chosen: list[int] = []
        for own in of_domain.values():
            at = np.linspace(0, len(own) - 1, min(most, len(own)))
            chosen += [own[position] for position in np.round(at).astype(int)]
        return self._of(sorted(chosen))

    def _of(self, chosen: Sequence[int]) -> Source:
        return Source(
            name=self.name,
            images=Chosen(self.images, chosen),
            labels=Chosen(self.labels, chosen),
            domains=tuple(self.domains[index] for index in chosen),
            sets=self.sets,
            absent=self.absent,
            credit=self.credit,
        )

    def taught(self, channels: Collection[int]) -> Source:
        """The same for a head of some classes: labels of which it has none teach nothing.

        Args:
            channels: Class values of the head.
        """
        live = [number for number, each in enumerate(self.sets.sets) if each.values & set(channels)]
        if len(live) == len(self.sets):
            return self
        label_of = np.full(256, IGNORED, dtype=np.uint8)
        label_of[live] = np.arange(len(live))
        return replace(
            self,
            labels=Changed(self.labels, lambda labels_HW: label_of[labels_HW]),
            sets=replace(self.sets, sets=tuple(self.sets.sets[number] for number in live)),
        )

    def fingerprint(self) -> str:
        """sha256 over pixels, labels and domains: two runs that saw the same have the same."""
        digest = hashlib.sha256(repr((self.name, self.domains, self.absent)).encode())
        for image_CHW, labels_HW in zip(self.images, self.labels, strict=True):
            digest.update(repr(image_CHW.shape).encode())
            digest.update(np.ascontiguousarray(image_CHW).data)
            digest.update(np.ascontiguousarray(labels_HW).data)
        return digest.hexdigest()


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

    def source(samples: Sequence[curated.CuratedSample], domains: Sequence[str]) -> Source:
        return Source(
            name="curated",
            images=Decoded(
                samples, lambda sample: _rearranged(curated.read_image(sample), data.bands, bands)
            ),
            labels=Decoded(samples, curated.read_labels),
            domains=tuple(domains),
            sets=data.sets,
            absent=tuple(position for position, band in enumerate(bands) if band not in data.bands),
            credit=f"{data.credit or 'imagery and labels of whoever made the set.'} Licence: {data.licence}.",
        )

    return _by_split(source, train, own, away)


def _read_flair(name: str, load: Load, read: Callable[[Sample], Pixels]) -> Reader:
    """Reads FLAIR #1, FLAIR #2 or FLAIR-HUB: whole domains are validation or test, or held out besides.

    Args:
        name: Of the data set.
        load: Its labelled samples for the bands of a network, and the bands that they have.
        read: The pixels of one.
    """

    def read_split(folder: Path, bands: Sequence[Role], held_out: frozenset[str]) -> tuple[Source, Source]:
        loaded, have = load(folder, bands)
        samples = [sample for sample in loaded if sample.labels is not None]
        away = [sample for sample in samples if sample.domain.key in held_out]
        own = [sample for sample in samples if sample.domain.key not in held_out]
        # Another year of the same département has the same houses, fields and woods.
        territories = {sample.domain.territory for sample in away}
        train = [
            sample for sample in own if sample.split == "train" and sample.domain.territory not in territories
        ]

        def source(samples: Sequence[Sample], domains: Sequence[str]) -> Source:
            return Source(
                name=name,
                images=Decoded(
                    samples,
                    lambda sample: _rearranged(read(replace(sample, labels=None)).image_CHW, have, bands),
                ),
                labels=Decoded(samples, lambda sample: _labelled(read(sample).labels_HW)),
                domains=tuple(domains),
                sets=exact_sets(),
                absent=tuple(position for position, band in enumerate(bands) if band not in have),
            )

        return _by_split(source, train, own, away)

    return read_split


def _load_hub(folder: Path, bands: Sequence[Role]) -> tuple[tuple[Sample, ...], tuple[Role, ...]]:
    if "height" not in bands:
        return flair_hub.load_flair_hub(folder), flair_hub.BANDS
    return flair_hub.load_flair_hub(folder, with_height=True), flair_hub.BANDS_WITH_HEIGHT


def _by_split(
    make: Callable[[Sequence[AnySample], Sequence[str]], Source],
    train: Sequence[AnySample],
    own: Sequence[AnySample],
    away: Sequence[AnySample],
) -> tuple[Source, Source]:
    """What is trained on; and what is judged on: the other parts of a split, then domains held out.

    Args:
        make: A source of some samples, and what their domains are called.
        train: To be trained on.
        own: All that are not held out; those of validation and test are domains ``D033_2024, test``.
        away: Of whole domains that are held out, under their own keys.
    """
    judged = [sample for sample in own if sample.split != "train"]
    names = [f"{sample.domain.key}, {sample.split}" for sample in judged]
    return (
        make(train, [sample.domain.key for sample in train]),
        make([*judged, *away], [*names, *(sample.domain.key for sample in away)]),
    )


VALIDATION = ", validation"
"""End of the names of domains whose ground a set keeps to choose by."""

READERS: Mapping[str, Reader] = {
    "curated": _read_curated,
    "dubai": _read_dubai,
    "flair1": _read_flair(
        "flair1", lambda folder, _: (flair1.load_flair1(folder), flair1.BANDS), flair1.read_sample
    ),
    "flair2": _read_flair(
        "flair2", lambda folder, _: (flair2.load_flair2(folder), flair2.BANDS), flair2.read_sample
    ),
    "flair_hub": _read_flair("flair_hub", _load_hub, flair_hub.read_sample),
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

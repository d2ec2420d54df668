"""Batches: crops drawn from sources, turned and recoloured, by a seed and a step number alone.

Because nothing else enters, a run that resumes at a step sees what it would have seen.

Axes: N samples, C bands, H and W pixels, S label sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from PIL import Image

from training.data.samples import IGNORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.data.sources import Source
    from training.recipes.recipe import Looks, Recipe

    U8 = NDArray[np.uint8]
    F32 = NDArray[np.float32]

_SPOTS_PER_IMAGE = 32
"""Positions remembered for each label in each image."""


@dataclass(frozen=True, kw_only=True)
class Spots:
    """Where labels are, to centre crops on rare ones."""

    spots_by_label: tuple[NDArray[np.int32], ...]
    """For each label that occurs: rows of image, row, column."""
    frequencies: NDArray[np.float64]
    """Share of each label 0..254 among labelled pixels."""

    @classmethod
    def of(cls, labels: Sequence[U8], *, seed: int) -> Self:
        """Look through all images once."""
        rng = np.random.default_rng(seed)
        counts = np.zeros(256, dtype=np.int64)
        found: dict[int, list[NDArray[np.int32]]] = {}
        for index, read in enumerate(labels):
            labels_HW = np.asarray(read)
            counts_here = np.bincount(labels_HW.ravel(), minlength=256)
            counts += counts_here
            for label in np.flatnonzero(counts_here[:IGNORED]):
                flat = rng.choice(np.flatnonzero(labels_HW.ravel() == label), _SPOTS_PER_IMAGE)
                rows, columns = np.divmod(flat, labels_HW.shape[1])
                spots = np.stack([np.full_like(rows, index), rows, columns], axis=1)
                found.setdefault(int(label), []).append(spots.astype(np.int32))
        return cls(
            spots_by_label=tuple(np.concatenate(found[label]) for label in sorted(found)),
            frequencies=counts[:IGNORED] / max(1, counts[:IGNORED].sum()),
        )


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a source gives to every batch."""

    source: Source
    spots: Spots
    num_samples: int
    looks: Looks
    first_set: int
    """Position of the source's first label set among those of all sources."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One step's samples."""

    image_NCHW: F32
    """Raw pixels 0-255; recoloured, so no longer whole numbers."""
    sets_NHW: U8
    """Position of the label set among those of all sources; 255 teaches nothing."""
    is_absent_NC: NDArray[np.bool_]
    """Bands that a sample does not have, or that were taken from it."""


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """Sources that are trained on together, each with its share of every batch."""

    parts: tuple[Part, ...]
    recipe: Recipe

    @classmethod
    def of(cls, sources: Sequence[Source], recipe: Recipe) -> Self:
        """Lay out the sources that a recipe names, in its order.

        Raises:
            ValueError: The recipe names others.
        """
        by_name = {source.name: source for source in sources}
        if set(by_name) != {share.source for share in recipe.shares}:
            wanted = ", ".join(share.source for share in recipe.shares)
            raise ValueError(f"sources are {', '.join(by_name)}; the recipe trains on {wanted}")
        parts, first_set = [], 0
        for share in recipe.shares:
            source = by_name[share.source]
            parts.append(
                Part(
                    source=source,
                    spots=Spots.of(source.labels, seed=recipe.seed),
                    num_samples=share.num_samples,
                    looks=share.looks,
                    first_set=first_set,
                )
            )
            first_set += len(source.sets)
        return cls(parts=tuple(parts), recipe=recipe)

    def shares(self) -> NDArray[np.float32]:
        """Of each channel of the head, the share of each label set of all sources, float32 [S, K]."""
        return np.concatenate([part.source.sets.shares(self.recipe.channels) for part in self.parts])

    def frequencies(self) -> list[NDArray[np.float64]]:
        """Of each source, the share of each of its label sets among labelled pixels."""
        return [part.spots.frequencies[: len(part.source.sets)] for part in self.parts]

    def draw(self, step: int) -> Batch:
        """The batch of a step."""
        recipe = self.recipe
        rng = np.random.default_rng([recipe.seed, step])
        images, labels, absences = [], [], []
        for part in self.parts:
            for _ in range(part.num_samples):
                image_CHW, labels_HW = _draw_crop(part, recipe, rng)
                images.append(image_CHW)
                labels.append(np.where(labels_HW == IGNORED, IGNORED, labels_HW + part.first_set))
                absences.append([band in part.source.absent for band in range(len(recipe.bands))])
        is_absent_NC = np.array(absences, dtype=bool)
        if recipe.nir_drop_share:
            is_absent_NC[:, recipe.bands.index("nir")] |= _draw_nir_drops(recipe, step, len(images))
        return Batch(
            image_NCHW=np.ascontiguousarray(np.stack(images)),
            sets_NHW=np.ascontiguousarray(np.stack(labels).astype(np.uint8)),
            is_absent_NC=is_absent_NC,
        )


def _draw_nir_drops(recipe: Recipe, step: int, num_samples: int) -> NDArray[np.bool_]:
    rng = np.random.default_rng([recipe.seed, step, 1])
    return rng.random(num_samples) < recipe.nir_drop_share


def _draw_crop(part: Part, recipe: Recipe, rng: np.random.Generator) -> tuple[F32, U8]:
    index, row, column, side_px = _draw_window(part, recipe, rng)
    window = np.s_[row : row + side_px, column : column + side_px]
    raw_CHW = np.asarray(part.source.images[index][:, *window])
    labels_HW = np.asarray(part.source.labels[index][window])
    if side_px != recipe.crop_px:
        raw_CHW, labels_HW = _zoomed(raw_CHW, labels_HW, recipe.crop_px)
    image_CHW = recolour(raw_CHW, part.looks, rng)
    turn, is_mirrored = int(rng.integers(4)), rng.random() < 0.5
    image_CHW, labels_HW = np.rot90(image_CHW, turn, axes=(1, 2)), np.rot90(labels_HW, turn)
    if is_mirrored:
        image_CHW, labels_HW = image_CHW[:, :, ::-1], labels_HW[:, ::-1]
    return image_CHW, labels_HW


def _draw_window(part: Part, recipe: Recipe, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """Image, row and column of a crop's first pixel, and its side before it is zoomed."""
    finest, coarsest = np.log(part.looks.zoom)
    zoom = float(np.exp(rng.uniform(finest, coarsest))) if finest < coarsest else float(np.exp(finest))
    wanted_px = round(recipe.crop_px / zoom)
    is_rare = rng.random() < recipe.rare_share
    if is_rare:
        of_label = part.spots.spots_by_label[rng.integers(len(part.spots.spots_by_label))]
        index, row, column = (int(value) for value in of_label[rng.integers(len(of_label))])
        # Somewhere in the crop, not in its middle: the network must not learn where to look.
        row, column = row - int(rng.integers(wanted_px)), column - int(rng.integers(wanted_px))
    else:
        index, row, column = int(rng.integers(len(part.source))), 0, 0
    height, width = part.source.labels[index].shape
    side_px = min(wanted_px, height, width)
    last_row, last_column = height - side_px, width - side_px
    if not is_rare:
        row, column = int(rng.integers(last_row + 1)), int(rng.integers(last_column + 1))
    return index, min(max(row, 0), last_row), min(max(column, 0), last_column), side_px


def _zoomed(raw_CHW: U8, labels_HW: U8, side_px: int) -> tuple[U8, U8]:
    """A crop made larger or smaller: pixels smoothly, labels by the nearest."""
    size = (side_px, side_px)
    bands = [Image.fromarray(band).resize(size, Image.Resampling.BILINEAR) for band in raw_CHW]
    labels = Image.fromarray(np.ascontiguousarray(labels_HW)).resize(size, Image.Resampling.NEAREST)
    return np.stack([np.asarray(band) for band in bands]), np.asarray(labels)


def recolour(raw_CHW: U8, looks: Looks, rng: np.random.Generator) -> F32:
    """Change gain, offset and gamma, partly shared by the bands, as between two flights.

    Pixels without data are zero in all bands, and stay so.
    """
    num_bands = len(raw_CHW)
    gain_C = np.exp(rng.normal(0, looks.gain) + rng.normal(0, looks.band_gain, num_bands))
    offset_C = rng.normal(0, looks.offset) + rng.normal(0, looks.band_offset, num_bands)
    gamma = np.exp(rng.normal(0, looks.gamma))
    curve = 255 * (np.arange(256) / 255) ** gamma
    table_C256 = np.clip(curve * gain_C[:, None] + offset_C[:, None], 0, 255).astype(np.float32)
    recoloured_CHW = np.stack([table[band] for table, band in zip(table_C256, raw_CHW, strict=True)])
    if looks.noise:
        level = abs(rng.normal(0, looks.noise))
        recoloured_CHW += rng.standard_normal(recoloured_CHW.shape, dtype=np.float32) * np.float32(level)
        np.clip(recoloured_CHW, 0, 255, out=recoloured_CHW)
    recoloured_CHW[:, ~raw_CHW.any(axis=0)] = 0
    return recoloured_CHW

"""A territory cut into pieces: blocks of ground, some drawn, some held out, each on one side only.

Axes: C bands, H and W pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.rasters.transforms import apply, invert
from service.rasters.windows import Window
from training.data.label_sets import label_sets
from training.data.orthos import reading
from training.data.samples import IGNORED
from training.data.sources import Source
from training.territory.errors import LabelsUnfit, TargetUnfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.manifest import Role
    from models.nomenclature import Nomenclature
    from service.rasters.facts import Transform
    from training.data.annotations import Annotations
    from training.data.orthos import Ortho

MOST_PIECES = 192
"""Blocks that are read of a territory, at random: some hundred million pixels, in memory at once."""
_SIDES_PX = (512, 256, 128)
"""Sides of a block; the smaller ones where there would be too few to hold some out."""
_ENOUGH_BLOCKS = 8
_LEAST_PX = 64
"""Blocks that are cut narrower by the edge of an orthophoto are left out, if there are others."""
_LEAST_DATA = 0.5
"""Share of a piece that has data."""
_LEAST_LABELLED = 0.05
HELD_OUT_SHARE = 0.25
"""Of the blocks that have labels."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One block of ground, read."""

    block: tuple[int, int]
    """Column and row of the lattice: no two pieces have the same."""
    image_CHW: NDArray[np.uint8]
    """In the network's bands; zero where absent, and where there is no data."""
    labels_HW: NDArray[np.uint8] | None
    """Class values; 255 where nothing is known. None where no labels were given."""
    transform: Transform
    """Of its pixels."""
    gsd_m: float
    name: str
    """Of the orthophoto."""

    @property
    def is_labelled(self) -> bool:
        """Whether enough of it is, to be judged on."""
        return self.labels_HW is not None and float((self.labels_HW != IGNORED).mean()) >= _LEAST_LABELLED


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Both sides of a territory."""

    adapted_on: tuple[Piece, ...]
    held_out: tuple[Piece, ...]
    """Judged on, and never adapted on; none where there are no labels."""
    side_px: int
    """Of a block."""


@dataclass(frozen=True)
class _Cut:
    block: tuple[int, int]
    index: int
    window: Window


def read_pieces(
    orthos: Sequence[Ortho],
    bands: Sequence[Role],
    *,
    annotations: Annotations | None,
    seed: int,
    each_piece: Callable[[int, int], None] | None = None,
    most: int = MOST_PIECES,
) -> Pieces:
    """Draw blocks of a territory, read them, and hold some of the labelled ones out.

    A block is a square of a lattice over the territory, so ground that two orthophotos show is one block, and
    on one side. Which are drawn and which are held out depends on the seed and on where labels are, never on
    what they say.

    Args:
        orthos: Of one reference system.
        bands: Of the network.
        annotations: Labels; None holds nothing out.
        seed: Of the draw.
        each_piece: Told how many are read, and of how many.
        most: Blocks that are read.

    Raises:
        TargetUnfit: There is hardly any data.
        LabelsUnfit: Labels lie elsewhere, or on one block.
    """
    cuts, side_px = _drawn(orthos, seed=seed, most=most, wants_several=annotations is not None)
    pieces: list[Piece] = []
    with reading(orthos, bands) as reader:
        for number, cut in enumerate(cuts):
            image_CHW, is_valid_HW = reader.read(cut.index, cut.window)
            if each_piece is not None:
                each_piece(number + 1, len(cuts))
            if is_valid_HW.mean() < _LEAST_DATA:
                continue
            ortho, labels_HW = orthos[cut.index], None
            if annotations is not None:
                told_HW = annotations.on(
                    ortho.transform_of(cut.window), shape=is_valid_HW.shape, crs_wkt=ortho.crs_wkt
                )
                labels_HW = np.where(is_valid_HW, told_HW, np.uint8(IGNORED))
            pieces.append(
                Piece(
                    block=cut.block,
                    image_CHW=image_CHW,
                    labels_HW=labels_HW,
                    transform=ortho.transform_of(cut.window),
                    gsd_m=ortho.gsd_m,
                    name=ortho.path.name,
                )
            )
    if not pieces:
        raise TargetUnfit(
            f"{len(cuts)} blocks of {side_px} px were read, and none is half full of data",
            remedy="Check the nodata value of the orthophotos (gdalinfo -stats).",
        )
    if annotations is None:
        return Pieces(adapted_on=tuple(pieces), held_out=(), side_px=side_px)
    return _held_out(pieces, seed=seed, side_px=side_px)


def as_source(
    pieces: Sequence[Piece], name: str, *, channels: Sequence[int], nomenclature: Nomenclature, bands: int
) -> Source:
    """Pieces as a source of single classes; labels are positions of channels, others teach nothing.

    Args:
        pieces: In the network's bands.
        name: Of the source.
        channels: Live channel of the head to class value.
        nomenclature: Of the values.
        bands: How many the network has; those that are zero everywhere are absent.
    """
    label_of_value = np.full(256, IGNORED, dtype=np.uint8)
    label_of_value[list(channels)] = np.arange(len(channels))
    nothing = [np.full(piece.image_CHW.shape[1:], IGNORED, dtype=np.uint8) for piece in pieces]
    return Source(
        name=name,
        images=[piece.image_CHW for piece in pieces],
        labels=[
            empty_HW if piece.labels_HW is None else label_of_value[piece.labels_HW]
            for piece, empty_HW in zip(pieces, nothing, strict=True)
        ],
        domains=tuple(piece.name for piece in pieces),
        sets=label_sets(nomenclature, **{nomenclature.classes[value].slug: (value,) for value in channels}),
        absent=tuple(band for band in range(bands) if not any(p.image_CHW[band].any() for p in pieces)),
    )


def _drawn(orthos: Sequence[Ortho], *, seed: int, most: int, wants_several: bool) -> tuple[list[_Cut], int]:
    """Blocks in the order of their orthophotos, and their side in pixels."""
    cuts: list[_Cut] = []
    side_px = _SIDES_PX[0]
    for side_px in _SIDES_PX if wants_several else _SIDES_PX[:1]:
        cuts = _lattice(orthos, side_px)
        if len({cut.block for cut in cuts}) >= _ENOUGH_BLOCKS:
            break
    rng = np.random.default_rng([seed, 1])
    chosen: dict[tuple[int, int], _Cut] = {}
    for position in rng.permutation(len(cuts)):
        if len(chosen) == most:
            break
        chosen.setdefault(cuts[position].block, cuts[position])
    return sorted(chosen.values(), key=lambda cut: (cut.index, cut.block)), side_px


def _lattice(orthos: Sequence[Ortho], side_px: int) -> list[_Cut]:
    """Every block of every orthophoto, on squares from the territory's upper left corner."""
    left = min(ortho.transform[2] for ortho in orthos)
    top = max(ortho.transform[5] for ortho in orthos)
    side = side_px * orthos[0].transform[0]
    cuts: list[_Cut] = []
    for index, ortho in enumerate(orthos):
        to_px = invert(ortho.transform)
        right, bottom = apply(ortho.transform, float(ortho.extent.width), float(ortho.extent.height))
        first = _cell(ortho.transform[2] - left, side), _cell(top - ortho.transform[5], side)
        for col in range(first[0], math.ceil((right - left) / side)):
            for row in range(first[1], math.ceil((top - bottom) / side)):
                col_off, row_off = apply(to_px, left + col * side, top - row * side)
                col_end, row_end = apply(to_px, left + (col + 1) * side, top - (row + 1) * side)
                window = Window.between(
                    row_off=round(row_off),
                    col_off=round(col_off),
                    row_end=round(row_end),
                    col_end=round(col_end),
                ).intersection(ortho.extent)
                if not window.is_empty:
                    cuts.append(_Cut((col, row), index, window))
    wide = [cut for cut in cuts if min(cut.window.width, cut.window.height) >= _LEAST_PX]
    return wide or cuts


def _cell(distance: float, side: float) -> int:
    return math.floor(distance / side + 1e-6)


def _held_out(pieces: Sequence[Piece], *, seed: int, side_px: int) -> Pieces:
    labelled = [position for position, piece in enumerate(pieces) if piece.is_labelled]
    if not labelled:
        raise LabelsUnfit(
            f"the labels cover none of the {len(pieces)} blocks that were read of the target",
            remedy="Check that both show the same ground: ogrinfo -so and gdalinfo tell their extents.",
        )
    if len(pieces) < 2:
        raise LabelsUnfit(
            f"the target is one block of {side_px} px: held out, nothing is left to adapt on",
            remedy="Give more orthophotos, or no labels.",
        )
    num_held = max(1, round(HELD_OUT_SHARE * len(labelled)))
    drawn = np.random.default_rng([seed, 2]).permutation(len(labelled))[:num_held]
    held = {labelled[position] for position in drawn}
    return Pieces(
        adapted_on=tuple(piece for position, piece in enumerate(pieces) if position not in held),
        held_out=tuple(piece for position, piece in enumerate(pieces) if position in held),
        side_px=side_px,
    )

"""Whose each patch is: train, validation or test, by the ground that it shows.

Ground is split, never patches: blocks of ground are drawn, or areas say it. A patch belongs to a split if
all ground within half the guard around it does (with areas: if it lies in the split's areas, and a guard away
from the others'), so patches of two splits are a guard apart at least, whichever orthophotos and dates they
are of.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.curation.request import SPLITS
from training.data.ground import block_at, blocks_under, centre_of, widened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from training.curation.areas import PlacedAreas
    from training.curation.patches import Patch
    from training.curation.request import Splitting
    from training.data.ground import Block
    from training.data.samples import Split

    F64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Whose a patch is."""

    split: Split
    zone: str
    """Ground that hangs together: all of it is in one split."""


def place_in_areas(
    patches: Sequence[Patch], areas: Mapping[str, PlacedAreas], *, guards: Mapping[str, float]
) -> list[Place | None]:
    """Whose patches are, where areas say it; None is nobody's.

    Args:
        patches: Of any reference systems.
        areas: By reference system.
        guards: In its units, by sheet (``domain/name``).
    """
    by_sheet: dict[str, list[int]] = defaultdict(list)
    for number, patch in enumerate(patches):
        by_sheet[f"{patch.domain}/{patch.sheet}"].append(number)
    places: list[Place | None] = [None] * len(patches)
    for sheet, numbers in by_sheet.items():
        told = areas[patches[numbers[0]].crs].splits_of(
            [patches[number].bounds for number in numbers], guard=guards[sheet]
        )
        for number, split in zip(numbers, told, strict=True):
            places[number] = None if split is None else Place(split=split, zone=f"areas-{split}")
    return places


def place_in_blocks(patches: Sequence[Patch], splitting: Splitting) -> list[Place | None]:
    """Whose patches are, where blocks of ground are drawn; None lies on ground of two splits."""
    side_m = splitting.block_m
    touched = [blocks_under(widened(patch.box, splitting.guard_m / 2), side_m=side_m) for patch in patches]
    homes = [block_at(*centre_of(patch.box), side_m=side_m) for patch in patches]
    split_of = _draw(patches, homes, splitting)
    _give_the_rest(split_of, touched, homes)
    places: list[Place | None] = []
    for blocks, home in zip(touched, homes, strict=True):
        splits = {split_of[block] for block in blocks}
        zone = f"{home[0]}_{home[1]}"
        places.append(Place(split=split_of[home], zone=zone) if len(splits) == 1 else None)
    return places


def _draw(patches: Sequence[Patch], homes: Sequence[Block], splitting: Splitting) -> dict[Block, Split]:
    """A split for each block that is the home of patches.

    Blocks come in an order that the seed makes, and each goes where most is missing: of patches, of each
    domain's patches, of each class's pixels. So every split gets its share of all three, as far as whole
    blocks allow it.
    """
    amounts = _amounts(patches, homes)
    shares = {split: share for split, share in splitting.share_of.items() if share > 0}
    missing = {split: np.full(len(next(iter(amounts.values()))), share) for split, share in shares.items()}
    split_of: dict[Block, Split] = {}
    for block in sorted(amounts, key=lambda block: _order(block, splitting.seed)):
        amount_F = amounts[block]
        chosen = max(missing, key=lambda split: float(amount_F @ missing[split]))  # the first of equals
        missing[chosen] = missing[chosen] - amount_F
        split_of[block] = chosen
    return _none_empty(split_of, amounts, list(shares))


def _amounts(patches: Sequence[Patch], homes: Sequence[Block]) -> dict[Block, F64]:
    """What each block holds, as shares of the whole: all patches, those of each domain, pixels of each class.

    All patches together weigh as much as everything else, so that the shares asked for are met first.
    """
    domains = sorted({patch.domain for patch in patches})
    rows_PF = np.array(
        [
            [1.0, *(float(patch.domain == domain) for domain in domains), *(float(n) for n in patch.counts)]
            for patch in patches
        ]
    )
    whole_F = rows_PF.sum(axis=0)
    rows_PF = rows_PF[:, whole_F > 0] / whole_F[whole_F > 0]
    rows_PF[:, 0] *= np.sqrt(rows_PF.shape[1] - 1)
    amounts: dict[Block, F64] = defaultdict(lambda: np.zeros(rows_PF.shape[1]))
    for home, row_F in zip(homes, rows_PF, strict=True):
        amounts[home] = amounts[home] + row_F
    return dict(amounts)


def _none_empty(
    split_of: dict[Block, Split], amounts: Mapping[Block, F64], wanted: Sequence[Split]
) -> dict[Block, Split]:
    """Where there are enough blocks, no split that was asked for stays without one."""
    for split in wanted:
        if split in split_of.values() or len(split_of) < len(wanted):
            continue
        richest = max(SPLITS, key=lambda each: sum(other == each for other in split_of.values()))
        smallest = min(
            (block for block, each in split_of.items() if each == richest),
            key=lambda block: (float(amounts[block][0]), block),
        )
        split_of[smallest] = split
    return split_of


def _give_the_rest(
    split_of: dict[Block, Split], touched: Sequence[Sequence[Block]], homes: Sequence[Block]
) -> None:
    """Blocks that are touched, but nobody's home, go where fewest patches are lost by it."""
    votes: dict[Block, Counter[Split]] = defaultdict(Counter)
    for blocks, home in zip(touched, homes, strict=True):
        for block in blocks:
            if block not in split_of:
                votes[block][split_of[home]] += 1
    for block, votes_here in votes.items():
        split_of[block] = max(SPLITS, key=lambda split: votes_here[split])


def _order(block: Block, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {block[0]} {block[1]}".encode()).digest()

"""What a set holds, as lines of text: patches and classes by split and domain, and what to worry about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.nomenclature import COSIA
from training.curation.cutting import LEFT_OUT
from training.curation.request import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from training.curation.patches import Patch
    from training.curation.request import Splitting
    from training.curation.splitting import Place
    from training.data.samples import Split

_FAR_OFF = 0.1
"""Difference of a split's share from what was asked for that is worth a word."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Counts of one set."""

    patches: Mapping[tuple[str, Split], int]
    """By domain and split."""
    pixels: Mapping[Split, tuple[int, ...]]
    """Of each class."""
    left_out: Mapping[str, int]
    """Patches by the reason."""
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        placed: Sequence[tuple[Patch, Place]],
        *,
        left_out: Mapping[str, int],
        splitting: Splitting,
        is_licensed: bool,
    ) -> Summary:
        """Count a set."""
        patches = Counter((patch.domain, place.split) for patch, place in placed)
        pixels = {split: np.zeros(len(COSIA.classes), dtype=np.int64) for split in SPLITS}
        for patch, place in placed:
            pixels[place.split] += np.array(patch.counts)
        told = {split: tuple(int(count) for count in counts) for split, counts in pixels.items()}
        return cls(
            patches=dict(sorted(patches.items())),
            pixels=told,
            left_out=dict(left_out),
            warnings=tuple(_warnings(patches, told, splitting, is_licensed=is_licensed)),
        )

    @property
    def num_patches(self) -> int:
        """All of them."""
        return sum(self.patches.values())

    def lines(self) -> Iterator[str]:
        """As text, Markdown's tables."""
        yield "| domain | train | validation | test |"
        yield "|---|---|---|---|"
        domains = sorted({domain for domain, _ in self.patches})
        for domain in domains:
            yield (
                f"| {domain} | "
                + " | ".join(str(self.patches.get((domain, split), 0)) for split in SPLITS)
                + " |"
            )
        if len(domains) > 1:
            totals = [sum(n for (_, whose), n in self.patches.items() if whose == split) for split in SPLITS]
            yield "| all | " + " | ".join(str(total) for total in totals) + " |"
        yield ""
        yield "| class | train | validation | test |"
        yield "|---|---|---|---|"
        for land_cover in COSIA.classes:
            counts = [self.pixels[split][land_cover.value] for split in SPLITS]
            if any(counts):
                yield (
                    f"| {land_cover.slug.replace('_', ' ')} | "
                    + " | ".join(
                        _percent(count, sum(self.pixels[split]))
                        for count, split in zip(counts, SPLITS, strict=True)
                    )
                    + " |"
                )
        yield ""
        if self.left_out:
            told = "; ".join(f"{number} {LEFT_OUT[reason]}" for reason, number in self.left_out.items())
            yield f"Left out: {told}."
        for warning in self.warnings:
            yield f"Warning: {warning}"


def _warnings(
    patches: Mapping[tuple[str, Split], int],
    pixels: Mapping[Split, Sequence[int]],
    splitting: Splitting,
    *,
    is_licensed: bool,
) -> Iterator[str]:
    totals = {split: sum(n for (_, whose), n in patches.items() if whose == split) for split in SPLITS}
    whole = sum(totals.values())
    asked = {split for split in SPLITS if splitting.areas is not None or splitting.share_of[split] > 0}
    for split in SPLITS:
        if split in asked and not totals[split]:
            how = "draw smaller blocks (--block-m)" if splitting.areas is None else "give it larger areas"
            yield f"{split} has no patch: {how}, a narrower guard (--guard-m), or give more ground."
        elif splitting.areas is None and abs(totals[split] / whole - splitting.share_of[split]) > _FAR_OFF:
            yield (
                f"{split} has {totals[split] / whole:.0%} of the patches, {splitting.share_of[split]:.0%}"
                " were asked for: whole blocks of ground do not give it, smaller ones (--block-m) might."
            )
    cure = "another --seed may give some" if splitting.areas is None else "other areas may give some"
    known = [c for c in COSIA.classes if any(pixels[split][c.value] for split in SPLITS)]
    for split in SPLITS:
        absent = [c.slug.replace("_", " ") for c in known if not pixels[split][c.value]]
        if absent and totals[split]:
            what = "cannot be learned" if split == "train" else "cannot be judged there"
            yield f"{split} has no pixel of {', '.join(absent)}: {what}; {cure}."
    if not is_licensed:
        yield (
            "nobody knows on which terms this set may be used: say it with --licence (etalab-2.0 is the"
            " Licence Ouverte 2.0) and --credit."
        )


def _percent(part: int, whole: int) -> str:
    if not part:
        return "-"
    return f"{part / whole:.2%}" if part / whole >= 5e-5 else "< 0.01%"

"""What a caller of `curate` asks for, checked once."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from training.curation.errors import RequestUnfit
from training.data.orthos import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from training.data.samples import Split

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_LEAST_PATCH_PX = 32


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How orthophotos are cut.

    Raises:
        RequestUnfit: A size or a share is out of bounds.
    """

    patch_px: int = 512
    """Side of a patch."""
    stride_px: int = 512
    """From one patch to the next; patches overlap where it is less than their side."""
    min_labelled: float = 0.5
    """Least share of a patch that has a label."""

    def __post_init__(self) -> None:
        if self.patch_px < _LEAST_PATCH_PX or self.stride_px < 1:
            raise RequestUnfit(
                f"patches of {self.patch_px} px every {self.stride_px} px",
                remedy=f"A patch has {_LEAST_PATCH_PX} px or more, the stride 1 px or more.",
            )
        if not 0 < self.min_labelled <= 1:
            raise RequestUnfit(
                f"the least labelled share is {self.min_labelled:g}",
                remedy="It is more than 0, at most 1: 0.5 keeps patches of which half has a label.",
            )


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """Which ground is whose.

    Raises:
        RequestUnfit: Shares are negative, or none is left for training; a length is out of bounds.
    """

    shares: tuple[float, float, float] = (0.7, 0.15, 0.15)
    """Of training, validation and test, where ground is drawn; any sum counts as the whole."""
    block_m: float = 1000.0
    """Side of the blocks of ground that are drawn, in metres."""
    guard_m: float = 50.0
    """Least distance between patches of two splits, in metres."""
    seed: int = 0
    """Of the draw."""
    areas: Path | None = None
    """Areas that say whose ground they are, in the place of a draw."""

    def __post_init__(self) -> None:
        if not all(0 <= share < math.inf for share in self.shares) or not self.shares[0]:
            raise RequestUnfit(
                f"the shares are {', '.join(f'{share:g}' for share in self.shares)}",
                remedy="Give training, validation and test, such as 70,15,15; training has some.",
            )
        if not (0 < self.block_m < math.inf and 0 <= self.guard_m < math.inf):
            raise RequestUnfit(
                f"blocks of {self.block_m:g} m, a guard of {self.guard_m:g} m",
                remedy="Blocks are longer than 0 m, the guard is 0 m or more.",
            )

    @property
    def share_of(self) -> Mapping[Split, float]:
        """What each split shall have, all together 1."""
        return {split: share / sum(self.shares) for split, share in zip(SPLITS, self.shares, strict=True)}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a caller asks for."""

    orthos: tuple[Path, ...]
    """Files and folders."""
    labels: tuple[tuple[str | None, Path], ...]
    """Files and folders, each with the key of the domain that it tells of; None is all domains."""
    out: Path
    """Folder of the set."""
    domains: tuple[tuple[str, Path | None], ...] = ()
    """Keys of domains, each with the file or folder that it is the domain of; None is all others."""
    reading: Reading = field(default_factory=Reading)
    with_nir: bool = True
    """Whether near infrared is kept where it is there."""
    cut: Cut = Cut()
    splitting: Splitting = Splitting()
    licence: str = "other"
    """Of the set: an SPDX expression, or ``other``."""
    credit: str = ""
    """Whose the imagery and the labels are."""

    def settings(self) -> dict[str, Any]:
        """Everything that the set depends on beside its inputs; no paths, so that it may be moved."""
        splitting = asdict(self.splitting) | {"areas": self.splitting.areas is not None}
        reading = asdict(self.reading) | {"irc": self.reading.irc is not None}
        return {
            "cut": asdict(self.cut),
            "splitting": splitting | {"shares": list(self.splitting.shares)},
            "reading": reading,
            "with_nir": self.with_nir,
            "licence": self.licence,
            "credit": self.credit,
        }

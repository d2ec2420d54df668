"""Before and after on a territory: figures without labels, and with them where there are some.

Axes: C bands, H and W pixels, K channels.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.evaluate import Confusion, metrics_of, raw_logits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from models.manifest import Metrics
    from models.nomenclature import Nomenclature
    from training.networks.compact import CompactUNet
    from training.territory.pieces import Piece

MOST_LOOKED_AT = 24
"""Pieces that figures without labels are taken from."""


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What a network says of images; labels play no part."""

    confidence: float
    """Mean of the largest calibrated probability, 0 to 1."""
    entropy: float
    """Mean of the predictions, in nats."""
    shares: dict[str, float]
    """Class key to its share of the pixels."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What an adaptation did."""

    num_pixels: int
    """Looked at, of pieces that nothing was adapted on where there are such."""
    is_held_out: bool
    looks_before: Looks
    looks_after: Looks
    agreement: float
    """Share of pixels to which both give the same class."""
    before: Metrics | None
    """Against labels of held-out blocks; None where none were given."""
    after: Metrics | None

    def write(self, path: Path) -> None:
        """As JSON."""
        told = asdict(self) | {
            name: None if metrics is None else metrics.model_dump(mode="json")
            for name, metrics in (("before", self.before), ("after", self.after))
        }
        path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Served:
    """A network as it is served."""

    network: CompactUNet
    channels: tuple[int, ...]
    missing: tuple[int, ...]
    """Positions of bands that it is served without."""
    temperature: float

    def posteriors(self, image_CHW: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Calibrated probabilities float32 [K, H, W] of a raw image."""
        logits_KHW = raw_logits(self.network, image_CHW, missing=self.missing)
        told: NDArray[np.float32] = (logits_KHW / self.temperature).softmax(dim=0).numpy()
        return told

    def classes(self, image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Class values of a raw image."""
        values: NDArray[np.uint8] = np.asarray(self.channels, dtype=np.uint8)[
            self.posteriors(image_CHW).argmax(axis=0)
        ]
        return values

    def percent(self, image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Confidence of a raw image, in percent."""
        percent: NDArray[np.uint8] = np.round(100 * self.posteriors(image_CHW).max(axis=0)).astype(np.uint8)
        return percent


def compare(
    before: Served,
    after: Served,
    *,
    adapted_on: Sequence[Piece],
    held_out: Sequence[Piece],
    nomenclature: Nomenclature,
) -> Evidence:
    """What changed on a territory."""
    looked_at = (held_out or adapted_on)[:MOST_LOOKED_AT]
    num_pixels = num_same = 0
    sums = {side: np.zeros(2 + len(nomenclature.classes)) for side in ("before", "after")}
    for piece in looked_at:
        has_data_HW = piece.image_CHW.any(axis=0)
        told = {"before": before, "after": after}
        classes = {}
        for side, served in told.items():
            probability_KP = served.posteriors(piece.image_CHW)[:, has_data_HW].astype(np.float64)
            classes[side] = np.asarray(served.channels)[probability_KP.argmax(axis=0)]
            entropy_P = -(probability_KP * np.log(probability_KP.clip(1e-12))).sum(axis=0)
            sums[side][:2] += probability_KP.max(axis=0).sum(), entropy_P.sum()
            sums[side][2:] += np.bincount(classes[side], minlength=len(nomenclature.classes))
        num_pixels += int(has_data_HW.sum())
        num_same += int((classes["before"] == classes["after"]).sum())
    looks = {side: _looks(total / num_pixels, nomenclature) for side, total in sums.items()}
    return Evidence(
        num_pixels=num_pixels,
        is_held_out=bool(held_out),
        looks_before=looks["before"],
        looks_after=looks["after"],
        agreement=round(num_same / num_pixels, 4),
        before=_metrics(before, held_out, nomenclature) if held_out else None,
        after=_metrics(after, held_out, nomenclature) if held_out else None,
    )


def _looks(means: NDArray[np.float64], nomenclature: Nomenclature) -> Looks:
    return Looks(
        confidence=round(float(means[0]), 4),
        entropy=round(float(means[1]), 4),
        shares={
            land_cover.slug: round(float(share), 4)
            for land_cover, share in zip(nomenclature.classes, means[2:], strict=True)
            if share > 0
        },
    )


def _metrics(served: Served, pieces: Sequence[Piece], nomenclature: Nomenclature) -> Metrics:
    num_classes = len(nomenclature.classes)
    total = Confusion(counts_TP=np.zeros((num_classes, num_classes), dtype=np.int64))
    for piece in pieces:
        assert piece.labels_HW is not None, "held out because of its labels"
        total += Confusion.of(piece.labels_HW, served.classes(piece.image_CHW), num_classes=num_classes)
    return metrics_of(total, gsd_m=[piece.gsd_m for piece in pieces], nomenclature=nomenclature)

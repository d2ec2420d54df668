"""Scores from pooled confusion matrices; a class that is neither in truth nor predicted is in no mean."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from models.manifest import Metrics
from models.nomenclature import Nomenclature
from training.losses import IGNORED
from training.networks.compact import STRIDE_PX, CompactUNet
from training.scenes import SceneSet

Predict = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Raw pixels uint8 [C, H, W] to class values uint8 [H, W]."""


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """Counts of pixels by true class (rows) and predicted class (columns)."""

    counts_TP: NDArray[np.int64]

    @classmethod
    def of(cls, truth_HW: NDArray[np.uint8], predicted_HW: NDArray[np.uint8], *, num_classes: int) -> Self:
        """Count the labelled pixels of one scene.

        Raises:
            ValueError: A labelled pixel was given a value that is no class.
        """
        is_labelled = truth_HW != IGNORED
        truth, predicted = truth_HW[is_labelled].astype(np.int64), predicted_HW[is_labelled]
        if predicted.size and predicted.max() >= num_classes:
            raise ValueError(f"predicted value {predicted.max()} is no class of {num_classes}")
        pairs = np.bincount(truth * num_classes + predicted, minlength=num_classes**2)
        return cls(counts_TP=pairs.reshape(num_classes, num_classes))

    def __add__(self, other: Self) -> Self:
        return type(self)(counts_TP=self.counts_TP + other.counts_TP)

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class; NaN where a class is neither in truth nor predicted."""
        hits = np.diag(self.counts_TP).astype(np.float64)
        union = self.counts_TP.sum(axis=0) + self.counts_TP.sum(axis=1) - hits
        iou: NDArray[np.float64] = np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)
        return iou

    @property
    def miou(self) -> float:
        """Mean over the classes that occur."""
        return float(np.nanmean(self.iou))

    @property
    def overall_accuracy(self) -> float:
        """Share of labelled pixels that are right."""
        return float(np.trace(self.counts_TP) / self.counts_TP.sum())


def evaluate(scenes: SceneSet, predict: Predict, *, num_classes: int) -> Confusion:
    """Pooled confusion of whole scenes.

    Raises:
        ValueError: There are no scenes.
    """
    if not len(scenes):
        raise ValueError("no scenes to evaluate on")
    total = Confusion(counts_TP=np.zeros((num_classes, num_classes), dtype=np.int64))
    for image_CHW, truth_HW in zip(scenes.image_NCHW, scenes.classes_NHW, strict=True):
        predicted_HW = predict(np.asarray(image_CHW))
        total += Confusion.of(np.asarray(truth_HW), predicted_HW, num_classes=num_classes)
    return total


def to_metrics(confusion: Confusion, scenes: SceneSet, *, nomenclature: Nomenclature) -> Metrics:
    """The manifest's words for a confusion of scenes; see `metrics_of`."""
    return metrics_of(confusion, gsd_m=scenes.gsd_m, nomenclature=nomenclature)


def metrics_of(confusion: Confusion, *, gsd_m: Sequence[float], nomenclature: Nomenclature) -> Metrics:
    """The manifest's words for a confusion: absent classes are named, not scored.

    Args:
        confusion: With a labelled pixel at least.
        gsd_m: Ground resolution of each image, in metres.
        nomenclature: Of the values.
    """
    iou = {
        land_cover.slug: float(value)
        for land_cover, value in zip(nomenclature.classes, confusion.iou, strict=True)
    }
    return Metrics(
        num_scenes=len(gsd_m),
        num_pixels=int(confusion.counts_TP.sum()),
        gsd_m=(min(gsd_m), max(gsd_m)),
        miou=round(confusion.miou, 4),
        overall_accuracy=round(confusion.overall_accuracy, 4),
        iou={slug: round(value, 4) for slug, value in iou.items() if not np.isnan(value)},
        absent=tuple(slug for slug, value in iou.items() if np.isnan(value)),
    )


def torch_predictor(network: CompactUNet, *, channels: Sequence[int], missing: Sequence[int] = ()) -> Predict:
    """Predict with a network, some of its bands set to their means.

    Args:
        network: In evaluation mode.
        channels: Live channel to class value.
        missing: Positions of bands to replace.
    """
    value_of_channel = np.asarray(channels, dtype=np.uint8)

    @torch.inference_mode()
    def predict(image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        logits_KHW = raw_logits(network, image_CHW, missing=missing)
        classes_HW: NDArray[np.uint8] = value_of_channel[logits_KHW.argmax(dim=0).numpy()]
        return classes_HW

    return predict


@torch.inference_mode()
def raw_logits(
    network: CompactUNet, image_CHW: NDArray[np.uint8], *, missing: Sequence[int] = ()
) -> torch.Tensor:
    """Logits float32 [K, H, W] of one image of any size, temperature not applied.

    What is missing to the network's stride is mirrored at the right and at the bottom, as the service does.
    """
    height, width = image_CHW.shape[1:]
    normalised_1CHW = (torch.tensor(image_CHW)[None].float() - network.mean_1C11) / network.std_1C11
    normalised_1CHW[:, list(missing)] = 0.0
    padding = (0, -width % STRIDE_PX, 0, -height % STRIDE_PX)
    if any(padding):
        normalised_1CHW = F.pad(normalised_1CHW, padding, mode="reflect")
    with torch.autocast("cpu", torch.bfloat16):
        logits_1KHW = network.logits(normalised_1CHW.contiguous(memory_format=torch.channels_last))
    return logits_1KHW[0, :, :height, :width].float()

"""Which graphs of lower precision an artefact gets: those that lose next to nothing, and say how little.

A graph is kept when, on every domain that the recipe is judged on, its score falls by no more than half a
point and it gives the class of the fp32 graph to 99 % of pixels.

Axes: S labels (truth), V class values predicted.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.manifest import Faithfulness, Precision
from models.nomenclature import get_nomenclature
from training.data.samples import IGNORED
from training.data.sources import Source
from training.quantisation import NothingToLower, write_fp16, write_int8

# Read by ONNX Runtime when it is imported; once imported, it is too late to ask for silence.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

MAX_LOSS = 0.005
"""Of the score, 0-1."""
MIN_AGREEMENT = 0.99

Predict = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a graph of lower precision has to prove itself on."""

    domain: str
    source: Source
    """In the bands of the graph, none of them absent."""
    metric: Literal["miou", "balanced_accuracy"]
    score: Callable[[NDArray[np.int64]], float]
    """Of counts of pixels int64 [S, V]."""


@dataclass(frozen=True, kw_only=True)
class Lowering:
    """What is asked for beside fp32."""

    precisions: tuple[Precision, ...]
    windows: Sequence[NDArray[np.uint8]]
    """To calibrate int8 on: raw pixels [N, C, H, W] in the bands of the graph."""
    trials: Sequence[Trial]
    nomenclature: str
    stride_px: int


Kept = dict[Precision, dict[str, Faithfulness]]
"""Of each graph that was kept, by domain, how near it is to fp32."""


def graph_name(precision: Precision) -> str:
    """The file of a graph in an artefact."""
    return "model.onnx" if precision == "fp32" else f"model.{precision}.onnx"


def lower(place: Path, lowering: Lowering) -> Kept:
    """Write the graphs asked for beside the fp32 graph; one that is not near enough is removed again.

    Args:
        place: Folder with the fp32 graph.
        lowering: What is asked for.

    Returns:
        What was kept. Of what was not, the log says why.
    """
    kept: Kept = {}
    for precision in lowering.precisions:
        path = place / graph_name(precision)
        for write in _ways(precision, lowering):
            try:
                write(place / graph_name("fp32"), path)
            except NothingToLower as error:
                log.warning("no %s graph: %s", precision, error)
                break
            figures = measure(place / graph_name("fp32"), path, lowering)
            reason = why_refused(figures)
            if reason is None:
                log.info("%s: %s", precision, figures)
                kept[precision] = figures
                break
            path.unlink()
            log.warning("%s graph not kept: %s", precision, reason)
    return kept


def _ways(precision: Precision, lowering: Lowering) -> tuple[Callable[[Path, Path], None], ...]:
    """How to write a graph of a precision, the fastest first."""
    if precision != "int8":
        return (write_fp16,)
    whole = partial(write_int8, windows=lowering.windows, input_name="image")
    return whole, partial(whole, first_in_float=True)


def measure(graph: Path, lowered: Path, lowering: Lowering) -> dict[str, Faithfulness]:
    """How near a graph is to the fp32 graph, by domain."""
    num_classes = len(get_nomenclature(lowering.nomenclature).classes)
    first, second = (graph_predictor(path, stride_px=lowering.stride_px) for path in (graph, lowered))
    figures = {}
    for trial in lowering.trials:
        counts = np.zeros((2, len(trial.source.sets), num_classes), dtype=np.int64)
        num_same = num_px = 0
        for image_CHW, labels_HW in zip(trial.source.images, trial.source.labels, strict=True):
            answers = first(image_CHW), second(image_CHW)
            num_same += int(np.count_nonzero(answers[0] == answers[1]))
            num_px += labels_HW.size
            is_labelled_HW = labels_HW != IGNORED
            rows = labels_HW[is_labelled_HW].astype(np.int64) * num_classes
            for which, classes_HW in enumerate(answers):
                pairs = np.bincount(rows + classes_HW[is_labelled_HW], minlength=counts[which].size)
                counts[which] += pairs.reshape(counts[which].shape)
        fp32_score, score = (round(trial.score(counts_SV), 4) for counts_SV in counts)
        figures[trial.domain] = Faithfulness(
            num_pixels=num_px,
            agreement=round(num_same / num_px, 5),
            metric=trial.metric,
            score=score,
            fp32_score=fp32_score,
        )
    return figures


def why_refused(figures: Mapping[str, Faithfulness]) -> str | None:
    """Why a graph is not kept, or None if it is."""
    if not figures:
        return "there is nothing to judge it on"
    for domain, each in figures.items():
        # Written so that a figure that is no number is not taken for a good one.
        if not each.agreement >= MIN_AGREEMENT:
            return f"{domain}: {each.agreement:.2%} of pixels are as in fp32, {MIN_AGREEMENT:.0%} are needed"
        if not round(each.fp32_score - each.score, 4) <= MAX_LOSS:  # as they are told
            return (
                f"{domain}: {each.metric} falls from {each.fp32_score:.4f} to {each.score:.4f}, by more than"
                f" {MAX_LOSS}"
            )
    return None


def graph_predictor(graph: Path, *, stride_px: int) -> Predict:
    """Predict with a graph on the CPU: raw pixels uint8 [C, H, W] of any size to class values [H, W].

    What is missing to the stride is mirrored at the right and at the bottom, as the service does.
    """
    import onnxruntime  # noqa: PLC0415 - after the variable above

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])

    def predict(image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = image_CHW.shape[1:]
        padding = ((0, 0), (0, -height % stride_px), (0, -width % stride_px))
        padded_CHW = np.pad(image_CHW, padding, mode="reflect")
        (classes_NHW,) = session.run(["classes"], {"image": padded_CHW[None]})
        classes_HW: NDArray[np.uint8] = classes_NHW[0, :height, :width]
        return classes_HW

    return predict

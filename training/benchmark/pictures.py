"""Predictions as pictures: labels as they are for whoever scores them, coloured ones to look at.

Axes: H and W pixels, K channels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from training.benchmark.runs import new_network
from training.evaluate import raw_logits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.benchmark.case import Case
    from training.benchmark.runs import Budget, Run
    from training.networks.compact import CompactUNet

COLOURS = np.array(
    [(60, 16, 152), (132, 41, 246), (110, 193, 228), (254, 221, 58), (226, 169, 41), (155, 155, 155)],
    dtype=np.uint8,
)
"""Dubai's own: building, land, road, vegetation, water; the last for what has no label."""
_SHEET_SIDE_PX = 360


def load(run: Run, case: Case, budget: Budget, *, folder: Path) -> CompactUNet:
    """The network that a run left.

    Raises:
        FileNotFoundError: The run has not ended.
    """
    network = new_network(case, budget)
    network.load_state_dict(torch.load(folder / f"{run.name}.pt", weights_only=True))
    return network.eval()


def predict(network: CompactUNet, image_CHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels uint8 [H, W], at the size of the image."""
    labels_HW: NDArray[np.uint8] = raw_logits(network, image_CHW).argmax(dim=0).numpy().astype(np.uint8)
    return labels_HW


def write_predictions(network: CompactUNet, case: Case, *, names: Sequence[str], out: Path) -> list[Path]:
    """A PNG of labels for each test image: grey levels are positions of labels, nothing is scaled.

    Returns:
        The files, in the order of the images.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{name}.png" for name in names]
    for path, image_CHW in zip(paths, case.test.images, strict=True):
        Image.fromarray(predict(network, image_CHW), mode="L").save(path, optimize=True)
    return paths


def sheet(
    case: Case, networks: Sequence[CompactUNet], *, numbers: Sequence[int], has_truth: bool = True
) -> Image.Image:
    """Images side by side, a row each: pixels, truth if there is one, then what each network says."""
    rows = []
    for number in numbers:
        image_CHW, labels_HW = case.test.images[number], case.test.labels[number]
        tiles = [image_CHW[:3].transpose(1, 2, 0)]
        if has_truth:
            tiles.append(COLOURS[np.minimum(labels_HW, len(COLOURS) - 1)])
        tiles += [COLOURS[predict(network, image_CHW)] for network in networks]
        rows.append(np.concatenate([_square(tile) for tile in tiles], axis=1))
    return Image.fromarray(np.concatenate(rows, axis=0))


def _square(picture_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    side_px = min(picture_HWC.shape[:2])
    cut = Image.fromarray(np.ascontiguousarray(picture_HWC[:side_px, :side_px]))
    return np.asarray(cut.resize((_SHEET_SIDE_PX, _SHEET_SIDE_PX), Image.Resampling.NEAREST))

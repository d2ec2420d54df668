"""Artefacts on real domains that training never saw, beside a classifier that sees one pixel at a time.

``python -m benchmarks.held_out mixed_compact compact-rgbi landscapes-compact-rgbi --data dubai=FOLDER ...``
holds out what the recipe holds out, and prints the balanced accuracy of each artefact and of the classifier
on every such domain. Classes are judged as in ``training.judging``; the classifier tells coarse labels
themselves, which is easier for it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.markdown import table
from training.data.samples import IGNORED
from training.judging import CoarseScore, score
from training.networks.loading import load_network
from training.runfolder import find_recipe, read_real
from training.scoring import score_real

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.data.sources import Source

LEVELS = 16
"""Grey levels of a band that the classifier tells apart."""
SMOOTHING = 1.0
"""Pixels of every label that each colour is thought to have been seen with beforehand."""


def pixel_classifier(train: Source) -> NDArray[np.int64]:
    """The likeliest label of each colour, where all labels are as frequent as one another.

    Args:
        train: What it learns from.

    Returns:
        Label of each colour, [LEVELS ** C]; see `colours`.
    """
    num_bands = len(train.images[0]) - len(train.absent)
    counts_SX = np.zeros((len(train.sets), LEVELS**num_bands))
    for image_CHW, labels_HW in zip(train.images, train.labels, strict=True):
        is_labelled_HW = labels_HW != IGNORED
        colours_P = colours(image_CHW, absent=train.absent)[is_labelled_HW]
        np.add.at(counts_SX, (labels_HW[is_labelled_HW], colours_P), 1)
    has_pixels_S = counts_SX.any(axis=1)
    likelihood_SX = (counts_SX + SMOOTHING) / (counts_SX + SMOOTHING).sum(axis=1, keepdims=True)
    label_X: NDArray[np.int64] = np.where(has_pixels_S[:, None], likelihood_SX, 0).argmax(axis=0)
    return label_X


def colours(image_CHW: NDArray[np.uint8], *, absent: Sequence[int]) -> NDArray[np.int64]:
    """The number of each pixel's colour, [H, W]."""
    here = [band for number, band in enumerate(image_CHW) if number not in absent]
    number_HW = np.zeros(image_CHW.shape[1:], dtype=np.int64)
    for band_HW in here:
        number_HW = number_HW * LEVELS + band_HW // (256 // LEVELS)
    return number_HW


def judge_classifier(train: Source, judged: Source) -> CoarseScore:
    """How good the classifier is on what is held out."""
    label_X = pixel_classifier(train)
    num_labels = len(train.sets)
    counts_SS = np.zeros((num_labels, num_labels), dtype=np.int64)
    for image_CHW, labels_HW in zip(judged.images, judged.labels, strict=True):
        is_labelled_HW = labels_HW != IGNORED
        told_P = label_X[colours(image_CHW, absent=judged.absent)[is_labelled_HW]]
        np.add.at(counts_SS, (labels_HW[is_labelled_HW], told_P), 1)
    return score(counts_SS, np.arange(num_labels), judged.sets)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help="whose held-out domains are judged")
    parser.add_argument("artefacts", nargs="*", help="ids of artefacts that carry weights")
    parser.add_argument("--data", action="append", default=[], metavar="NAME=FOLDER")
    arguments = parser.parse_args()
    recipe = find_recipe(arguments.recipe)
    folders = {name: Path(folder) for name, _, folder in (word.partition("=") for word in arguments.data)}
    real = read_real(recipe, folders)
    scores = {
        key: score_real(load_network(key, channels=recipe.channels, bands=recipe.bands), recipe, real)
        for key in arguments.artefacts
    }
    scores["one pixel at a time"] = {
        domain: judge_classifier(train, judged.of_domains({domain}))
        for train, judged in real.values()
        for domain in sorted(set(judged.domains))
    }
    rows = [
        [
            domain,
            who,
            f"{each.balanced_accuracy:.3f}",
            ", ".join(f"{k} {v:.2f}" for k, v in each.recall.items()),
        ]
        for who, by_domain in scores.items()
        for domain, each in by_domain.items()
    ]
    rows.sort(key=lambda row: row[0])
    print(table(["domain", "who", "balanced accuracy", "recalls"], rows))


if __name__ == "__main__":
    main()

"""FLAIR #1: 77 412 aerial patches of 50 domains; ten domains are the test.

Licence Ouverte 2.0. Reference: Garioud et al. 2022, arXiv:2211.12979.
"""

from collections.abc import Mapping
from pathlib import Path

from training.data.flair_aerial import BANDS, Part, find_samples, keep_listed, read_sample
from training.data.samples import Sample, Split

__all__ = ["BANDS", "load_flair1", "read_sample"]

_PARTS = (
    Part(split="train", images="flair_aerial_train", labels="flair_labels_train"),
    Part(split="test", images="flair_1_aerial_test", labels="flair_1_labels_test"),
    Part(split="train", images="flair_1_toy_aerial_train", labels="flair_1_toy_labels_train"),
    Part(split="test", images="flair_1_toy_aerial_test", labels="flair_1_toy_labels_test"),
    Part(split="train", images="data/train-val", labels="data/train-val"),
    Part(split="test", images="data/flair#1-test", labels="data/flair#1-test"),
)


def load_flair1(root: Path, *, lists: Mapping[Split, Path] | None = None) -> tuple[Sample, ...]:
    """The samples of FLAIR #1 in its published parts: whole domains each.

    Args:
        root: Folder that the archives were unpacked into.
        lists: Published lists of paths (``flair-1-paths-val.csv``), where they shall decide the parts.

    Raises:
        DataError: As its subclasses name.
    """
    samples = find_samples(root, _PARTS, data_set="FLAIR #1")
    return keep_listed(samples, lists) if lists else samples

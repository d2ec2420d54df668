"""FLAIR #2, its aerial part: the training patches of FLAIR #1 and a test of other domains.

The reference code draws its validation domains anew at each start; here they are those of FLAIR #1, so that
figures can be compared. Licence Ouverte 2.0. Reference: Garioud et al. 2023, arXiv:2305.14467.
"""

from pathlib import Path

from training.data.flair_aerial import BANDS, Part, find_samples, read_sample
from training.data.samples import Sample

__all__ = ["BANDS", "load_flair2", "read_sample"]

_PARTS = (
    Part(split="train", images="flair_aerial_train", labels="flair_labels_train"),
    Part(split="test", images="flair_2_aerial_test", labels="flair_2_labels_test"),
    Part(split="train", images="flair_2_toy_aerial_train", labels="flair_2_toy_labels_train"),
    Part(split="test", images="flair_2_toy_aerial_test", labels="flair_2_toy_labels_test"),
    Part(split="train", images="data/train-val", labels="data/train-val"),
    Part(split="test", images="data/flair#2-test", labels="data/flair#2-test"),
)


def load_flair2(root: Path) -> tuple[Sample, ...]:
    """The aerial samples of FLAIR #2 in its published parts.

    Args:
        root: Folder that the archives were unpacked into.

    Raises:
        DataError: As its subclasses name.
    """
    return find_samples(root, _PARTS, data_set="FLAIR #2")

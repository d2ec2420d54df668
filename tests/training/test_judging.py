"""Fine classes count as the coarse label that they stood for elsewhere, and no judged domain is looked at."""

import dataclasses

import numpy as np
import pytest
from toys import toy_coarse, toy_scenes

from training.data.label_sets import label_sets
from training.judging import assign, assigned, count, score

SETS = label_sets(built=(0, 3), paved=(3, 4), water=(6,))
COUNTS = np.zeros((3, 16), dtype=np.int64)
COUNTS[0, [0, 3]] = 80, 20
COUNTS[1, [3, 4, 0]] = 500, 400, 100
COUNTS[2, 6] = 50


def test_a_class_stands_for_the_label_that_it_is_the_larger_share_of():
    assigned = assign(COUNTS, SETS)
    assert assigned[[0, 3, 4, 6]].tolist() == [0, 1, 1, 2]
    assert (np.delete(assigned, [0, 3, 4, 6]) == -1).all(), "what is in no set stands for nothing"


def test_balanced_accuracy_is_the_mean_of_recalls():
    found = score(COUNTS, assign(COUNTS, SETS), SETS)
    assert found.recall == pytest.approx({"built": 0.8, "paved": 0.9, "water": 1.0})
    assert found.balanced_accuracy == pytest.approx(0.9)
    assert found.accuracy == pytest.approx((80 + 20 + 500 + 400 + 50) / 1150)


def test_labels_that_hardly_occur_are_named_and_enter_no_mean():
    rare = COUNTS.copy()
    rare[2] = 0
    rare[2, 6] = 3
    found = score(rare, assign(COUNTS, SETS), SETS)
    assert found.absent == ("water",)
    assert set(found.recall) == {"built", "paved"}


def test_unlabelled_pixels_are_not_counted():
    source = toy_coarse(num_images=1)
    source.labels[0][:10] = 255
    counted = count(source, lambda image_CHW: np.full(image_CHW.shape[1:], 6, np.uint8), num_classes=16)
    assert counted.sum() == counted[:, 6].sum() == source.labels[0][10:].size


def test_a_network_is_not_asked_where_no_class_is_in_two_sets():
    plain = toy_scenes().as_source()
    told = assigned(plain, lambda _: pytest.fail("nothing is to be told"), num_classes=16)
    assert told.tolist() == list(range(16))
    both = dataclasses.replace(toy_coarse(), sets=label_sets(building=(0, 3), rest=(3, 12)))
    asked = assigned(both, lambda image_CHW: np.where(image_CHW[0] > 99, 3, 0), num_classes=16)
    assert asked[[0, 3, 12]].tolist() == [0, 1, 1]

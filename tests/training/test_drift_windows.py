"""Domains may be of thousands of images that are decoded when asked for: what looks at them keeps none."""

import weakref
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from toys import toy_coarse

from models.drift import NUM_WINDOWS, Look
from training.drift import windows_of_domain
from training.outcomes import _spread

NUM_IMAGES = 2 * NUM_WINDOWS + 5


class Drawn(Sequence):
    """Images that are there while somebody holds them."""

    def __init__(self):
        self.alive, self.most_alive = weakref.WeakValueDictionary(), 0

    def __len__(self):
        return NUM_IMAGES

    def __getitem__(self, index):
        if index >= NUM_IMAGES:
            raise IndexError
        image_CHW = np.random.default_rng(index).integers(256, size=(3, 20, 24), dtype=np.uint8)
        self.alive[index] = image_CHW
        self.most_alive = max(self.most_alive, len(self.alive))
        return image_CHW


def large():
    return replace(toy_coarse(), images=Drawn(), domains=("place",) * NUM_IMAGES)


def test_a_domain_is_looked_at_image_by_image():
    source = large()
    look = Look.at(windows_of_domain(source))
    assert source.images.most_alive <= 4
    whole = Look.at(list(windows_of_domain(large())))
    assert np.array_equal(look.shares_CV, whole.shares_CV)
    assert np.array_equal(look.log_gradient_C, whole.log_gradient_C)


def test_windows_that_are_mapped_are_spread_over_the_domain_and_not_kept():
    source = large()
    firsts = [int(image_CHW[0, 0, 0]) for image_CHW, _ in _spread(source)]
    assert source.images.most_alive <= 4
    assert firsts == [int(image_CHW[0, 0, 0]) for image_CHW, _ in list(windows_of_domain(large()))[::3]]
    assert len(firsts) <= NUM_WINDOWS

"""Domains may be of thousands of images that are decoded when asked for: what looks at them keeps none."""

import weakref
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from toys import toy_coarse

from models.drift import NUM_WINDOWS, Look
from training.drift import windows_of_domain
from training.outcomes import _spread
from training.trials import _in_bands, _windows

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


def test_what_has_no_data_is_no_look_of_a_domain():
    rng = np.random.default_rng(0)
    whole_CHW = rng.integers(1, 256, size=(4, 300, 300), dtype=np.uint8)
    collared_CHW = np.concatenate([np.zeros_like(whole_CHW), whole_CHW], axis=2)
    absent_CHW = whole_CHW.copy()
    absent_CHW[3] = 0
    looks = [
        Look.at(windows_of_domain(replace(toy_coarse(), images=[image_CHW], domains=("place",))))
        for image_CHW in (whole_CHW, collared_CHW, absent_CHW)
    ]
    assert looks[1].shares_CV[:, 0].max() == 0
    assert np.abs(looks[1].shares_CV - looks[0].shares_CV).max() < 0.002
    assert looks[2].shares_CV[3, 0] == 1


def test_graphs_are_calibrated_on_a_source_that_is_never_held_whole():
    source = _in_bands(large(), [2, 0])
    images = source.images._arrays
    windows = list(_windows(source))
    assert len(windows) == 64
    assert windows[3].shape[:2] == (1, 2)
    assert images.most_alive <= 2

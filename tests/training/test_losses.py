"""The loss: what it ignores, how it weighs."""

import numpy as np
import torch

from training.losses import class_weights, cross_entropy, half_resolution_cross_entropy


def test_weights_have_mean_one_over_pixels():
    frequencies = np.array([0.9, 0.1, 0.0])
    for power in (0.0, 0.25, 1.0):
        weights = class_weights(frequencies, power=power).numpy()
        assert np.isclose((weights * frequencies).sum(), 1)
        assert weights[2] == 0
    assert np.allclose(class_weights(frequencies, power=0.0)[:2], 1)
    equal = class_weights(frequencies, power=1.0).numpy() * frequencies
    assert np.isclose(equal[0], equal[1])


def test_ignored_pixels_teach_nothing():
    logits_NKHW = torch.randn(1, 3, 2, 2, requires_grad=True)
    channels_NHW = torch.tensor([[[0, 255], [255, 255]]])
    cross_entropy(logits_NKHW, channels_NHW, weight_K=torch.ones(3)).backward()
    assert logits_NKHW.grad[0, :, 0, 0].abs().sum() > 0
    assert logits_NKHW.grad[0, :, 1].abs().sum() == 0
    assert logits_NKHW.grad[0, :, 0, 1].abs().sum() == 0


def test_the_cheap_loss_is_the_cross_entropy_of_every_second_row():
    sub_pixels = torch.randn(2, 3 * 4, 4, 6)
    channels_NHW = torch.randint(0, 3, (2, 8, 12))
    channels_NHW[:, 1] = 255
    logits_NKHW = torch.nn.functional.pixel_shuffle(sub_pixels, 2)
    weight_K = torch.tensor([1.0, 2.0, 0.5])
    for row in (0, 1):
        cheap = half_resolution_cross_entropy(sub_pixels, channels_NHW, weight_K=weight_K, odd_rows=bool(row))
        whole = cross_entropy(logits_NKHW[:, :, row::2], channels_NHW[:, row::2], weight_K=weight_K)
        assert torch.isclose(cheap, whole)

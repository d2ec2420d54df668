"""What the losses ignore, how they weigh, and what they hear of classes inside a set."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from training.losses import class_weights, every_second_row, partial_label_loss, within_set_loss

ONE_EACH = torch.eye(3, dtype=torch.bool)
PAIR_AND_ONE = torch.tensor([[True, True, False], [False, False, True]])


def test_weights_have_mean_one_over_pixels():
    frequencies = np.array([0.9, 0.1, 0.0])
    for power in (0.0, 0.25, 1.0):
        weights = class_weights(frequencies, power=power).numpy()
        assert np.isclose((weights * frequencies).sum(), 1)
        assert weights[2] == 0
    assert np.allclose(class_weights(frequencies, power=0.0)[:2], 1)
    equal = class_weights(frequencies, power=1.0).numpy() * frequencies
    assert np.isclose(equal[0], equal[1])


def test_weighed_single_classes_are_the_weighed_cross_entropy():
    logits_PK, labels_P = torch.randn(40, 3), torch.randint(0, 3, (40,))
    labels_P[:5] = 255
    weight_S = torch.tensor([1.0, 2.0, 0.5])
    found = partial_label_loss(logits_PK, labels_P, members_SK=ONE_EACH, weight_S=weight_S)
    torch.testing.assert_close(found, F.cross_entropy(logits_PK, labels_P, weight=weight_S, ignore_index=255))


def test_every_second_row_is_that_of_the_shuffled_logits():
    sub_pixels, labels_NHW = torch.randn(2, 3 * 4, 4, 6), torch.randint(0, 3, (2, 8, 12))
    logits_NKHW = F.pixel_shuffle(sub_pixels, 2)
    for row in (0, 1):
        logits_PK, labels_P = every_second_row(sub_pixels, labels_NHW, odd=bool(row))
        assert torch.equal(logits_PK, logits_NKHW[:, :, row::2].movedim(1, -1).reshape(-1, 3))
        assert torch.equal(labels_P, labels_NHW[:, row::2].reshape(-1))


def within(logits_PK, told_PK, sets, **options):
    options = {"members_SK": PAIR_AND_ONE, "min_probability": 0.5} | options
    return within_set_loss(logits_PK, told_PK, torch.tensor(sets), **options)


def test_inside_a_set_the_other_network_is_believed():
    logits_PK = torch.tensor([[0.3, -0.2, 5.0]], requires_grad=True)
    told_PK = torch.tensor([[2.0, -1.0, 9.0]])
    loss = within(logits_PK, told_PK, [0])
    assert loss.item() == pytest.approx(F.cross_entropy(logits_PK[:, :2], torch.tensor([0])).item())
    loss.backward()
    assert logits_PK.grad[0, 2] == 0, "what is outside the set is the label's business"


@pytest.mark.parametrize(
    ("told", "sets"),
    [([[0.1, 0.0, 0.0]], [0]), ([[5.0, 0.0, 0.0]], [1]), ([[5.0, 0.0, 0.0]], [255])],
    ids=["not sure", "a set of one", "no label"],
)
def test_elsewhere_it_is_not_heard(told, sets):
    logits_PK = torch.randn(1, 3, requires_grad=True)
    loss = within(logits_PK, torch.tensor(told), sets, min_probability=0.6)
    loss.backward()
    assert loss.item() == 0
    assert (logits_PK.grad == 0).all()


def test_the_network_that_tells_learns_nothing():
    told_PK = torch.randn(4, 3, requires_grad=True)
    within(torch.randn(4, 3, requires_grad=True), told_PK, [0, 0, 1, 0], min_probability=0.0).backward()
    assert told_PK.grad is None

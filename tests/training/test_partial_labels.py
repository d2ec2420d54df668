"""The partial-label loss is exact where it can be: single classes, all classes, and in between."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation

from models.nomenclature import COSIA
from training.data import dubai, naip_chesapeake
from training.data.label_sets import LabelSet, LabelSets, exact_sets, label_sets
from training.losses import partial_label_loss

CHANNELS = tuple(land_cover.value for land_cover in COSIA.classes)


def members_of(sets, channels=CHANNELS):
    return torch.from_numpy(sets.members(channels))


def draw(num_channels=16, *, shape=(2, 5, 7), num_sets=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(shape[0], num_channels, *shape[1:], generator=generator)
    return logits, torch.randint(0, num_sets, shape, generator=generator)


def test_single_classes_are_the_cross_entropy():
    logits, labels = draw()
    labels[0, 0] = 255
    partial = partial_label_loss(logits, labels, members_SK=members_of(exact_sets()))
    torch.testing.assert_close(partial, F.cross_entropy(logits, labels, ignore_index=255), rtol=1e-6, atol=0)


def test_a_set_of_all_classes_is_exactly_zero_and_pulls_nowhere():
    logits, labels = draw(num_sets=1)
    logits.requires_grad_()
    loss = partial_label_loss(logits, labels, members_SK=torch.ones(1, 16, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert (logits.grad == 0).all()


def test_it_is_minus_the_log_of_the_set_s_probability():
    logits, labels = draw(num_sets=len(dubai.SETS))
    members = members_of(dubai.SETS)
    probability = torch.softmax(logits.double(), dim=1)
    of_set = (probability.movedim(1, -1) * members[labels]).sum(dim=-1)
    wanted = -of_set.log().mean()
    assert partial_label_loss(logits, labels, members_SK=members).item() == pytest.approx(
        wanted.item(), rel=1e-6
    )


def test_it_computes_in_fp32_whatever_comes():
    logits, labels = draw(num_sets=len(naip_chesapeake.SETS))
    logits = (40 * logits).bfloat16()
    members = members_of(naip_chesapeake.SETS)
    loss = partial_label_loss(logits, labels, members_SK=members)
    assert loss.dtype == torch.float32
    assert loss == partial_label_loss(logits.float(), labels, members_SK=members)


def test_pixels_without_label_change_nothing():
    logits, labels = draw(num_sets=3)
    members = members_of(dubai.SETS)
    labels[1] = 255
    logits.requires_grad_()
    loss = partial_label_loss(logits, labels, members_SK=members)
    torch.testing.assert_close(loss, partial_label_loss(logits[:1], labels[:1], members_SK=members))
    loss.backward()
    assert (logits.grad[1] == 0).all()
    assert logits.grad.isfinite().all()
    nothing = partial_label_loss(logits, torch.full_like(labels, 255), members_SK=members)
    assert nothing.item() == 0


def test_a_larger_set_never_costs_more():
    logits, labels = draw(num_sets=1)
    small = torch.zeros(1, 16, dtype=torch.bool)
    losses = []
    for channel in range(16):
        small[0, channel] = True
        losses.append(partial_label_loss(logits, labels, members_SK=small).item())
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] == 0


def test_members_follow_the_live_channels_of_a_head():
    live = (12, 0, 6)
    members_SK = label_sets(tree=(12, 13), built=(0, 1), all=CHANNELS).members(live)
    assert members_SK.tolist() == [[True, False, False], [False, True, False], [True, True, True]]
    with pytest.raises(ValueError, match="is in land, road"):
        dubai.SETS.members(live)
    assert exact_sets().members(CHANNELS).tolist() == np.eye(16, dtype=bool).tolist()


@pytest.mark.parametrize("values", [(), (16,), (0, 255)])
def test_sets_of_nothing_or_of_no_class_are_refused(values):
    with pytest.raises(ValueError, match="ghost"):
        LabelSets(sets=(LabelSet(name="ghost", values=frozenset(values)),))


def test_with_shares_it_is_the_likelihood_of_the_label():
    logits, labels = draw(num_sets=len(dubai.SETS))
    shares = torch.from_numpy(dubai.SETS.shares(CHANNELS))
    probability = torch.softmax(logits.double(), dim=1).movedim(1, -1)
    wanted = -(probability * shares[labels].double()).sum(dim=-1).log().mean()
    found = partial_label_loss(logits, labels, members_SK=shares).item()
    assert found == pytest.approx(wanted.item(), rel=1e-6)


@pytest.mark.parametrize("sets", [dubai.SETS, naip_chesapeake.SETS], ids=["dubai", "naip"])
def test_no_class_answers_every_label_of_a_data_set(sets):
    shares_SK = sets.shares(CHANNELS)
    assert ((shares_SK > 0) == sets.members(CHANNELS)).all()
    in_several_K = (shares_SK > 0).sum(axis=0) > 1
    assert (shares_SK.sum(axis=0)[in_several_K] <= 1.1).all(), "shares of one ground"


def test_shares_of_one_leave_the_loss_of_sets_bit_for_bit():
    logits, labels = draw(num_sets=len(dubai.SETS))
    members = members_of(dubai.SETS)
    of_members = partial_label_loss(logits, labels, members_SK=members)
    assert torch.equal(of_members, partial_label_loss(logits, labels, members_SK=members.float()))
    masked = logits.movedim(1, -1).masked_fill(~members[labels], -torch.inf)
    wanted = (logits.logsumexp(dim=1) - masked.logsumexp(dim=-1)).mean()
    torch.testing.assert_close(of_members, wanted)


def test_shares_outside_zero_to_one_are_refused():
    with pytest.raises(ValueError, match="not of 0 to 1"):
        label_sets(road={3: 1.2})

"""CORAL, IRM and group DRO: zero where they must be, and pulling where they should."""

from dataclasses import replace

import pytest
import torch
from toy_domains import new_network, toy_problem, toy_step

from training.adaptation.coral import CoralOfDomains, DeepCoral, coral_loss, covariance
from training.adaptation.domains import domain_means
from training.adaptation.groupdro import GroupDRO
from training.adaptation.irm import InvariantRisk, irm_penalty, scale_slopes
from training.losses import pixel_losses


def values(num_positions=200, num_features=6, *, seed=0):
    return torch.randn(num_positions, num_features, generator=torch.Generator().manual_seed(seed))


def test_coral_is_zero_on_equal_moments():
    first_PF = values()
    assert coral_loss(first_PF, first_PF) == 0
    assert coral_loss(first_PF, first_PF.flip(0) + 3.0) < 1e-12


def test_coral_is_the_papers_formula():
    first_PF, second_PF = values(), 2 * values(150, seed=1)
    num_features = first_PF.shape[1]
    ones_P = torch.ones(1, len(first_PF))
    by_paper = (first_PF.T @ first_PF - (ones_P @ first_PF).T @ (ones_P @ first_PF) / len(first_PF)) / (
        len(first_PF) - 1
    )
    torch.testing.assert_close(covariance(first_PF), by_paper)
    gap = torch.linalg.matrix_norm(covariance(first_PF) - covariance(second_PF))
    torch.testing.assert_close(coral_loss(first_PF, second_PF), gap**2 / (4 * num_features**2))


def test_covariances_stay_float32_under_mixed_precision():
    first_PF = values()
    with torch.autocast("cpu", torch.bfloat16):
        inside = covariance(first_PF)
    assert torch.equal(inside, covariance(first_PF))


def test_coral_pulls_features_of_source_and_target_together():
    network = new_network()
    step = toy_step(network)
    loss = DeepCoral().term(step)
    loss.backward()
    assert loss > 0
    assert network.stem[0].weight.grad.abs().sum() > 0
    assert network.head.weight.grad is None


def test_coral_of_domains_compares_the_sources_own():
    step = toy_step(new_network(), num_samples=6)
    assert len(step.source.samples.domain_N.unique()) == 2
    assert CoralOfDomains().term(step) > 0
    one = replace(step.source.samples, domain_N=torch.zeros(6, dtype=torch.int64))
    assert CoralOfDomains().term(replace(step, source=replace(step.source, samples=one))) == 0


def test_means_are_those_of_the_domains_present():
    number_D, mean_D = domain_means(torch.tensor([1.0, 2.0, 6.0]), torch.tensor([4, 2, 4]))
    assert number_D.tolist() == [2, 4]
    assert mean_D.tolist() == [2.0, 3.5]
    number_D, mean_D = domain_means(torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    assert len(number_D) == len(mean_D) == 0


def logits_and_labels(num_pixels=300, num_channels=5, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits_PK = 3 * torch.randn(num_pixels, num_channels, generator=generator)
    labels_P = torch.randint(num_channels - 1, (num_pixels,), generator=generator)
    members_SK = torch.eye(num_channels, dtype=torch.bool)[:-1]
    members_SK[0, -1] = True  # a coarse label, of two channels
    return logits_PK, labels_P, members_SK


def test_the_slope_is_the_derivative_of_the_loss_by_a_scale_of_the_logits():
    logits_PK, labels_P, members_SK = logits_and_labels()
    scale = torch.ones(len(logits_PK), 1, requires_grad=True)
    pixel_losses(scale * logits_PK, labels_P, members_SK=members_SK).sum().backward()
    slope_P = scale_slopes(logits_PK, labels_P, members_SK=members_SK)
    torch.testing.assert_close(slope_P, scale.grad[:, 0])


def test_the_penalty_is_zero_where_the_scale_is_at_rest():
    logits_PK, _, _ = logits_and_labels()
    generator = torch.Generator().manual_seed(1)
    labels_P = torch.multinomial((logits_PK / 2).softmax(dim=1), 1, generator=generator)[:, 0]
    members_SK, domain_P = torch.eye(5, dtype=torch.bool), torch.zeros_like(labels_P)
    low, high = 0.01, 5.0  # the cross entropy is convex in the scale: its slope rises through zero once
    for _ in range(60):
        middle = (low + high) / 2
        slope = scale_slopes(middle * logits_PK, labels_P, members_SK=members_SK).mean()
        low, high = (middle, high) if slope < 0 else (low, middle)
    assert 0.3 < low < 0.8
    assert irm_penalty(low * logits_PK, labels_P, domain_P, members_SK=members_SK) < 1e-10
    assert irm_penalty(logits_PK, labels_P, domain_P, members_SK=members_SK) > 1e-3


def test_the_penalty_does_not_let_domains_cancel():
    logits_PK = torch.tensor([[2.0, 0.0], [2.0, 0.0]])
    labels_P, members_SK = torch.tensor([0, 1]), torch.eye(2, dtype=torch.bool)
    slopes = scale_slopes(logits_PK, labels_P, members_SK=members_SK)
    assert slopes[0] < 0 < slopes[1]
    apart = irm_penalty(logits_PK, labels_P, torch.tensor([0, 1]), members_SK=members_SK)
    together = irm_penalty(logits_PK, labels_P, torch.tensor([0, 0]), members_SK=members_SK)
    torch.testing.assert_close(apart, (slopes**2).mean())
    assert together < apart


def test_the_penalty_reaches_the_network_and_is_zero_without_pixels():
    network = new_network()
    step = toy_step(network)
    penalty = InvariantRisk().term(step)
    penalty.backward()
    assert penalty > 0
    assert network.stem[0].weight.grad.abs().sum() > 0
    none = replace(step, logits_PK=step.logits_PK[:0], labels_P=step.labels_P[:0], domain_P=step.domain_P[:0])
    assert InvariantRisk().term(none) == 0


def step_with(loss_P, domain_P):
    step = toy_step(new_network(), problem=toy_problem())
    return replace(step, loss_P=torch.tensor(loss_P), domain_P=torch.tensor(domain_P))


def test_weights_move_to_the_worst_domain():
    method = GroupDRO(num_domains=3, step_size=0.1)
    step = step_with([1.0, 1.0, 2.0, 0.5], [0, 0, 1, 2])
    before = method.weights
    torch.testing.assert_close(before, torch.full((3,), 1 / 3))
    for _ in range(3):
        method.term(step)
    assert method.weights.argsort().tolist() == [2, 0, 1]
    expected = torch.exp(0.1 * 3 * torch.tensor([1.0, 2.0, 0.5]))
    torch.testing.assert_close(method.weights, expected / expected.sum())
    for _ in range(200):
        method.term(step)
    assert method.weights[1] > 0.99


def test_the_sum_of_the_loop_is_group_dro_at_weight_one():
    method = GroupDRO(num_domains=2, step_size=0.5)
    step = step_with([1.0, 1.0, 1.0, 3.0], [0, 0, 0, 1])
    total = step.loss_P.mean() + method.term(step)
    torch.testing.assert_close(total, (method.weights * torch.tensor([1.0, 3.0])).sum())


def test_a_domain_that_a_batch_does_not_hold_keeps_its_weight():
    method = GroupDRO(num_domains=3, step_size=0.1)
    term = method.term(step_with([2.0, 2.0], [1, 1]))
    assert term == 0
    ratio = method.weights[0] / method.weights[2]
    torch.testing.assert_close(ratio, torch.tensor(1.0))
    assert method.weights[1] > method.weights[0]


@pytest.mark.parametrize("method", [GroupDRO(num_domains=2), InvariantRisk(), CoralOfDomains()])
def test_no_target_is_asked_for(method):
    assert not method.needs_target

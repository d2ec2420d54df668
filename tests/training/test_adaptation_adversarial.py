"""Adversaries: who is taught what, and with which sign."""

import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812 - torch's own abbreviation
from toy_domains import NUM_CHANNELS, new_network, toy_step

from training.adaptation.adda import DiscriminativeAdaptation
from training.adaptation.advent import AdversarialEntropy, self_information
from training.adaptation.dann import DomainAdversarial, reversal_strength
from training.adaptation.discriminators import domain_loss, of_layouts, of_positions, reverse_gradient
from training.adaptation.method import see, see_target
from training.losses import log_posteriors

METHODS = {
    "dann": lambda _network: DomainAdversarial(num_features=8),
    "advent": lambda _network: AdversarialEntropy(num_channels=NUM_CHANNELS),
    "adda": DiscriminativeAdaptation,
}


def test_a_reversed_gradient_has_the_other_sign_and_the_same_values():
    values = torch.tensor([1.0, -2.0], requires_grad=True)
    reversed_ = reverse_gradient(values, strength=0.25)
    assert torch.equal(reversed_, values)
    (3 * reversed_).sum().backward()
    assert values.grad.tolist() == [-0.75, -0.75]


def test_the_strength_rises_from_zero_to_nearly_one():
    assert reversal_strength(0.0, steepness=10) == 0
    assert reversal_strength(1.0, steepness=10) == pytest.approx(1, abs=1e-4)
    assert reversal_strength(0.1, steepness=10) == pytest.approx(math.tanh(0.5))


def gradients(method, *, progress=1.0):
    """What a term does to the network's encoder and to its discriminator, one loss for both."""
    network = new_network()
    method = method(network)
    step = toy_step(network, progress=progress)
    method.term(step).backward()
    return network, method


def test_the_network_climbs_the_loss_that_the_discriminator_descends():
    network, method = gradients(METHODS["dann"])
    honest = new_network()
    step = toy_step(honest)
    loss = (
        domain_loss(method.discriminator(step.source.features[-1]), is_source=True)
        + domain_loss(method.discriminator(see_target(step).features[-1]), is_source=False)
    ) / 2
    own = list(method.discriminator.parameters())
    of_own = torch.autograd.grad(loss, own, retain_graph=True)
    of_network = torch.autograd.grad(loss, list(honest.stem.parameters()))
    strength = reversal_strength(1.0, steepness=10)
    for parameter, gradient in zip(own, of_own, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    for parameter, gradient in zip(network.stem.parameters(), of_network, strict=True):
        torch.testing.assert_close(parameter.grad, -strength * gradient)
    assert network.head.weight.grad is None


@pytest.mark.parametrize("name", METHODS)
def test_the_discriminator_learns_and_so_does_the_encoder(name):
    network, method = gradients(METHODS[name])
    assert all(parameter.grad.abs().sum() > 0 for parameter in method.parameters())
    assert network.stem[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", METHODS)
def test_a_discriminators_weights_are_its_seeds_and_leave_chance_alone(name):
    network = new_network()
    torch.manual_seed(5)
    first = METHODS[name](network).discriminator.state_dict()
    after = torch.rand(())
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(()))
    second = METHODS[name](network).discriminator.state_dict()
    assert all(torch.equal(value, second[key]) for key, value in first.items())


def test_discriminators_answer_for_places():
    assert of_positions(8)(torch.zeros(2, 8, 3, 5)).shape == (2, 1, 3, 5)
    assert of_layouts(16)(torch.zeros(2, 16, 32, 64)).shape == (2, 1, 4, 8)


def test_self_information_sums_to_the_normalised_entropy():
    sub_pixels = torch.randn(2, 4 * NUM_CHANNELS, 6, 6, generator=torch.Generator().manual_seed(0))
    p_NKHW = F.pixel_shuffle(sub_pixels, 2).softmax(dim=1)
    entropy_NHW = -(p_NKHW * p_NKHW.log()).sum(dim=1) / math.log(NUM_CHANNELS)
    expected = F.avg_pool2d(entropy_NHW, 2)
    torch.testing.assert_close(self_information(sub_pixels).sum(dim=1), expected)
    alike = self_information(torch.zeros(1, 4 * NUM_CHANNELS, 2, 2)).sum(dim=1)
    torch.testing.assert_close(alike, torch.ones_like(alike))
    sure = torch.zeros(1, NUM_CHANNELS, 4, 2, 2)
    sure[:, 3] = 500.0
    assert (self_information(sure.flatten(1, 2)) == 0).all()


def test_posteriors_of_sub_pixels_are_those_of_pixels():
    sub_pixels = torch.randn(1, 4 * NUM_CHANNELS, 3, 3, generator=torch.Generator().manual_seed(0))
    by_pixel = F.pixel_shuffle(sub_pixels, 2).log_softmax(dim=1)
    shuffled = F.pixel_shuffle(log_posteriors(sub_pixels).flatten(1, 2), 2)
    torch.testing.assert_close(shuffled, by_pixel)


def test_maps_of_the_source_teach_the_discriminator_only():
    network = new_network()
    step = toy_step(network)
    step.source.sub_pixels_NQhw.retain_grad()
    AdversarialEntropy(num_channels=NUM_CHANNELS).term(step).backward()
    assert step.source.sub_pixels_NQhw.grad is None


def test_the_network_climbs_what_the_discriminator_of_advent_says_of_the_target():
    network, method = gradients(METHODS["advent"])
    honest = new_network()
    maps = self_information(see_target(toy_step(honest)).sub_pixels_NQhw)
    (domain_loss(method.discriminator(maps), is_source=False) / 2).backward()
    for parameter, other in zip(network.parameters(), honest.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, -other.grad, rtol=1e-3, atol=1e-7)


def test_the_encoder_of_adda_descends_on_the_inverted_label():
    network = new_network()
    method = DiscriminativeAdaptation(network)
    step = toy_step(network)
    method.term(step).backward()
    other = new_network()
    again = toy_step(other)
    with torch.no_grad():
        of_source = see(method.frozen, again.source.samples).features[-1]
    of_target = see_target(again).features[-1]
    for parameter in method.discriminator.parameters():
        parameter.grad = None
    fooled = domain_loss(method.discriminator(of_target), is_source=True)
    (fooled - again.loss_P.mean()).backward()
    torch.testing.assert_close(network.stem[0].weight.grad, other.stem[0].weight.grad, rtol=1e-3, atol=1e-6)
    assert not of_source.requires_grad


def test_adda_moves_neither_decoder_nor_head_and_never_its_source():
    network = new_network()
    method = DiscriminativeAdaptation(network)
    before = {name: value.clone() for name, value in method.frozen.state_dict().items()}
    step = toy_step(network)
    (step.loss_P.sum() / len(step.loss_P) + method.term(step)).backward()
    assert (network.head.weight.grad == 0).all()
    assert (network.top[0].weight.grad == 0).all()
    assert all(parameter.grad is None for parameter in method.frozen.parameters())
    assert all(torch.equal(value, before[name]) for name, value in method.frozen.state_dict().items())

"""Few labels of the target, and networks that learned to adapt on few."""

from dataclasses import replace

import pytest
import torch
from torch.func import functional_call
from toy_domains import draw, fitted, new_network, same, toy_problem, toy_source, toy_step

from training.adaptation.anil import AlmostNoInnerLoop
from training.adaptation.augmentation import FLIPS
from training.adaptation.few_shot import FewShot, few_windows
from training.adaptation.maml import FirstOrderMaml, Tasks, adapted_weights
from training.adaptation.pools import Pool
from training.losses import partial_label_loss

META = (FirstOrderMaml, AlmostNoInnerLoop)


def windows(num_windows=2, **options):
    return few_windows(toy_source(), num_windows=num_windows, window_px=64, **options)


def tasks(**options):
    return Tasks(toy_problem().source, augmentation=FLIPS, **{"num_shots": 1, "num_tasks": 2} | options)


def test_windows_are_cut_with_their_labels_and_half_labelled_at_least():
    source = toy_source()
    source.labels[1][:] = 255
    pool = few_windows(source, num_windows=6, window_px=64)
    for image_CHW, labels_HW in zip(pool.images, pool.labels, strict=True):
        assert image_CHW.shape == (4, 64, 64)
        assert labels_HW.shape == (64, 64)
        assert (labels_HW != 255).float().mean() >= 0.5
        assert (labels_HW[(image_CHW == 0).all(dim=0)] == 255).all()
    assert set(pool.domain_numbers) == {-1}


def test_more_windows_begin_with_the_fewer_and_other_draws_are_others():
    one, five = windows(1), windows(5)
    assert torch.equal(one.images[0], five.images[0])
    assert not torch.equal(one.images[0], windows(1, seed=1).images[0])


def test_a_target_without_labels_gives_no_window():
    source = toy_source()
    blank = replace(source, labels=[0 * each + 255 for each in source.labels])
    with pytest.raises(ValueError, match="no window of 64 px"):
        few_windows(blank, num_windows=1, window_px=64)


def test_half_of_a_batch_is_source_and_half_the_targets_windows():
    source = draw(toy_problem().source, 4)
    target = Pool(
        images=(torch.full((4, 64, 64), 77, dtype=torch.uint8),),
        labels=(torch.full((64, 64), 3, dtype=torch.uint8),),
        domain_numbers=(-1,),
    )
    generator = torch.Generator().manual_seed(0)
    batch = FewShot(target, augmentation=FLIPS).altered(source, None, generator=generator)
    assert torch.equal(batch.image_NCHW[:2], source.image_NCHW[:2])
    assert torch.equal(batch.labels_NHW[:2], source.labels_NHW[:2])
    assert (batch.image_NCHW[2:].round() == 77).all()
    assert (batch.labels_NHW[2:] == 3).all()
    assert batch.domain_N.tolist() == [*source.domain_N[:2].tolist(), -1, -1]


def test_other_labels_on_the_windows_are_another_network():
    pool = windows()
    other = replace(pool, labels=tuple(each.where(each == 255, 1) for each in pool.labels))
    first, second = (fitted(lambda *_, each=each: FewShot(each), weight=0.0) for each in (pool, other))
    assert not same(first, second)


def test_few_labels_leave_frozen_statistics_alone():
    before = new_network().state_dict()
    after = fitted(lambda *_: FewShot(windows()), weight=0.0, is_norm_frozen=True)
    assert all(torch.equal(value, after[name]) for name, value in before.items() if "running" in name)
    assert not torch.equal(before["head.bias"], after["head.bias"])


def test_tasks_are_domains_and_none_comes_twice():
    drawn = tasks(num_shots=3).draw(crop_px=64, generator=torch.Generator().manual_seed(0))
    numbers = [support.domain_N.tolist() for support, _ in drawn]
    assert sorted(numbers) == [[0] * 3, [1] * 3]
    for support, query in drawn:
        assert torch.equal(support.domain_N, query.domain_N)
        assert not torch.equal(support.image_NCHW, query.image_NCHW)


def test_inner_steps_descend_and_count_as_constants():
    weight = torch.tensor([2.0], requires_grad=True)
    adapted = adapted_weights({"w": weight}, lambda w: (w["w"] ** 2).sum(), rate=0.1, num_steps=2)
    torch.testing.assert_close(adapted["w"].detach(), torch.tensor([2.0 * 0.8**2]))
    (adapted["w"] ** 2).sum().backward()
    torch.testing.assert_close(weight.grad, 2 * adapted["w"].detach())  # second order would have 0.64 of it


def test_the_gradient_of_maml_is_that_of_the_query_at_the_adapted_weights():
    network = new_network()
    method = FirstOrderMaml(tasks(num_tasks=1), inner_rate=0.05)
    step = toy_step(network)
    (method.term(step) + step.loss_P.mean()).backward()
    other = new_network().train()
    generator = torch.Generator().manual_seed(0)
    [(support, query)] = method.tasks.draw(crop_px=64, generator=generator)

    def loss(weights, samples):
        logits = functional_call(other, weights, (samples.image_NCHW,))
        return partial_label_loss(logits[:, :, ::2], samples.labels_NHW[:, ::2], members_SK=step.members_SK)

    weights = {name: value.detach().requires_grad_() for name, value in other.named_parameters()}
    inner = torch.autograd.grad(loss(weights, support), list(weights.values()))
    moved = {
        name: (value - 0.05 * gradient).detach().requires_grad_()
        for (name, value), gradient in zip(weights.items(), inner, strict=True)
    }
    outer = dict(zip(moved, torch.autograd.grad(loss(moved, query), list(moved.values())), strict=True))
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, outer[name], rtol=1e-3, atol=1e-5)


def test_the_gradient_of_anil_is_that_of_the_query_with_an_adapted_head():
    network = new_network()
    method = AlmostNoInnerLoop(tasks(num_tasks=1), inner_rate=0.1, num_inner_steps=2)
    step = toy_step(network)
    (method.term(step) + step.loss_P.mean()).backward()
    other = new_network().train()
    [(support, query)] = method.tasks.draw(crop_px=64, generator=torch.Generator().manual_seed(0))

    def loss(samples):
        logits = other(samples.image_NCHW)
        return partial_label_loss(logits[:, :, ::2], samples.labels_NHW[:, ::2], members_SK=step.members_SK)

    for _ in range(2):  # the body stands still while the head adapts
        moves = torch.autograd.grad(loss(support), list(other.head.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(other.head.parameters(), moves, strict=True):
                parameter.sub_(0.1 * gradient)
    loss(query).backward()  # first order: all gradients are those at the adapted head
    for (name, parameter), judged in zip(network.named_parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, judged.grad, rtol=1e-3, atol=1e-5, msg=name)


@pytest.mark.parametrize("kind", META)
def test_what_is_written_in_an_absent_band_says_nothing_to_adapted_weights_either(kind):
    network = new_network()
    step = toy_step(network)

    class WithoutNearInfrared(Tasks):
        written = 0.0

        def draw(self, *, crop_px, generator):
            pairs = super().draw(crop_px=crop_px, generator=generator)
            return [(self._without(support), self._without(query)) for support, query in pairs]

        def _without(self, samples):
            image_NCHW = samples.image_NCHW.clone()
            image_NCHW[:, 3] = self.written
            is_absent_NC = torch.tensor([False, False, False, True]).expand(len(image_NCHW), -1)
            return replace(samples, image_NCHW=image_NCHW, is_absent_NC=is_absent_NC)

    def term(written):
        drawn = WithoutNearInfrared(toy_problem().source, augmentation=FLIPS, num_shots=1)
        drawn.written = written
        return kind(drawn).term(replace(step, generator=torch.Generator().manual_seed(0)))

    assert term(0.0) == term(200.0)
    torch.testing.assert_close(term(0.0), term(120.0))  # the mean that this network takes off


def test_a_rate_of_zero_is_the_query_unadapted():
    network = new_network()
    step = toy_step(network)
    queries = [query for _, query in tasks().draw(crop_px=64, generator=torch.Generator().manual_seed(0))]
    losses = [
        partial_label_loss(
            network(query.image_NCHW)[:, :, ::2], query.labels_NHW[:, ::2], members_SK=step.members_SK
        )
        for query in queries
    ]
    for kind in META:
        fresh = replace(step, generator=torch.Generator().manual_seed(0))
        loss = kind(tasks(), inner_rate=0.0).term(fresh) + step.loss_P.mean()
        torch.testing.assert_close(loss, torch.stack(losses).mean())


def test_adapting_the_head_helps_on_the_support_itself():
    network = new_network()
    step = toy_step(network)

    class SameTwice(Tasks):
        def draw(self, *, crop_px, generator):
            return [(support, support) for support, _ in super().draw(crop_px=crop_px, generator=generator)]

    same_twice = SameTwice(toy_problem().source, augmentation=FLIPS, num_shots=1)

    def term(rate):
        fresh = replace(step, generator=torch.Generator().manual_seed(0))
        return AlmostNoInnerLoop(same_twice, inner_rate=rate, num_inner_steps=5).term(fresh)

    assert term(0.1) < term(0.0)


@pytest.mark.parametrize("kind", META)
def test_adapting_leaves_the_network_and_its_statistics_as_they_were(kind):
    network = new_network()
    step = toy_step(network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    kind(tasks()).term(step)
    assert same(before, network.state_dict())


@pytest.mark.parametrize("kind", META)
def test_the_whole_network_is_taught(kind):
    network = new_network()
    kind(tasks()).term(toy_step(network)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert not kind.needs_target

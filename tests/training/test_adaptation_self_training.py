"""Self-training: each mixed pixel keeps its own label, the teacher follows and is taught nothing."""

from dataclasses import replace

import pytest
import torch
from toy_domains import NUM_CHANNELS, draw, new_network, random_samples, toy_problem, toy_source, toy_step

from training.adaptation.augmentation import FLIPS, Augmentation
from training.adaptation.class_mix import class_mix
from training.adaptation.pools import Pool
from training.adaptation.rare_classes import RareClasses
from training.adaptation.self_training import SelfTraining, with_single_channels
from training.losses import pixel_losses

NUM_LABELS = 5


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def mixed(*, seed=0):
    labels_NHW = torch.randint(NUM_LABELS, (3, 32, 32), generator=generator(seed))
    labels_NHW[:, :4] = 255
    source = random_samples(3, seed=seed, labels=labels_NHW)
    target = random_samples(3, seed=seed + 1)
    pseudo_NHW = 100 + torch.randint(NUM_LABELS, (3, 32, 32), generator=generator(seed + 2))
    mix = class_mix(source, target, pseudo_NHW, generator=generator(seed + 3))
    return source, target.image_NCHW, pseudo_NHW, mix


def test_every_mixed_pixel_comes_with_its_own_label():
    source, target_NCHW, pseudo_NHW, mix = mixed()
    is_source_NHW = mix.is_source_NHW
    assert torch.equal(mix.labels_NHW[is_source_NHW], source.labels_NHW[is_source_NHW])
    assert torch.equal(mix.labels_NHW[~is_source_NHW], pseudo_NHW[~is_source_NHW])
    image_NHWC = mix.image_NCHW.movedim(1, -1)
    assert torch.equal(image_NHWC[is_source_NHW], source.image_NCHW.movedim(1, -1)[is_source_NHW])
    assert torch.equal(image_NHWC[~is_source_NHW], target_NCHW.movedim(1, -1)[~is_source_NHW])


def test_counts_add_up():
    source, _, pseudo_NHW, mix = mixed()
    assert mix.is_source_NHW.sum() + (~mix.is_source_NHW).sum() == mix.labels_NHW.numel()
    for sample in range(3):
        laid = source.labels_NHW[sample][mix.is_source_NHW[sample]]
        chosen = laid.unique().tolist()
        assert len(chosen) == (NUM_LABELS + 1) // 2
        for label in chosen:  # whole: no pixel of a label that was chosen stays behind
            here = mix.labels_NHW[sample] == label
            assert here.sum() == (source.labels_NHW[sample] == label).sum()
        for label in range(100, 100 + NUM_LABELS):
            left = (pseudo_NHW[sample] == label) & ~mix.is_source_NHW[sample]
            assert (mix.labels_NHW[sample] == label).sum() == left.sum()
        assert not (mix.labels_NHW[sample] == 255).any()  # what teaches nothing is laid over nothing


def test_a_source_without_labels_leaves_the_target_whole():
    source = random_samples(labels=torch.full((2, 32, 32), 255))
    target = random_samples(seed=1)
    mix = class_mix(source, target, torch.zeros(2, 32, 32, dtype=torch.int64), generator=generator())
    assert torch.equal(mix.image_NCHW, target.image_NCHW)


def test_other_chance_lays_other_labels():
    assert any(
        not torch.equal(mixed()[3].is_source_NHW, mixed(seed=seed)[3].is_source_NHW) for seed in (1, 2)
    )


def test_a_pseudo_label_is_a_single_channel_beside_the_label_sets():
    members_SK = torch.tensor([[True, True, False], [False, True, True]])
    with_channels = with_single_channels(members_SK)
    assert torch.equal(with_channels[:2], members_SK)
    logits_PK = torch.randn(4, 3, generator=generator())
    labels_P = torch.tensor([0, 1, 2, 0])
    loss_P = pixel_losses(logits_PK, 2 + labels_P, members_SK=with_channels)
    torch.testing.assert_close(
        loss_P, torch.nn.functional.cross_entropy(logits_PK, labels_P, reduction="none")
    )


def sure_network(channel, *, logit=20.0):
    """Answers one channel everywhere."""
    network = new_network()
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()
        network.head.bias[4 * channel : 4 * channel + 4] = logit
    return network


def test_the_teacher_tells_channels_where_there_is_data():
    target = random_samples(2)
    target.image_NCHW[0, :, :16] = 0
    method = SelfTraining(sure_network(6))
    labels_NHW, sure_N = method.told(target, first_label=NUM_CHANNELS)
    assert (labels_NHW[0, :16] == 255).all()
    assert (labels_NHW[0, 16:] == NUM_CHANNELS + 6).all()
    assert sure_N.tolist() == [1.0, 1.0]
    _, unsure_N = SelfTraining(sure_network(6, logit=1.0)).told(target, first_label=NUM_CHANNELS)
    assert unsure_N.tolist() == [0.0, 0.0]


def test_a_sample_weighs_the_share_of_its_pixels_that_the_teacher_is_sure_of():
    network, target = new_network().train(), random_samples(2, side_px=64)
    target.image_NCHW[0, :, :16] = 0
    posterior_NKHW = network(target.image_NCHW).detach().softmax(dim=1)
    probability_NHW, channel_NHW = posterior_NKHW.max(dim=1)
    middle = probability_NHW.median().item()
    labels_NHW, sure_N = SelfTraining(network, min_confidence=middle).told(target, first_label=NUM_LABELS)
    is_sure_NHW = probability_NHW >= middle
    torch.testing.assert_close(sure_N[0], is_sure_NHW[0, 16:].float().mean(), rtol=0, atol=2e-3)
    torch.testing.assert_close(sure_N[1], is_sure_NHW[1].float().mean(), rtol=0, atol=2e-3)
    assert 0.2 < sure_N.min() < sure_N.max() < 0.8
    assert (labels_NHW[1] == channel_NHW[1] + NUM_LABELS).float().mean() > 0.99


def test_what_the_teacher_is_not_sure_of_weighs_nothing():
    network, step = new_network(), None
    unsure = SelfTraining(sure_network(6, logit=1.0))
    step = toy_step(network)
    nothing_cut = replace(
        step.source,
        samples=replace(step.source.samples, labels_NHW=torch.full_like(step.source.samples.labels_NHW, 255)),
    )
    assert unsure.term(replace(step, source=nothing_cut)) == 0
    assert SelfTraining(sure_network(6)).term(replace(step, source=nothing_cut)) > 0
    assert unsure.term(step) > 0  # the source's pixels weigh 1 always


def test_the_teacher_gets_no_gradient_and_is_changed_by_no_term():
    network = new_network()
    method = SelfTraining(network)
    before = {name: value.clone() for name, value in method.teacher.named_parameters()}
    method.term(toy_step(network)).backward()
    assert network.stem[0].weight.grad.abs().sum() > 0
    for name, parameter in method.teacher.named_parameters():
        assert not parameter.requires_grad
        assert parameter.grad is None
        assert torch.equal(parameter, before[name])
    assert list(method.parameters()) == []


def test_the_teacher_is_a_moving_average_of_the_network():
    network = new_network()
    method = SelfTraining(network, decay=0.6)
    expected = {name: value.clone() for name, value in network.named_parameters()}
    for number in range(1, 5):
        with torch.no_grad():
            for value in network.parameters():
                value.add_(1.0)
        method.after(network)
        decay = min(0.6, 1 - 1 / (number + 1))
        for name, value in network.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * value
    for name, value in method.teacher.named_parameters():
        torch.testing.assert_close(value, expected[name])


def test_the_networks_running_statistics_are_the_sources():
    network = new_network()
    step = toy_step(network)
    before = {name: value.clone() for name, value in network.named_buffers()}
    SelfTraining(network).term(step)
    assert all(torch.equal(value, before[name]) for name, value in network.named_buffers())


def uneven_pool():
    """Label 0 nearly everywhere, label 2 in a corner of one image, label 1 nowhere."""
    labels = [torch.zeros(96, 96, dtype=torch.uint8) for _ in range(4)]
    labels[3][:12, :12] = 2
    labels[0][:5] = 255
    images = tuple(torch.full((3, 96, 96), 10 * index + 50, dtype=torch.uint8) for index in range(4))
    return Pool(images=images, labels=tuple(labels), domain_numbers=(0, 0, 1, 1))


def test_rare_labels_are_drawn_more_often_and_absent_ones_never():
    rare = RareClasses(uneven_pool(), temperature=0.1)
    share = 144 / (4 * 96 * 96 - 5 * 96)
    ratio = torch.exp(torch.tensor(((1 - share) - share) / 0.1))
    torch.testing.assert_close(rare.probability_S[2] / rare.probability_S[0], ratio, rtol=1e-3, atol=0)
    assert rare.probability_S[1] == 0
    torch.testing.assert_close(rare.probability_S.sum(), torch.tensor(1.0))


def test_crops_drawn_for_a_rare_label_come_from_where_it_is():
    rare = RareClasses(uneven_pool(), temperature=0.01, num_tries=20, min_px=20)
    drawn = rare.draw(4, crop_px=32, augmentation=FLIPS, generator=generator())
    assert drawn.domain_N.tolist() == [1] * 4
    assert ((drawn.labels_NHW == 2).sum(dim=(1, 2)) >= 20).all()


def test_nothing_labelled_is_no_source_of_rare_classes():
    pool = replace(uneven_pool(), labels=(torch.full((96, 96), 255, dtype=torch.uint8),) * 4)
    with pytest.raises(ValueError, match="no labelled pixel"):
        RareClasses(pool)


def test_rare_samples_are_mixed_and_the_steps_own_stay():
    problem = toy_problem()
    network = new_network()
    step = toy_step(network, problem=problem)
    method = SelfTraining(network, rare=RareClasses(problem.source), source_augmentation=Augmentation())
    assert method.term(step) > 0
    again = draw(problem.source, 3)
    assert torch.equal(step.source.samples.image_NCHW, again.image_NCHW)


def test_pools_are_chosen_from_with_their_labels():
    pool = Pool.labelled(toy_source())
    chosen = pool.chosen([2, 0])
    assert torch.equal(chosen.images[0], pool.images[2])
    assert torch.equal(chosen.labels[1], pool.labels[0])
    assert chosen.domain_numbers == (1, 0)
    assert Pool.unlabelled(toy_source()).chosen([1]).labels is None

"""The loop of all methods: what weighs nothing leaves no trace, and nobody sees a target's labels."""

import pytest
import torch
from toys import toy_coarse, toy_scenes

from training.adaptation.augmentation import STRONG, Augmentation, recoloured, turned
from training.adaptation.fitting import FitSpec, Problem, fit_method
from training.adaptation.method import Plain, see_target, statistics_left_alone
from training.adaptation.pools import Pool
from training.networks.compact import CompactSpec, CompactUNet

SPEC = FitSpec(seed=3, num_steps=3, batch_size=2, crop_px=64, augmentation=STRONG, weight=0.0)


class Means(Plain):
    """A term that looks at everything: source and target features, its own chance, its own weights."""

    needs_target = True

    def __init__(self):
        self.scale = torch.nn.Parameter(torch.ones(()))

    def parameters(self):
        return [self.scale]

    def term(self, step):
        target = see_target(step)
        gap = step.source.features[-1].mean() - target.features[-1].mean()
        return self.scale * gap.float() ** 2 + torch.rand((), generator=step.generator)


def new_network():
    torch.manual_seed(0)
    spec = CompactSpec(
        num_bands=4, num_channels=16, widths=(8, 8, 8, 8, 8), mean=(120.0,) * 4, std=(40.0,) * 4
    )
    return CompactUNet(spec).to(memory_format=torch.channels_last)


def problem(*, target=True):
    source = toy_scenes().as_source()
    return Problem(
        source=Pool.labelled(source),
        target=Pool.unlabelled(toy_coarse()) if target else None,
        members_SK=torch.from_numpy(source.sets.members(range(16))),
    )


def fitted(method, spec=SPEC, **options):
    return fit_method(new_network(), problem(**options), method, spec).state_dict()


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def with_weight(weight):
    return FitSpec(**(vars(SPEC) | {"weight": weight}))


def test_a_term_of_weight_zero_is_plain_training_bit_for_bit():
    plain = fitted(Plain(), target=False)
    assert same(plain, fitted(Means()))
    assert not same(plain, fitted(Means(), with_weight(1.0)))


def test_the_same_seed_gives_the_same_network_and_another_another():
    assert same(fitted(Plain()), fitted(Plain()))
    assert not same(fitted(Plain()), fitted(Plain(), FitSpec(**(vars(SPEC) | {"seed": 4}))))


def test_a_target_pool_has_no_labels_to_look_at():
    coarse = toy_coarse()
    assert Pool.unlabelled(coarse).labels is None
    pool = Pool.unlabelled(coarse)
    drawn = pool.draw(2, crop_px=64, augmentation=STRONG, generator=torch.Generator())
    assert drawn.labels_NHW is None
    assert set(drawn.domain_N.tolist()) == {-1}


def test_a_method_that_adapts_asks_for_a_target():
    with pytest.raises(ValueError, match="give its unlabelled images"):
        fitted(Means(), target=False)


def test_running_statistics_are_put_back():
    network = new_network().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with statistics_left_alone(network):
        network(torch.randint(0, 255, (2, 4, 64, 64)))
    assert same(before, network.state_dict())


def test_labels_turn_with_their_pixels():
    labels_NHW = torch.arange(2 * 8 * 8).reshape(2, 8, 8)
    image_NCHW, turned_NHW = turned(
        labels_NHW[:, None].float(), labels_NHW, generator=torch.Generator().manual_seed(1)
    )
    assert torch.equal(image_NCHW[:, 0].long(), turned_NHW)


def test_no_change_is_none_and_no_data_stays_no_data():
    image_NCHW = torch.randint(1, 255, (2, 3, 8, 8)).float()
    image_NCHW[:, :, 0] = 0
    still = recoloured(image_NCHW, Augmentation(), generator=torch.Generator())
    torch.testing.assert_close(still, image_NCHW)
    changed = recoloured(image_NCHW, STRONG, generator=torch.Generator())
    assert (changed[:, :, 0] == 0).all()
    assert not torch.equal(changed, image_NCHW)
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_a_zoomed_crop_keeps_labels_on_their_pixels():
    pool = Pool.labelled(toy_coarse())
    drawn = pool.draw(6, crop_px=64, augmentation=Augmentation(zoom=(0.7, 2.0)), generator=torch.Generator())
    red_NHW = drawn.image_NCHW[:, 0]
    assert red_NHW[drawn.labels_NHW == 0].mean() < 60
    assert red_NHW[drawn.labels_NHW == 1].mean() > 140

"""A band that an image does not have stands at its mean; what is written in its place is never seen."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toy_domains import NUM_CHANNELS, SPEC, draw, new_network, random_samples, same, toy_coarse, toy_source

from training.adaptation import METHODS, adapt
from training.adaptation.class_mix import class_mix
from training.adaptation.fda import FourierAdaptation
from training.adaptation.few_shot import FewShot, few_windows
from training.adaptation.fitting import Problem
from training.adaptation.method import see
from training.adaptation.moments import MomentMatching, Moments, with_target_moments
from training.adaptation.pools import Pool
from training.adaptation.rare_classes import RareClasses

NIR = 3


def scribbled(source, *, seed):
    """A source with anything at all in its absent bands."""
    rng = np.random.default_rng(seed)
    images = [np.array(image_CHW) for image_CHW in source.images]
    for image_CHW in images:
        image_CHW[list(source.absent)] = rng.integers(0, 256, image_CHW[list(source.absent)].shape)
    return replace(source, images=images)


def problem(*, seed, is_source_without):
    source = replace(toy_source(), absent=(NIR,)) if is_source_without else toy_source()
    target = replace(toy_coarse(), absent=(NIR,))
    return Problem(
        source=Pool.labelled(scribbled(source, seed=seed)),
        target=Pool.unlabelled(scribbled(target, seed=seed)),
        members_SK=torch.from_numpy(source.sets.members(range(NUM_CHANNELS))),
    )


@pytest.mark.parametrize("is_source_without", [False, True])
@pytest.mark.parametrize("name", METHODS)
def test_no_method_sees_what_is_written_in_an_absent_band(name, is_source_without):
    networks = [
        adapt(
            new_network(),
            problem(seed=seed, is_source_without=is_source_without),
            METHODS[name],
            replace(SPEC, num_steps=1),
            num_samples=2,
        )
        for seed in (1, 2)
    ]
    assert same(networks[0].state_dict(), networks[1].state_dict())


def test_a_network_sees_an_absent_band_at_its_mean():
    network, samples = new_network().eval(), random_samples()
    is_absent_NC = torch.zeros(2, 4, dtype=torch.bool)
    is_absent_NC[1, NIR] = True
    at_mean = samples.image_NCHW.clone()
    at_mean[1, NIR] = network.spec.mean[NIR]
    wanted = see(network, samples.with_image(at_mean)).sub_pixels_NQhw
    found = see(network, replace(samples, is_absent_NC=is_absent_NC)).sub_pixels_NQhw
    assert torch.equal(found, wanted)


def test_no_recolouring_writes_in_an_absent_band():
    drawn = draw(Pool.unlabelled(toy_coarse()))
    assert drawn.is_absent_NC.tolist() == [[False, False, False, True]] * 2
    assert (drawn.image_NCHW[:, NIR] == 0).all()
    assert (drawn.image_NCHW[:, :NIR] > 0).any()


def test_what_a_mixed_sample_lacks_is_what_either_side_does():
    labels_NHW = torch.zeros(2, 32, 32, dtype=torch.int64)
    source, target = random_samples(labels=labels_NHW), random_samples(seed=1)
    target = replace(target, is_absent_NC=torch.tensor([[False, False, False, True], [False] * 4]))
    mix = class_mix(source, target, labels_NHW, generator=torch.Generator().manual_seed(0))
    assert torch.equal(mix.is_absent_NC, target.is_absent_NC)


def test_rare_crops_and_few_windows_remember_what_they_lack():
    coarse = toy_coarse()
    generator = torch.Generator().manual_seed(0)
    rare = RareClasses(Pool.labelled(coarse)).draw(
        3, crop_px=32, augmentation=SPEC.augmentation, generator=generator
    )
    assert rare.absences()[:, NIR].all()
    few = FewShot(few_windows(coarse, num_windows=2, window_px=64), share=0.5)
    source = draw(Pool.labelled(toy_source()), 4)
    assert (
        few.altered(source, None, generator=generator).absences()[:, NIR].tolist() == [False] * 2 + [True] * 2
    )


def test_looks_are_not_carried_over_from_a_band_that_is_not_there():
    source, target = random_samples(), random_samples(seed=1)
    target.image_NCHW[:, NIR] = 0
    target = replace(target, is_absent_NC=torch.tensor([[False, False, False, True]] * 2))
    generator = torch.Generator().manual_seed(0)
    changed = FourierAdaptation(beta=0.1).altered(source, target, generator=generator).image_NCHW
    assert torch.equal(changed[:, NIR], source.image_NCHW[:, NIR])
    moments = Moments.of(Pool.unlabelled(toy_coarse()))
    assert moments.known().tolist() == [True, True, True, False]
    matched = MomentMatching(moments).altered(source, None, generator=generator).image_NCHW
    assert torch.equal(matched[:, NIR], source.image_NCHW[:, NIR])
    assert not torch.equal(matched[:, 0], source.image_NCHW[:, 0])
    network = new_network()
    served = with_target_moments(network, source=Moments.of(Pool.labelled(toy_source())), target=moments)
    assert served.spec.mean[NIR] == network.spec.mean[NIR]
    assert served.spec.mean[0] != network.spec.mean[0]


def test_a_source_is_shown_without_the_bands_that_the_target_never_has():
    source, target = Pool.labelled(toy_source()), Pool.unlabelled(toy_coarse())
    shown = source.with_bands_of(target)
    assert shown.absent == ((NIR,),) * 3
    assert all((image_CHW[NIR] == 0).all() for image_CHW in shown.images)
    assert any((image_CHW[NIR] > 0).any() for image_CHW in source.images)
    assert source.with_bands_of(source) is source

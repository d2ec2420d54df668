"""What changes source images: nothing at strength zero, what it promises above, no data left alone."""

import pytest
import torch
from toy_domains import draw, new_network, random_samples, toy_problem

from training.adaptation.fda import FourierAdaptation, slow_change
from training.adaptation.moments import (
    MomentMatching,
    Moments,
    domain_moments,
    sample_moments,
    with_target_moments,
)
from training.adaptation.pools import Pool
from training.adaptation.style import Style, StyleRandomisation, restyled


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def altered(method, source, target=None, *, seed=0):
    return method.altered(source, target, generator=generator(seed)).image_NCHW


def unlabelled(*images):
    return Pool(images=images, labels=None, domain_numbers=(-1,) * len(images))


@pytest.mark.parametrize(
    "method",
    [
        StyleRandomisation(),
        FourierAdaptation(beta=0.05),
        MomentMatching(Moments(mean_C=torch.full((4,), 90.0), std_C=torch.full((4,), 20.0))),
    ],
)
def test_no_data_and_absent_bands_stay_and_all_stays_in_range(method):
    source, target = random_samples(), random_samples(seed=1)
    source.image_NCHW[:, :, :5] = 0
    source.image_NCHW[0, 3] = 0
    image_NCHW = altered(method, source, target)
    assert (image_NCHW[:, :, :5] == 0).all()
    assert (image_NCHW[0, 3] == 0).all()
    assert image_NCHW.min() >= 0
    assert image_NCHW.max() <= 255
    assert not torch.equal(image_NCHW, source.image_NCHW)


def test_no_style_is_the_very_sample():
    source = random_samples()
    assert torch.equal(altered(StyleRandomisation(strength=0.0), source), source.image_NCHW)


def test_styles_come_from_the_generator_alone():
    source = random_samples()
    assert torch.equal(altered(StyleRandomisation(), source), altered(StyleRandomisation(), source))
    assert not torch.equal(
        altered(StyleRandomisation(), source), altered(StyleRandomisation(), source, seed=1)
    )


@pytest.mark.parametrize("kept", ["gain", "offset", "gamma", "mixing", "haze", "blur"])
def test_each_part_of_a_style_does_something(kept):
    parts = dict.fromkeys(("gain", "offset", "gamma", "mixing", "haze", "blur"), 0.0)
    style = Style(**parts | {kept: getattr(Style(), kept)})
    image_NCHW = random_samples().image_NCHW
    changed_NCHW = restyled(image_NCHW, style, strength=1.0, generator=generator())
    assert (changed_NCHW - image_NCHW).abs().mean() > 0.5


def test_blur_smooths_and_its_opposite_sharpens():
    edge_NCHW = torch.full((40, 1, 32, 32), 80.0)
    edge_NCHW[..., 16:] = 160.0
    only_blur = Style(gain=0, offset=0, gamma=0, mixing=0, haze=0)
    steps = restyled(edge_NCHW, only_blur, strength=1.0, generator=generator())[..., 16, 16]
    before = 160.0
    assert (steps < before).any()
    assert (steps > before).any()


def test_haze_is_uneven():
    only_haze = Style(gain=0, offset=0, gamma=0, mixing=0, blur=0)
    grey_NCHW = torch.full((4, 3, 64, 64), 100.0)
    hazy_NCHW = restyled(grey_NCHW, only_haze, strength=1.0, generator=generator())
    assert (hazy_NCHW >= 100).all()
    assert (hazy_NCHW.std(dim=(-2, -1)) > 1).all()
    torch.testing.assert_close(hazy_NCHW[:, 0], hazy_NCHW[:, 2])


def test_beta_zero_swaps_nothing_bit_for_bit():
    source, target = random_samples(), random_samples(seed=1)
    assert (slow_change(source.image_NCHW, target.image_NCHW, beta=0.0) == 0).all()
    assert torch.equal(altered(FourierAdaptation(beta=0.0), source, target), source.image_NCHW)


@pytest.mark.parametrize("side_px", [32, 33])
def test_amplitudes_are_the_targets_below_beta_and_the_sources_above(side_px):
    source, target = random_samples(side_px=side_px).image_NCHW, random_samples(side_px=side_px, seed=1)
    target = target.image_NCHW
    beta = 0.1
    swapped = torch.fft.fft2(source + slow_change(source, target, beta=beta))
    row_H, col_W = torch.fft.fftfreq(side_px).abs(), torch.fft.fftfreq(side_px).abs()
    is_slow_HW = (row_H[:, None] < beta) & (col_W < beta)
    assert is_slow_HW.sum() == 7**2
    expected = torch.where(is_slow_HW, torch.fft.fft2(target).abs(), torch.fft.fft2(source).abs())
    torch.testing.assert_close(swapped.abs(), expected, rtol=1e-4, atol=0.5)
    is_loud = expected > 1  # the phase of what is nearly nothing is noise
    turn = torch.polar(torch.ones(()), swapped.angle() - torch.fft.fft2(source).angle())
    assert ((turn - 1).abs()[is_loud] < 1e-2).all()


def test_a_sample_becomes_its_target_in_the_mean_when_all_light_is_slow():
    source, target = random_samples(1), random_samples(1, seed=1)
    change = slow_change(source.image_NCHW, target.image_NCHW, beta=1e-9)
    means = (source.image_NCHW + change).mean(dim=(-2, -1))
    torch.testing.assert_close(means, target.image_NCHW.mean(dim=(-2, -1)))


def test_moments_count_pixels_with_data_only():
    image_CHW = torch.randint(1, 255, (3, 20, 20), dtype=torch.uint8)
    wide_CHW = torch.cat([image_CHW, torch.zeros_like(image_CHW)], dim=2)
    bare, veiled = Moments.of(unlabelled(image_CHW)), Moments.of(unlabelled(wide_CHW))
    torch.testing.assert_close(veiled.mean_C, image_CHW.double().mean(dim=(1, 2)).float())
    torch.testing.assert_close(veiled.std_C, image_CHW.double().std(dim=(1, 2), correction=0).float())
    assert torch.equal(bare.mean_C, veiled.mean_C)
    with pytest.raises(ValueError, match="no pixel with data"):
        Moments.of(unlabelled(torch.zeros_like(image_CHW)))


def test_a_sample_takes_the_moments_of_the_target():
    target = Moments(mean_C=torch.tensor([90.0, 100.0, 110.0, 120.0]), std_C=torch.full((4,), 15.0))
    mean_NC, std_NC = sample_moments(altered(MomentMatching(target), random_samples()))
    torch.testing.assert_close(mean_NC, target.mean_C.expand(2, -1), rtol=1e-3, atol=0.05)
    torch.testing.assert_close(std_NC, target.std_C.expand(2, -1), rtol=1e-3, atol=0.05)


def test_by_domains_dark_samples_stay_dark():
    source = random_samples()
    source.image_NCHW[0] *= 0.5
    domain = Moments(mean_C=torch.full((4,), 100.0), std_C=torch.full((4,), 50.0))
    target = Moments(mean_C=torch.full((4,), 120.0), std_C=torch.full((4,), 25.0))
    image_NCHW = altered(MomentMatching(target, domains=(domain,)), source)
    torch.testing.assert_close(image_NCHW, (source.image_NCHW - 100) / 2 + 120)


def test_domains_have_moments_of_their_own_in_the_order_of_their_numbers():
    pool = toy_problem().source
    first, second = domain_moments(pool)
    assert torch.equal(first.mean_C, Moments.of(pool.of_domain(0)).mean_C)
    assert torch.equal(second.mean_C, Moments.of(pool.of_domain(1)).mean_C)
    assert len(pool.of_domain(1).images) == 2


def test_a_network_told_of_the_targets_moments_sees_it_in_the_sources_colours():
    network = new_network().eval()
    source = Moments(mean_C=torch.tensor([90.0, 100.0, 110.0, 120.0]), std_C=torch.full((4,), 40.0))
    target = Moments(mean_C=torch.tensor([140.0, 90.0, 115.0, 80.0]), std_C=torch.full((4,), 25.0))
    image_NCHW = random_samples().image_NCHW
    band = (1, -1, 1, 1)
    standard_NCHW = (image_NCHW - target.mean_C.reshape(band)) / target.std_C.reshape(band)
    carried_NCHW = standard_NCHW * source.std_C.reshape(band) + source.mean_C.reshape(band)
    adapted = with_target_moments(network, source=source, target=target)
    torch.testing.assert_close(adapted(image_NCHW), network(carried_NCHW), rtol=1e-4, atol=1e-4)
    assert adapted.spec.mean == tuple(adapted.mean_1C11.flatten().tolist())
    assert adapted.spec.std == tuple(adapted.std_1C11.flatten().tolist())


def test_a_network_that_trusts_the_targets_moments_by_nothing_is_as_it_was():
    network = new_network().eval()
    source, target = Moments.of(toy_problem().source), Moments.of(toy_problem().target)
    adapted = with_target_moments(network, source=source, target=target, share=0.0)
    assert torch.equal(adapted.mean_1C11, network.mean_1C11)
    assert torch.equal(adapted.std_1C11, network.std_1C11)


def test_a_sample_of_the_pool_has_its_labels_and_domain_after_all():
    source = draw(toy_problem().source)
    after = StyleRandomisation().altered(source, None, generator=generator())
    assert torch.equal(after.labels_NHW, source.labels_NHW)
    assert torch.equal(after.domain_N, source.domain_N)

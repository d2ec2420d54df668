"""What is done to a network after training: its statistics, its priors, its entropy."""

import pytest
import torch
from toy_domains import draw, new_network, random_samples, same, toy_problem

from training.adaptation.adabn import draw_batches, with_target_statistics
from training.adaptation.method import norms_of, see
from training.adaptation.priors import (
    bbse_priors,
    em_priors,
    posteriors,
    prior_offsets,
    with_offsets,
)
from training.adaptation.tent import mean_entropy, with_least_entropy

PRIORS = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
SHIFTED = torch.tensor([0.1, 0.2, 0.7], dtype=torch.float64)


def target_batches(num_samples=5, *, batch_size=2):
    return draw_batches(toy_problem().target, num_samples=num_samples, crop_px=64, batch_size=batch_size)


def layer_inputs(network, batches):
    """What each normalisation is given, in evaluation mode."""
    given = {}
    handles = [
        norm.register_forward_pre_hook(lambda module, inputs: given.setdefault(module, []).append(inputs[0]))
        for norm in norms_of(network)
    ]
    with torch.no_grad():
        for batch in batches:
            see(network, batch)
    for handle in handles:
        handle.remove()
    return {norm: torch.cat(parts) for norm, parts in given.items()}


def trained_looking():
    """A network whose running statistics are not those it began with."""
    network = new_network().train()
    with torch.no_grad():
        network(draw(toy_problem().source).image_NCHW)
    return network.eval()


def test_alpha_zero_changes_nothing():
    network = trained_looking()
    assert same(
        network.state_dict(), with_target_statistics(network, target_batches(), alpha=0.0).state_dict()
    )


def test_at_alpha_one_each_layer_takes_off_exactly_what_the_target_has():
    batches = target_batches()
    adapted = with_target_statistics(trained_looking(), batches, alpha=1.0)
    inputs = layer_inputs(adapted, batches)
    assert len(inputs) == len(norms_of(adapted)) > 10
    for norm, features_NFhw in inputs.items():
        wide = features_NFhw.double()
        torch.testing.assert_close(norm.running_mean, wide.mean(dim=(0, 2, 3)).float(), rtol=1e-5, atol=1e-6)
        variance_F = wide.var(dim=(0, 2, 3), correction=0)
        torch.testing.assert_close(norm.running_var, variance_F.float(), rtol=1e-5, atol=1e-6)


def test_statistics_do_not_depend_on_how_samples_are_batched():
    together = target_batches(batch_size=5)
    samples = together[0]
    apart = [
        type(samples)(
            image_NCHW=samples.image_NCHW[index : index + 1],
            labels_NHW=None,
            domain_N=samples.domain_N[index : index + 1],
            is_absent_NC=samples.absences()[index : index + 1],
        )
        for index in range(5)
    ]
    network = trained_looking()
    first = with_target_statistics(network, together, alpha=1.0).state_dict()
    second = with_target_statistics(network, apart, alpha=1.0).state_dict()
    for name, value in first.items():
        torch.testing.assert_close(value, second[name], rtol=1e-4, atol=1e-5)


def test_a_blend_lies_between():
    network, batches = trained_looking(), target_batches()
    first = norms_of(network)[0].running_mean
    half = norms_of(with_target_statistics(network, batches, alpha=0.5))[0].running_mean
    whole = norms_of(with_target_statistics(network, batches, alpha=1.0))[0].running_mean
    torch.testing.assert_close(half, (first + whole) / 2)


def test_no_data_has_no_say_and_none_at_all_is_refused():
    samples = random_samples(2, side_px=64)
    wide = samples.with_image(torch.cat([samples.image_NCHW, torch.zeros(2, 4, 64, 64)], dim=-1))
    network = trained_looking()
    bare = norms_of(with_target_statistics(network, [samples], alpha=1.0))[0]
    veiled = norms_of(with_target_statistics(network, [wide], alpha=1.0))[0]
    torch.testing.assert_close(bare.running_mean, veiled.running_mean, rtol=0.05, atol=0.05)
    with pytest.raises(ValueError, match="no samples"):
        with_target_statistics(network, [], alpha=1.0)
    empty = samples.with_image(torch.zeros(2, 4, 64, 64))
    with pytest.raises(ValueError, match="have no data"):
        with_target_statistics(network, [empty], alpha=1.0)


def test_batches_hold_as_many_samples_as_asked_for():
    assert [len(batch.image_NCHW) for batch in target_batches(5, batch_size=2)] == [2, 2, 1]
    assert [len(batch.image_NCHW) for batch in target_batches(4, batch_size=2)] == [2, 2]


def classifier(priors_K, num_pixels, *, seed=0):
    """Classes drawn by priors, and the exact posteriors of a classifier that believes in ``PRIORS``."""
    generator = torch.Generator().manual_seed(seed)
    class_P = torch.multinomial(priors_K, num_pixels, replacement=True, generator=generator)
    centre_KF = torch.tensor([[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]], dtype=torch.float64)
    noise_PF = torch.randn(num_pixels, 2, generator=generator, dtype=torch.float64)
    seen_PF = centre_KF[class_P] + noise_PF
    log_PK = -0.5 * torch.cdist(seen_PF, centre_KF) ** 2 + PRIORS.log()
    return class_P, log_PK.softmax(dim=1)


def test_em_finds_the_priors_that_shifted():
    _, posteriors_PK = classifier(SHIFTED, 200_000)
    told_off_by = (posteriors_PK.mean(dim=0) - SHIFTED).abs().max()
    found_K = em_priors(posteriors_PK, PRIORS)
    assert (found_K - SHIFTED).abs().max() < 0.01 < told_off_by
    torch.testing.assert_close(found_K.sum(), torch.tensor(1.0, dtype=torch.float64))


def test_a_round_of_em_is_the_papers_and_none_loses_likelihood():
    _, posteriors_PK = classifier(SHIFTED, 2_000)
    by_paper_K = PRIORS
    log_likelihoods = []
    for num_rounds in range(1, 5):
        weighed_PK = torch.stack([posteriors_PK[:, k] * by_paper_K[k] / PRIORS[k] for k in range(3)], dim=1)
        log_likelihoods.append(weighed_PK.sum(dim=1).log().sum().item())
        by_paper_K = (weighed_PK / weighed_PK.sum(dim=1, keepdim=True)).mean(dim=0)
        found_K = em_priors(posteriors_PK, PRIORS, num_rounds=num_rounds, tolerance=0.0)
        torch.testing.assert_close(found_K, by_paper_K)
    assert log_likelihoods == sorted(log_likelihoods)


def test_em_leaves_priors_that_did_not_shift():
    _, posteriors_PK = classifier(PRIORS, 200_000)
    assert (em_priors(posteriors_PK, PRIORS) - PRIORS).abs().max() < 0.01


def test_em_leaves_what_the_source_never_had_at_nothing():
    _, posteriors_PK = classifier(SHIFTED, 50_000)
    wide_PK = torch.cat([posteriors_PK, torch.zeros(len(posteriors_PK), 1)], dim=1)
    found_K = em_priors(wide_PK, torch.cat([PRIORS, torch.zeros(1)]))
    assert found_K[3] == 0
    assert (found_K[:3] - SHIFTED).abs().max() < 0.02


def confusion(class_P, posteriors_PK):
    predicted_P = posteriors_PK.argmax(dim=1)
    return torch.bincount(class_P * 3 + predicted_P, minlength=9).reshape(3, 3)


def test_bbse_finds_the_priors_that_shifted():
    counts_TP = confusion(*classifier(PRIORS, 200_000))
    _, on_target_PK = classifier(SHIFTED, 200_000, seed=1)
    predicted_K = torch.bincount(on_target_PK.argmax(dim=1), minlength=3)
    assert (bbse_priors(counts_TP, predicted_K) - SHIFTED).abs().max() < 0.01


def test_bbse_is_exact_on_exact_counts_and_skips_absent_classes():
    of_true_TP = torch.tensor([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.0, 0.3, 0.7]], dtype=torch.float64)
    shares_K = SHIFTED @ of_true_TP
    torch.testing.assert_close(bbse_priors(PRIORS[:, None] * of_true_TP, shares_K), SHIFTED)
    with_none_TP = torch.zeros(4, 4, dtype=torch.float64)
    with_none_TP[:3, :3] = PRIORS[:, None] * of_true_TP
    found_K = bbse_priors(with_none_TP, torch.cat([shares_K, torch.zeros(1)]))
    torch.testing.assert_close(found_K[:3], SHIFTED)
    assert found_K[3] == 0


def test_correcting_priors_makes_the_shifted_classifier_better():
    class_P, posteriors_PK = classifier(SHIFTED, 100_000)
    offsets_K = prior_offsets(PRIORS, em_priors(posteriors_PK, PRIORS))
    before = (posteriors_PK.argmax(dim=1) == class_P).float().mean()
    after = ((posteriors_PK.log() + offsets_K).argmax(dim=1) == class_P).float().mean()
    assert after > before + 0.05


def test_equal_priors_are_no_offset_and_vanished_ones_are_bounded():
    assert (prior_offsets(PRIORS, PRIORS) == 0).all()
    offsets_K = prior_offsets(torch.tensor([0.5, 0.5, 0.0]), torch.tensor([1.0, 0.0, 0.0]))
    assert offsets_K.isfinite().all()
    assert offsets_K[1] == -4
    assert offsets_K[2] == 0


def test_offsets_go_into_the_bias_of_the_head():
    network = new_network().eval()
    image_NCHW = random_samples().image_NCHW
    offsets_K = torch.linspace(-1, 1, 16)
    adapted = with_offsets(network, offsets_K, temperature=2.0)
    gap = adapted(image_NCHW) / 2.0 - network(image_NCHW) / 2.0
    torch.testing.assert_close(gap, offsets_K[:, None, None].expand_as(gap), rtol=1e-4, atol=1e-5)
    assert same(network.state_dict(), with_offsets(network, torch.zeros(16)).state_dict())


def test_posteriors_are_the_networks_own_where_there_is_data():
    network, samples = new_network().eval(), random_samples()
    samples.image_NCHW[:, :, :8] = 0
    told_PK = posteriors(network, [samples], temperature=1.5, every_px=4)
    expected = (
        (network(samples.image_NCHW) / 1.5).softmax(dim=1)[:, :, 8::4, ::4].movedim(1, -1).flatten(0, 2)
    )
    torch.testing.assert_close(told_PK, expected.detach())


def test_what_tent_descends_is_the_entropy_in_nats():
    sub_pixels = torch.randn(2, 64, 6, 6, generator=torch.Generator().manual_seed(0))
    logits_NHWK = torch.nn.functional.pixel_shuffle(sub_pixels, 2).movedim(1, -1)
    expected = torch.distributions.Categorical(logits=logits_NHWK).entropy().mean()
    torch.testing.assert_close(mean_entropy(sub_pixels), expected)


def test_tent_is_surer_and_moves_normalisations_only():
    network, batches = trained_looking(), target_batches()

    def entropy(each):
        with torch.no_grad():
            return sum(mean_entropy(see(each, batch).sub_pixels_NQhw) for batch in batches)

    adapted = with_least_entropy(network, batches, num_rounds=5, learning_rate=1e-2)
    assert entropy(adapted) < entropy(with_target_statistics(network, batches, alpha=1.0))
    after = adapted.state_dict()
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, after[name])}
    assert "stem.1.weight" in moved
    assert all(
        ".1." in name for name in moved
    )  # the second of a convolution, a normalisation and a rectifier


def test_tent_of_no_round_is_adabn():
    network, batches = trained_looking(), target_batches(2)
    alone = with_target_statistics(network, batches, alpha=1.0).state_dict()
    assert same(alone, with_least_entropy(network, batches, num_rounds=0).state_dict())

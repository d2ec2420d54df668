"""Two tiny source domains, a target of other colours, and a network that is tiny too."""

from dataclasses import replace

import numpy as np
import torch
from toys import toy_coarse, toy_scenes

from training.adaptation.augmentation import STRONG
from training.adaptation.fitting import FitSpec, Problem, fit_method
from training.adaptation.method import Samples, Step, see
from training.adaptation.pools import Pool
from training.losses import every_second_row, pixel_losses
from training.networks.compact import CompactSpec, CompactUNet

NUM_CHANNELS = 16
SPEC = FitSpec(seed=3, num_steps=2, batch_size=2, crop_px=64, augmentation=STRONG, weight=0.0)


def new_network(*, seed=0, num_channels=NUM_CHANNELS):
    torch.manual_seed(seed)
    spec = CompactSpec(
        num_bands=4, num_channels=num_channels, widths=(8,) * 5, mean=(120.0,) * 4, std=(40.0,) * 4
    )
    return CompactUNet(spec).to(memory_format=torch.channels_last)


def toy_source():
    return replace(toy_scenes().as_source(), domains=("hill", "shore", "shore"))


def toy_problem(*, target=None):
    source = toy_source()
    return Problem(
        source=Pool.labelled(source),
        target=Pool.unlabelled(target or toy_coarse()),
        members_SK=torch.from_numpy(source.sets.members(range(NUM_CHANNELS))),
    )


def fitted(build, *, weight, problem=None, **changes):
    """The weights that a method gives; it is built as the registry builds it."""
    network, problem = new_network(), problem or toy_problem()
    spec = replace(SPEC, weight=weight, **changes)
    return fit_method(network, problem, build(network, problem), spec).state_dict()


def same(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def draw(pool, num_samples=2, *, crop_px=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return pool.draw(num_samples, crop_px=crop_px, augmentation=SPEC.augmentation, generator=generator)


def toy_step(network, *, problem=None, num_samples=3, progress=0.5, seed=0):
    """One step as the loop makes it, in float32."""
    problem = problem or toy_problem()
    network.train()
    source = draw(problem.source, num_samples, seed=seed)
    seen = see(network, source)
    logits_PK, labels_P = every_second_row(seen.sub_pixels_NQhw, source.labels_NHW, odd=False)
    is_labelled_P = labels_P != 255
    domain_P = source.domain_N[:, None, None].expand_as(source.labels_NHW[:, ::2]).reshape(-1)
    logits_PK, labels_P = logits_PK[is_labelled_P], labels_P[is_labelled_P]
    return Step(
        network=network,
        source=seen,
        loss_P=pixel_losses(logits_PK, labels_P, members_SK=problem.members_SK),
        domain_P=domain_P[is_labelled_P],
        logits_PK=logits_PK,
        labels_P=labels_P,
        members_SK=problem.members_SK,
        target=draw(problem.target, num_samples, seed=seed + 1),
        generator=torch.Generator().manual_seed(seed),
        progress=progress,
    )


def random_samples(num_samples=2, *, num_bands=4, side_px=32, seed=0, labels=None):
    generator = torch.Generator().manual_seed(seed)
    return Samples(
        image_NCHW=torch.randint(
            1, 255, (num_samples, num_bands, side_px, side_px), generator=generator
        ).float(),
        labels_NHW=labels,
        domain_N=torch.zeros(num_samples, dtype=torch.int64),
    )


def permuted(source, *, seed=0):
    """A source whose labels lie on other pixels, and stand for others."""
    rng = np.random.default_rng(seed)
    labels = [rng.permutation(each.ravel()).reshape(each.shape) for each in source.labels]
    return replace(source, labels=[(1 - each).astype(np.uint8) for each in labels])

"""Adaptation to territories without labels, or with few: one method a file, one small protocol.

`METHODS` names what `fitting.fit_method` can run without labels of the target, each with the one set of
hyper-parameters that it is compared with. What needs no training (`adabn`, `priors`, `tent`) and what needs
labels (`few_shot`) are functions and a method of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from training.adaptation.adabn import draw_batches, with_target_statistics
from training.adaptation.adda import DiscriminativeAdaptation
from training.adaptation.advent import AdversarialEntropy
from training.adaptation.anil import AlmostNoInnerLoop
from training.adaptation.augmentation import STRONG
from training.adaptation.coral import CoralOfDomains, DeepCoral
from training.adaptation.dann import DomainAdversarial
from training.adaptation.fda import FourierAdaptation
from training.adaptation.fitting import FitSpec, Problem, fit_method
from training.adaptation.groupdro import GroupDRO
from training.adaptation.irm import InvariantRisk
from training.adaptation.maml import FirstOrderMaml, Tasks
from training.adaptation.method import Method, Plain
from training.adaptation.moments import MomentMatching, Moments, domain_moments
from training.adaptation.rare_classes import RareClasses
from training.adaptation.self_training import SelfTraining
from training.adaptation.style import StyleRandomisation
from training.adaptation.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from training.adaptation.fitting import Keeper
    from training.adaptation.pools import Pool
    from training.networks.compact import CompactUNet


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A method as it is compared with others."""

    build: Callable[[CompactUNet, Problem], Method]
    """For the network begun with, and what it learns from."""
    weight: float = 1.0
    """Of its term; at 0 it is plain training.

    Those of alignment, IRM and adversaries are such that their gradient is some twentieth to fifth of the
    cross entropy's, measured on one batch with a packaged network and a discriminator taught for a few steps.
    """
    alpha: float = 0.0
    """How far the running statistics are moved to those of the target afterwards (AdaBN).

    What learns from target samples sees them by their batch statistics, and is served by the target's too.
    """
    is_candidate: bool = False
    """Whether the benchmark may choose it for a target; see `CANDIDATES`."""


def _self_training(network: CompactUNet, problem: Problem) -> SelfTraining:
    return SelfTraining(network, rare=RareClasses(problem.source), source_augmentation=STRONG)


METHODS: Mapping[str, Entry] = MappingProxyType(
    {
        "erm": Entry(build=lambda _network, _problem: Plain()),
        "adabn": Entry(build=lambda _network, _problem: Plain(), alpha=0.5, is_candidate=True),
        "style": Entry(build=lambda _network, _problem: StyleRandomisation(), is_candidate=True),
        "moments": Entry(
            build=lambda _network, problem: MomentMatching(
                Moments.of(_target(problem)), domains=domain_moments(problem.source)
            ),
            is_candidate=True,
        ),
        "moments_of_samples": Entry(
            build=lambda _network, problem: MomentMatching(Moments.of(_target(problem)))
        ),
        "fda": Entry(build=lambda _network, _problem: FourierAdaptation(), is_candidate=True),
        "coral": Entry(
            build=lambda _network, _problem: DeepCoral(), weight=300.0, alpha=1.0, is_candidate=True
        ),
        "coral_of_domains": Entry(build=lambda _network, _problem: CoralOfDomains(), weight=100.0),
        "irm": Entry(build=lambda _network, _problem: InvariantRisk(), weight=0.02),
        "groupdro": Entry(
            build=lambda _network, problem: GroupDRO(num_domains=max(problem.source.domain_numbers) + 1)
        ),
        "dann": Entry(
            build=lambda network, _problem: DomainAdversarial(num_features=network.spec.widths[-1]),
            alpha=1.0,
        ),
        "advent": Entry(
            build=lambda network, _problem: AdversarialEntropy(num_channels=network.spec.num_channels),
            weight=0.3,
            alpha=1.0,
            is_candidate=True,
        ),
        "adda": Entry(build=lambda network, _problem: DiscriminativeAdaptation(network), alpha=1.0),
        "self_training": Entry(build=_self_training, alpha=1.0, is_candidate=True),
        "self_training_fda": Entry(
            build=lambda network, problem: Together(FourierAdaptation(), _self_training(network, problem)),
            alpha=1.0,
            is_candidate=True,
        ),
        "maml": Entry(
            build=lambda _network, problem: FirstOrderMaml(Tasks(problem.source, augmentation=STRONG))
        ),
        "anil": Entry(
            build=lambda _network, problem: AlmostNoInnerLoop(Tasks(problem.source, augmentation=STRONG))
        ),
    }
)
"""What can be run without labels of the target, by name."""

CANDIDATES: tuple[str, ...] = tuple(name for name, entry in METHODS.items() if entry.is_candidate)
"""What a target's recipe is chosen from, by the other domains: eight at most, fixed before the runs."""


def adapt(  # noqa: PLR0913 - the two last are for whoever waits for it
    network: CompactUNet,
    problem: Problem,
    entry: Entry,
    spec: FitSpec,
    *,
    num_samples: int = 64,
    each_step: Callable[[int, float], None] | None = None,
    keeper: Keeper | None = None,
) -> CompactUNet:
    """Train a network by a method as it is compared, statistics of the target included where it says so.

    Args:
        network: Trained in place, and begun with.
        problem: What it learns from.
        entry: One of `METHODS`.
        spec: How; its weight is the entry's.
        num_samples: Crops of the target that statistics are taken from.
        each_step: Told the number of each step and its loss.
        keeper: Where the fit goes on, if it was stopped; None begins anew.

    Returns:
        In evaluation mode.

    Raises:
        ValueError: The method needs a target, and there is none.
    """
    method = entry.build(network, problem)
    fitted = fit_method(
        network, problem, method, replace(spec, weight=entry.weight), each_step=each_step, keeper=keeper
    )
    if not entry.alpha:
        return fitted
    batches = draw_batches(
        _target(problem), num_samples=num_samples, crop_px=spec.crop_px, batch_size=spec.batch_size
    )
    return with_target_statistics(fitted, batches, alpha=entry.alpha)


def _target(problem: Problem) -> Pool:
    if problem.target is None:
        raise ValueError("adapting takes statistics of the target: give its unlabelled images")
    return problem.target

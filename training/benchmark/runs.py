"""One run: a network is taught, or adapted, and judged; its outcome is one file of JSON.

Axes: T true labels, P predicted ones, K channels of the head, one for each label.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from training.adaptation import METHODS, adapt
from training.adaptation.augmentation import FLIPS, STRONG
from training.adaptation.few_shot import FewShot, few_windows
from training.adaptation.fitting import FitSpec, Problem, fit_method
from training.adaptation.method import Plain
from training.adaptation.pools import Pool
from training.benchmark.bases import taught_once
from training.benchmark.corrections import CORRECTIONS, corrected
from training.data.samples import IGNORED
from training.evaluate import raw_logits
from training.networks.compact import CompactSpec, CompactUNet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.adaptation.augmentation import Augmentation
    from training.benchmark.case import Case
    from training.data.sources import Source

FLIPPED, STRENGTHENED, ORACLE = "S0", "S1", "O"
BASES = (FLIPPED, STRENGTHENED)
"""Roles that are taught from nothing; all others begin with S1 of their seed."""
CONTROL = "erm"
"""S1 taught on for as long as what is adapted: what more passes alone give."""
FEW_SHOT, DRAW = "few_shot_", "_draw_"
"""And a number of labelled windows, then, but for the first, the number of the draw of windows."""
NUM_BINS = 15
"""Of confidence."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much every run gets; the same for all of a benchmark."""

    base_steps: int = 3000
    adapt_steps: int = 250
    batch_size: int = 8
    crop_px: int = 160
    widths: tuple[int, int, int, int, int] = (24, 36, 64, 96, 96)
    peak_learning_rate: float = 3e-3
    peak_muon_learning_rate: float = 0.04
    adapt_rate: float = 0.3
    """Learning rates of what is adapted, over those of bases."""

    def num_steps(self, case: Case, *, is_base: bool) -> int:
        """Of a run."""
        return max(1, round(case.base_share * self.base_steps)) if is_base else self.adapt_steps

    def spec(self, case: Case, *, seed: int, is_base: bool, augmentation: Augmentation) -> FitSpec:
        """How a run is fitted."""
        rate = 1.0 if is_base else self.adapt_rate
        return FitSpec(
            seed=seed,
            num_steps=self.num_steps(case, is_base=is_base),
            batch_size=self.batch_size,
            crop_px=self.crop_px,
            augmentation=augmentation,
            peak_learning_rate=rate * self.peak_learning_rate,
            peak_muon_learning_rate=rate * self.peak_muon_learning_rate,
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """One entry of the queue."""

    experiment: str
    target: str
    role: str
    """S0, S1, O, ``few_shot_<k>``, ``few_shot_<k>_draw_<n>``, the name of a method or of a correction."""
    seed: int

    @property
    def name(self) -> str:
        """Of its files, without their ending."""
        return f"{self.experiment}/{self.target}/{self.role}-{self.seed}"

    @property
    def begins_with(self) -> Run | None:
        """The run whose weights this one begins with."""
        if self.role in BASES:
            return None
        return Run(experiment=self.experiment, target=self.target, role=STRENGTHENED, seed=self.seed)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run says of itself."""

    run: Run
    budget: Budget
    fingerprint: str
    counts_TP: list[list[int]]
    """Pixels of the target's test parts."""
    by_image_TP: list[list[list[int]]]
    """Of each test part, in the order of the case."""
    in_domain_TP: list[list[int]] | None
    reliability: list[tuple[int, float, float]]
    """Of each bin of confidence: pixels, mean confidence, share that is right."""
    labels: list[str]
    seconds: float
    """Of teaching and judging; waiting for a base that another process taught is not among them."""
    base_share: float | None = None
    """The case's; None in outcomes written before it was kept."""
    truth: str | None = None
    """Digest of what was judged on; None as above."""

    def write(self, folder: Path) -> None:
        """As ``<name>.json``; whole or not at all."""
        path = folder / f"{self.run.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")
        partial.replace(path)

    @classmethod
    def read(cls, folder: Path, run: Run) -> Self | None:
        """None where the run has not ended."""
        path = folder / f"{run.name}.json"
        if not path.is_file():
            return None
        saved: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        saved["run"] = Run(**saved["run"])
        saved["budget"] = Budget(**saved["budget"] | {"widths": tuple(saved["budget"]["widths"])})
        saved["reliability"] = [tuple(each) for each in saved["reliability"]]
        return cls(**saved)


def do_run(run: Run, case: Case, budget: Budget, *, folder: Path) -> Outcome:
    """Teach, judge, and write weights and outcome into a folder.

    Raises:
        ValueError: The role is none.
        FileNotFoundError: The run that this one begins with has not ended.
    """
    began_s = time.monotonic()
    torch.manual_seed(run.seed)
    waited_s: list[float] = []
    network = teach(run, case, budget, folder=folder, waited=waited_s.append)
    path = folder / f"{run.name}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    judged = [judge(network, case.test, number) for number in range(len(case.test))]
    bins_M3B = np.array([each.bins_3B for each in judged])
    outcome = Outcome(
        run=run,
        budget=budget,
        fingerprint=case.fingerprint(),
        counts_TP=_pooled(judged),
        by_image_TP=[each.counts_TP.tolist() for each in judged],
        in_domain_TP=None
        if case.in_domain is None
        else _pooled([judge(network, case.in_domain, number) for number in range(len(case.in_domain))]),
        reliability=_reliability(bins_M3B.sum(axis=0)),
        labels=list(case.labels),
        seconds=round(time.monotonic() - began_s - sum(waited_s), 1),
        base_share=case.base_share,
        truth=case.truth(),
    )
    outcome.write(folder)
    return outcome


def teach(
    run: Run, case: Case, budget: Budget, *, folder: Path, waited: Callable[[float], None]
) -> CompactUNet:
    """The network of a run, in evaluation mode.

    Args:
        run: Which.
        case: What it learns from.
        budget: How much it gets.
        folder: Of runs.
        waited: Told the seconds that went by while another process taught its base.
    """
    members = torch.eye(len(case.source.sets), dtype=torch.bool)
    source = Pool.labelled(case.source)
    problem = Problem(source=source, target=Pool.unlabelled(case.pool), members_SK=members)
    is_base = run.role in BASES
    augmentation = FLIPS if run.role == FLIPPED else STRONG
    spec = budget.spec(case, seed=run.seed, is_base=is_base, augmentation=augmentation)
    network = new_network(case, budget)
    begun = run.begins_with
    if begun is not None:
        network.load_state_dict(torch.load(folder / f"{begun.name}.pt", weights_only=True))
    if is_base:
        return taught_once(
            lambda: fit_method(network, problem, Plain(), spec),
            network,
            case,
            spec,
            folder=folder,
            waited=waited,
        )
    if run.role in CORRECTIONS:
        return corrected(network, case, run.role, crop_px=spec.crop_px)
    if run.role == ORACLE:
        return fit_method(network, problem, FewShot(Pool.labelled(case.pool)), spec)
    if run.role.startswith(FEW_SHOT):
        num_windows, _, draw = run.role.removeprefix(FEW_SHOT).partition(DRAW)
        # The same for every number of windows: those of five begin with the one of one.
        windows = few_windows(case.pool, num_windows=int(num_windows), seed=run.seed + int(draw or 0))
        return fit_method(network, problem, FewShot(windows), replace(spec, is_norm_frozen=True))
    if run.role not in METHODS:
        raise ValueError(f"no method {run.role!r}; methods: {', '.join((*METHODS, *CORRECTIONS))}")
    return adapt(network, problem, METHODS[run.role], spec)


def new_network(case: Case, budget: Budget) -> CompactUNet:
    """A network of a case's bands and labels, weights at random, normalised by the source's pixels."""
    pixels_CP = np.concatenate(
        [image.reshape(len(image), -1)[:, ::97] for image in case.source.images], axis=1
    )
    spec = CompactSpec(
        num_bands=len(pixels_CP),
        num_channels=len(case.source.sets),
        widths=budget.widths,
        mean=tuple(pixels_CP.mean(axis=1).tolist()),
        std=tuple(pixels_CP.std(axis=1).clip(min=1).tolist()),
    )
    return CompactUNet(spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Of one image."""

    counts_TP: NDArray[np.int64]
    bins_3B: NDArray[np.float64]
    """Of each bin of confidence: pixels, their confidence summed, those that are right."""


def judge(network: CompactUNet, source: Source, number: int) -> Judged:
    """Compare a network with the labels of one image of a source."""
    logits_KHW = raw_logits(network, source.images[number])
    confidence_HW, told_HW = logits_KHW.softmax(dim=0).max(dim=0)
    labels_HW = np.asarray(source.labels[number])
    is_labelled_HW = labels_HW != IGNORED
    true_P = labels_HW[is_labelled_HW].astype(np.int64)
    told_P = told_HW.numpy()[is_labelled_HW]
    confidence_P = confidence_HW.numpy()[is_labelled_HW].astype(np.float64)
    num_labels = len(logits_KHW)
    counts_TP = np.bincount(true_P * num_labels + told_P, minlength=num_labels**2)
    bin_P = (confidence_P * NUM_BINS).astype(np.int64).clip(max=NUM_BINS - 1)
    weights = (np.ones_like(confidence_P), confidence_P, (true_P == told_P).astype(np.float64))
    bins_3B = np.zeros((len(weights), NUM_BINS))
    for row, weights_P in enumerate(weights):
        bins_3B[row] = np.bincount(bin_P, weights=weights_P, minlength=NUM_BINS)
    return Judged(counts_TP=counts_TP.reshape(num_labels, num_labels), bins_3B=bins_3B)


def _pooled(judged: Sequence[Judged]) -> list[list[int]]:
    counts_TP: list[list[int]] = np.array([each.counts_TP for each in judged]).sum(axis=0).tolist()
    return counts_TP


def _reliability(bins_3B: NDArray[np.float64]) -> list[tuple[int, float, float]]:
    return [
        (int(num_px), round(confidence / max(1, num_px), 5), round(right / max(1, num_px), 5))
        for num_px, confidence, right in np.reshape(bins_3B, (3, -1)).T
    ]

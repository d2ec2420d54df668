"""From outcomes to figures: scores, the choice of a method for a target, gaps closed, intervals.

Missing runs are missing in all that follows; nothing is filled in.

Axes: T true labels, P predicted ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from training.benchmark.advice import Row, shares_truth
from training.benchmark.experiments import EXPERIMENTS, roles_of
from training.benchmark.runs import BASES, FLIPPED, ORACLE, STRENGTHENED, Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

MIN_SHARE = 0.005
"""Labels below this share of the truth are named and enter no mean."""
MIN_GAP = 0.05
"""Least gap between S0 and O of which a share closed is told."""
NUM_RESAMPLES = 1000


@dataclass(frozen=True, kw_only=True)
class Score:
    """Of one set of pixels."""

    miou: float
    iou: Mapping[str, float]
    absent: tuple[str, ...]


def score(counts_TP: NDArray[np.int64], labels: Sequence[str]) -> Score:
    """Mean IoU over the labels that have their share of the truth."""
    truth_T, told_P = counts_TP.sum(axis=1), counts_TP.sum(axis=0)
    union = truth_T + told_P - np.diag(counts_TP)
    iou = np.diag(counts_TP) / np.maximum(1, union)
    is_scored = truth_T >= max(1, MIN_SHARE * truth_T.sum())
    by_label = {labels[label]: float(iou[label]) for label in np.flatnonzero(is_scored).tolist()}
    return Score(
        miou=float(np.mean(list(by_label.values()))) if by_label else float("nan"),
        iou=by_label,
        absent=tuple(labels[label] for label in np.flatnonzero(~is_scored).tolist()),
    )


@dataclass(frozen=True, kw_only=True)
class Results:
    """Outcomes that are there, by row, role and seed."""

    outcomes: Mapping[tuple[Row, str, int], Outcome]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Results:
        """Lay them out."""
        return cls(
            outcomes=MappingProxyType(
                {
                    ((each.run.experiment, each.run.target), each.run.role, each.run.seed): each
                    for each in outcomes
                }
            )
        )

    @property
    def rows(self) -> list[Row]:
        """Targets that anything is known of."""
        return sorted({row for row, _, _ in self.outcomes})

    def seeds(self, row: Row, role: str) -> list[int]:
        """Of the runs that have ended."""
        return sorted(seed for found, role_found, seed in self.outcomes if (found, role_found) == (row, role))

    def roles(self, row: Row) -> list[str]:
        """That have a run, in the order of their names."""
        return sorted({role for found, role, _ in self.outcomes if found == row})

    def miou(self, row: Row, role: str) -> float | None:
        """Mean over seeds."""
        found = [self._score(row, role, seed).miou for seed in self.seeds(row, role)]
        return float(np.mean(found)) if found else None

    def in_domain(self, row: Row, role: str) -> float | None:
        """Mean over seeds, on images of the source's kind; None where there are none."""
        counts = [self.outcomes[row, role, seed].in_domain_TP for seed in self.seeds(row, role)]
        labels = [self.outcomes[row, role, seed].labels for seed in self.seeds(row, role)]
        found = [
            score(np.array(each), names).miou for each, names in zip(counts, labels, strict=True) if each
        ]
        return float(np.mean(found)) if found else None

    def iou(self, row: Row, role: str) -> dict[str, float]:
        """Of each label, counts of all seeds pooled."""
        found = [self.outcomes[row, role, seed] for seed in self.seeds(row, role)]
        return dict(score(np.sum([each.counts_TP for each in found], axis=0), found[0].labels).iou)

    def bins(self, rows: Mapping[Row, str | None]) -> NDArray[np.float64] | None:
        """Pixels, mean confidence and share that is right of each bin; rows and seeds pooled."""
        found = [
            np.array(self.outcomes[row, role, seed].reliability)
            for row, role in rows.items()
            if role is not None
            for seed in self.seeds(row, role)
        ]
        if not found:
            return None
        num_px_B = np.sum([each[:, 0] for each in found], axis=0)
        sums_B2 = np.sum([each[:, :1] * each[:, 1:] for each in found], axis=0)
        return np.column_stack([num_px_B, sums_B2 / np.maximum(1, num_px_B)[:, None]])

    def calibration_error(self, row: Row, role: str) -> float | None:
        """Expected calibration error (Guo et al. 2017, equation 3), mean over seeds."""
        errors = []
        for seed in self.seeds(row, role):
            bins = np.array(self.outcomes[row, role, seed].reliability)
            errors.append(
                float((bins[:, 0] * np.abs(bins[:, 1] - bins[:, 2])).sum() / max(1, bins[:, 0].sum()))
            )
        return float(np.mean(errors)) if errors else None

    def common_seeds(self, row: Row, roles: Iterable[str]) -> frozenset[int]:
        """Of those roles that have any."""
        known = [{*self.seeds(row, role)} for role in roles if self.seeds(row, role)]
        return frozenset(set.intersection(*known)) if known else frozenset()

    def gain(self, row: Row, role: str, *, seeds: Collection[int] | None = None) -> float | None:
        """A - S1 over the seeds that have both, or over some of them."""
        both = sorted({*self.seeds(row, role)} & {*self.seeds(row, STRENGTHENED)})
        both = [seed for seed in both if seeds is None or seed in seeds]
        gains = [
            self._score(row, role, seed).miou - self._score(row, STRENGTHENED, seed).miou for seed in both
        ]
        return float(np.mean(gains)) if gains else None

    def gain_interval(self, row: Row, role: str, *, share: float = 0.9) -> tuple[float, float] | None:
        """Bootstrap of A - S1 over the target's test images, seeds together: descriptive, they are few."""
        both = sorted({*self.seeds(row, role)} & {*self.seeds(row, STRENGTHENED)})
        if not both:
            return None
        pairs = [
            [np.array(self.outcomes[row, each, seed].by_image_TP) for each in (role, STRENGTHENED)]
            for seed in both
        ]
        labels, num_images = self.outcomes[row, role, both[0]].labels, len(pairs[0][0])
        rng = np.random.default_rng(0)
        gains = []
        for _ in range(NUM_RESAMPLES):
            chosen = rng.integers(num_images, size=num_images)
            drawn = [
                [score(counts[chosen].sum(axis=0), labels).miou for counts in adapted_and_not]
                for adapted_and_not in pairs
            ]
            gains.append(float(np.mean([adapted - not_adapted for adapted, not_adapted in drawn])))
        low, high = np.quantile(gains, [(1 - share) / 2, (1 + share) / 2])
        return float(low), float(high)

    def _score(self, row: Row, role: str, seed: int) -> Score:
        outcome = self.outcomes[row, role, seed]
        return score(np.array(outcome.counts_TP), outcome.labels)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The method that others' targets recommend for one."""

    method: str | None
    """None where no other target is known."""
    advisers: tuple[Row, ...]
    """Targets that it was chosen by."""
    gain: float | None
    """Its mean A - S1 over them."""


def choose(results: Results, row: Row, *, candidates: Sequence[str]) -> Choice:
    """The candidate of the best mean A - S1 over other targets; a target's own row is never read.

    Nor is any that shares its truth. A candidate counts where all advisers know it; a target without labels
    advises nobody. Of an adviser those seeds count that all candidates known there have: more seeds of some
    change nothing.
    """
    names = EXPERIMENTS[row[0]].chosen_by
    advisers = tuple(
        other
        for other in results.rows
        if not shares_truth(row, other)
        and other[0] in names
        and EXPERIMENTS[other[0]].is_judged
        and any(results.gain(other, method) is not None for method in candidates)
    )
    seeds = {other: results.common_seeds(other, candidates) for other in advisers}
    means: dict[str, float] = {}
    for method in candidates:
        gains = [results.gain(other, method, seeds=seeds[other]) for other in advisers]
        known = [gain for gain in gains if gain is not None]
        if known and len(known) == len(advisers):
            means[method] = float(np.mean(known))
    if not means:
        return Choice(method=None, advisers=advisers, gain=None)
    best = max(candidates, key=lambda method: means.get(method, -np.inf))
    return Choice(method=best, advisers=advisers, gain=means[best])


def gap_closed(not_adapted: float | None, adapted: float | None, oracle: float | None) -> float | None:
    """G = (A - S0) / (O - S0), never clipped; None where the gap is too small, or a run is missing."""
    if not_adapted is None or adapted is None or oracle is None or oracle - not_adapted < MIN_GAP:
        return None
    return (adapted - not_adapted) / (oracle - not_adapted)


def summarise(
    results: Results, *, candidates: Sequence[str], ceilings: Mapping[Row, float | None]
) -> dict[str, Any]:
    """What a script reads: of each experiment S0, S1, O, the choice, A, G, seeds and ceiling."""
    summary: dict[str, Any] = {}
    for name, experiment in EXPERIMENTS.items():
        rows = [row for row in results.rows if row[0] == name]
        if not rows:
            continue
        targets = {
            row[1]: _of_target(results, row, candidates=candidates, ceiling=ceilings.get(row)) for row in rows
        }
        means = {
            key: _mean([each[key] for each in targets.values()])
            for key in (FLIPPED, STRENGTHENED, ORACLE, "A")
        }
        chosen = sorted({each["chosen"] for each in targets.values() if each["chosen"]})
        summary[name] = {
            "title": experiment.title,
            **means,
            "chosen": chosen[0] if len(chosen) == 1 else chosen or None,
            "G": gap_closed(means[FLIPPED], means["A"], means[ORACLE]),
            "goal": experiment.goal,
            "seeds": sorted({seed for each in targets.values() for seed in each["seeds"]}),
            "ceiling": _mean([each["ceiling"] for each in targets.values() if each["ceiling"] is not None]),
            "worst_gain": min(
                (each["A-S1"] for each in targets.values() if each["A-S1"] is not None), default=None
            ),
            "targets": targets,
        }
    return summary


def _of_target(
    results: Results, row: Row, *, candidates: Sequence[str], ceiling: float | None
) -> dict[str, Any]:
    choice = choose(results, row, candidates=candidates)
    is_judged = EXPERIMENTS[row[0]].is_judged

    def miou(role: str | None) -> float | None:
        return results.miou(row, role) if is_judged and role is not None else None

    adapted = miou(choice.method)
    return {
        FLIPPED: miou(FLIPPED),
        STRENGTHENED: miou(STRENGTHENED),
        ORACLE: miou(ORACLE),
        "chosen": choice.method,
        "chosen_by": [f"{experiment}/{target}" for experiment, target in choice.advisers],
        "A": adapted,
        "A-S1": results.gain(row, choice.method) if is_judged and choice.method else None,
        "A-S1_interval": results.gain_interval(row, choice.method) if is_judged and choice.method else None,
        "S1-S0": _difference(miou(STRENGTHENED), miou(FLIPPED)),
        "G": gap_closed(miou(FLIPPED), adapted, miou(ORACLE)),
        "iou": {
            sign: results.iou(row, role) if is_judged and role and results.seeds(row, role) else None
            for sign, role in (*((each, each) for each in (*BASES, ORACLE)), ("A", choice.method))
        },
        "missing": [
            role for role in roles_of(EXPERIMENTS[row[0]], methods=candidates) if not results.seeds(row, role)
        ],
        "in_domain": {role: results.in_domain(row, role) for role in (FLIPPED, STRENGTHENED, ORACLE)},
        "methods": {role: miou(role) for role in results.roles(row)},
        "calibration_error": {
            role: results.calibration_error(row, role) if is_judged else None for role in results.roles(row)
        },
        "seeds": results.seeds(row, STRENGTHENED),
        "ceiling": ceiling,
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _difference(first: float | None, second: float | None) -> float | None:
    return first - second if first is not None and second is not None else None

"""What runs may take, by what runs of their kind took, else by their steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training.benchmark.corrections import CORRECTIONS
from training.benchmark.runs import BASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from training.benchmark.case import Case
    from training.benchmark.runs import Budget, Outcome, Run

_MPX_PER_S = 0.9
"""Millions of pixels forward and back, of some 0.6 M weights on one free core."""
_PASSES = {
    "self_training": 2.4,
    "self_training_fda": 2.5,
    "coral": 1.6,
    "advent": 1.7,
    "dann": 1.6,
    "adda": 2.0,
}
"""Cost of a step in those of plain training, measured."""
_CORRECTION_S = 30.0


class Costs:
    """Estimates for a folder of runs.

    Args:
        outcomes: Of the runs that have ended.
        budget: Of those that have not.
        cases: By experiment and target.
    """

    def __init__(
        self, outcomes: Iterable[Outcome], budget: Budget, cases: Mapping[tuple[str, str], Case]
    ) -> None:
        self.budget = budget
        self.cases = cases
        known: dict[tuple[str, str], list[float]] = {}
        for outcome in outcomes:
            known.setdefault((outcome.run.experiment, outcome.run.role), []).append(outcome.seconds)
        self._known = {kind: float(np.mean(seconds)) for kind, seconds in known.items()}

    def seconds(self, run: Run) -> float:
        """Of one run; that a base may be there already, from another row, is not known here."""
        known = self._known.get((run.experiment, run.role))
        if known is not None:
            return known
        if run.role in CORRECTIONS:
            return _CORRECTION_S
        num_steps = self.budget.num_steps(self.cases[run.experiment, run.target], is_base=run.role in BASES)
        num_mpx = num_steps * self.budget.batch_size * self.budget.crop_px**2 / 1e6
        return num_mpx * _PASSES.get(run.role, 1.0) / _MPX_PER_S

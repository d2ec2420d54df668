"""What `orthoscape-train benchmark` does: the queue, then the figures."""

from __future__ import annotations

import datetime as dt
import json
import platform
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from training.benchmark.charts import class_chart, gain_chart, reliability_chart
from training.benchmark.costs import Costs
from training.benchmark.drifts import tell_drifts
from training.benchmark.experiments import EXPERIMENTS, lay_out
from training.benchmark.pictures import load, sheet, write_predictions
from training.benchmark.report import write_tables
from training.benchmark.runs import FLIPPED, STRENGTHENED, Outcome, Run
from training.benchmark.summary import Results, choose, summarise
from training.benchmark.work import work_off

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from training.benchmark.advice import Row
    from training.benchmark.case import Case
    from training.benchmark.runs import Budget

RESULTS_NAME, TABLES_NAME = "adaptation.json", "adaptation.md"
SHEET_IMAGES = 3
"""Test images of a target that are drawn side by side."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked for."""

    experiments: tuple[str, ...]
    data: Mapping[str, Path]
    """Folder of each data set."""
    seeds: tuple[int, ...]
    methods: tuple[str, ...]
    budget: Budget
    folder: Path
    """Where runs lie."""
    targets: tuple[str, ...] = ()
    """Of the experiments; empty for all."""

    def cases(self) -> dict[tuple[str, str], Case]:
        """By experiment and target.

        Raises:
            KeyError: The folder of a data set is not named.
            ValueError: No experiment has such a target.
        """
        found, known = {}, set()
        for name in self.experiments:
            for case in EXPERIMENTS[name].build(self.data[EXPERIMENTS[name].data]):
                known.add(case.target)
                if not self.targets or case.target in self.targets:
                    found[case.experiment, case.target] = case
        unknown = [target for target in self.targets if target not in known]
        if unknown:
            raise ValueError(f"no target {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return found

    def queue(self, cases: Mapping[tuple[str, str], Case]) -> list[Run]:
        """All runs, in their order."""
        targets = {name: [row[1] for row in cases if row[0] == name] for name in self.experiments}
        return lay_out(self.experiments, targets, seeds=self.seeds, methods=self.methods)


def list_queue(plan: Plan) -> Iterator[str]:
    """All runs in their order: done, or roughly how long they may take."""
    cases = plan.cases()
    done = read_results(plan, cases)
    costs, total_s = Costs(done.outcomes.values(), plan.budget, cases), 0.0
    for run in plan.queue(cases):
        is_done = run.seed in done.seeds((run.experiment, run.target), run.role)
        total_s += 0.0 if is_done else costs.seconds(run)
        yield f"{'done' if is_done else '    '} {run.name}" + (
            "" if is_done else f"  ~ {costs.seconds(run) / 60:.1f} min"
        )
    yield f"~ {total_s / 3600:.1f} h to come"


def run_queue(plan: Plan, *, minutes: float | None) -> int:
    """Do what has not been done; no run is begun after so many minutes. Returns how many were done."""
    cases = plan.cases()
    ends_s = None if minutes is None else time.monotonic() + 60 * minutes
    return work_off(
        plan.queue(cases),
        cases,
        plan.budget,
        folder=plan.folder,
        is_time_up=lambda: ends_s is not None and time.monotonic() > ends_s,
    )


def read_results(plan: Plan, cases: Mapping[tuple[str, str], Case]) -> Results:
    """Of the runs of a plan that have ended."""
    found = [Outcome.read(plan.folder, run) for run in plan.queue(cases)]
    return Results.of([outcome for outcome in found if outcome is not None])


def write_report(plan: Plan, *, out: Path) -> dict[str, Any]:
    """Figures, tables and pictures of the runs that have ended.

    Returns:
        The summary.

    Raises:
        ValueError: Runs were made with several budgets.
    """
    cases = plan.cases()
    results = read_results(plan, cases)
    budget = _budget(results)
    ceilings = {row: case.ceiling for row, case in cases.items()}
    summary = summarise(results, candidates=plan.methods, ceilings=ceilings)
    out.mkdir(parents=True, exist_ok=True)
    drifts = tell_drifts(results, {row: case for row, case in cases.items() if EXPERIMENTS[row[0]].is_judged})
    written = {
        "summary": summary,
        "drift": drifts,
        "machine": _machine(),
        "outcomes": [
            {
                "run": outcome.run.name,
                "fingerprint": outcome.fingerprint,
                "counts_TP": outcome.counts_TP if EXPERIMENTS[outcome.run.experiment].is_judged else None,
                "labels": outcome.labels,
                "seconds": outcome.seconds,
            }
            for outcome in results.outcomes.values()
        ],
        "budget": budget,
    }
    (out / RESULTS_NAME).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    (out / TABLES_NAME).write_text(write_tables(summary, drifts), encoding="utf-8")
    _draw_charts(results, summary, plan.methods, out=out)
    for row, case in cases.items():
        _draw(plan, results, row, case, out=out)
    return summary


def predict_target(plan: Plan, row: tuple[str, str], *, names: Sequence[str] | None, out: Path) -> list[Path]:
    """Labels of all of a target's test images by S1 and by the chosen method, as PNG.

    Args:
        plan: Whose runs are looked at.
        row: Experiment and target.
        names: Of the pictures; None numbers them.
        out: Folder of both.

    Raises:
        ValueError: The plan has no such target, or no other by which a method could be chosen.
        FileNotFoundError: A run has not ended.
    """
    cases = plan.cases()
    if row not in cases:
        known = ", ".join(f"{target} of {experiment}" for experiment, target in cases)
        raise ValueError(f"no target {row[1]} of {row[0]} is planned; there are {known}")
    if names is None:
        names = [f"image_{number:03d}" for number in range(1, len(cases[row].test) + 1)]
    choice = choose(read_results(plan, cases), row, candidates=plan.methods)
    if choice.method is None:
        raise ValueError(f"nothing chooses a method for {row[1]}: run {EXPERIMENTS[row[0]].chosen_by} first")
    paths = []
    for role, folder in ((STRENGTHENED, "S1"), (choice.method, "adapted")):
        run = Run(experiment=row[0], target=row[1], role=role, seed=plan.seeds[0])
        network = load(run, cases[row], plan.budget, folder=plan.folder)
        paths += write_predictions(network, cases[row], names=names, out=out / folder)
    return paths


def _draw_charts(
    results: Results, summary: Mapping[str, Any], candidates: Sequence[str], *, out: Path
) -> None:
    """Gains by method and target, labels, reliability, for each experiment that is judged."""
    for name, entry in summary.items():
        rows = [(name, target) for target in entry["targets"]]
        chosen = {row: choose(results, row, candidates=candidates).method for row in rows}
        by_sign: dict[str, Mapping[Row, str | None]] = {
            FLIPPED: dict.fromkeys(rows, FLIPPED),
            STRENGTHENED: dict.fromkeys(rows, STRENGTHENED),
            "A": chosen,
        }
        bins = {
            sign: bins_B3
            for sign, roles in by_sign.items()
            if EXPERIMENTS[name].is_judged
            if (bins_B3 := results.bins(roles)) is not None
        }
        for kind, drawn in (
            ("gains", gain_chart(entry)),
            ("labels", class_chart(entry)),
            ("reliability", reliability_chart(entry["title"], bins)),
        ):
            if drawn is not None:
                (out / f"{name}-{kind}.svg").write_text(drawn, encoding="utf-8")


def _draw(plan: Plan, results: Results, row: tuple[str, str], case: Case, *, out: Path) -> None:
    """Pixels, truth, then of S0, S1 and the chosen method those that have been run, side by side."""
    choice = choose(results, row, candidates=plan.methods)
    roles = [role for role in (FLIPPED, STRENGTHENED, choice.method) if role is not None]
    runs = [Run(experiment=row[0], target=row[1], role=role, seed=plan.seeds[0]) for role in roles]
    runs = [run for run in runs if (plan.folder / f"{run.name}.pt").is_file()]
    if case.source.name != "dubai" or not runs:
        return
    networks = [load(run, case, plan.budget, folder=plan.folder) for run in runs]
    # Apart from each other: neighbouring parts of one scene look alike.
    numbers = np.unique(np.linspace(0, len(case.test) - 1, SHEET_IMAGES).astype(int)).tolist()
    picture = sheet(case, networks, numbers=numbers, has_truth=EXPERIMENTS[row[0]].is_judged)
    picture.save(out / f"{row[0]}-{row[1]}.png", optimize=True)


def _budget(results: Results) -> dict[str, Any] | None:
    """The budget of all runs.

    Raises:
        ValueError: They have several: what they gave cannot be compared.
    """
    budgets = list(dict.fromkeys(outcome.budget for outcome in results.outcomes.values()))
    if len(budgets) > 1:
        told = "; ".join(str(budget) for budget in budgets)
        raise ValueError(f"runs of one report need one budget, these have {len(budgets)}: {told}")
    return dict(vars(budgets[0])) if budgets else None


def _machine() -> dict[str, Any]:
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }

"""What is compared: experiments by name, and the order of their runs."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from training.adaptation import CANDIDATES
from training.benchmark import dubai_cases, landscape_cases, naip_cases
from training.benchmark.corrections import CORRECTIONS
from training.benchmark.runs import CONTROL, DRAW, FEW_SHOT, FLIPPED, ORACLE, STRENGTHENED, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from training.benchmark.case import Case

SHOTS = (1, 5, 20)
"""Labelled windows of the target."""
NUM_DRAWS = 5
"""Of windows, each fine-tuned on by itself."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One comparison."""

    title: str
    data: str
    """Name of the data set, as in ``--data NAME=FOLDER``."""
    build: Callable[[Path], list[Case]]
    chosen_by: tuple[str, ...]
    """Experiments whose targets choose the method of a target here, but for those that share its truth."""
    goal: float | None = None
    """Share of the gap between S0 and O that is to be closed."""
    is_judged: bool = True
    """Whether the target's labels are there."""
    has_few_shots: bool = False
    has_generated_truth: bool = False
    """Whether the folder is one that scenes are drawn into, and methods are run that take long to pay."""


EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {
        "dubai_induced_shift": Experiment(
            title="Dubai, induced shift",
            data="dubai",
            build=dubai_cases.induced_shift,
            chosen_by=("naip_seasons",),
            goal=0.5,
        ),
        "naip_seasons": Experiment(
            title="NAIP, summer and autumn across tiles",
            data="naip",
            build=naip_cases.seasons,
            chosen_by=("naip_seasons", "dubai_induced_shift"),
            goal=0.5,
        ),
        "tile_7": Experiment(
            title="Dubai, tile 7 from tiles 1 to 6",
            data="dubai",
            build=dubai_cases.tile_seven,
            chosen_by=("dubai_leave_one_out", "dubai_induced_shift"),
            is_judged=False,
        ),
        "dubai_leave_one_out": Experiment(
            title="Dubai, leave one domain out",
            data="dubai",
            build=dubai_cases.leave_one_out,
            chosen_by=("dubai_leave_one_out",),
            has_few_shots=True,
        ),
        "landscape_shifts": Experiment(
            title="Generated landscapes, one shift at a time and all together",
            data="landscapes",
            build=landscape_cases.shifts,
            chosen_by=("landscape_shifts",),
            has_generated_truth=True,
        ),
    }
)


LABORATORY = ("adda", "anil", "maml")
"""Methods that are compared on generated landscapes alone."""


def roles_of(experiment: Experiment, *, methods: Collection[str] = CANDIDATES) -> list[str]:
    """Roles of each of its targets, what matters most first."""
    roles = [STRENGTHENED, FLIPPED, ORACLE] if experiment.is_judged else [STRENGTHENED]
    roles += [CONTROL, *(CORRECTIONS if experiment.is_judged else ()), *methods]
    if experiment.has_few_shots:
        first = [f"{FEW_SHOT}{num_windows}" for num_windows in SHOTS]
        roles += first + [f"{role}{DRAW}{draw}" for draw in range(1, NUM_DRAWS) for role in first]
    if experiment.has_generated_truth:
        roles += [method for method in LABORATORY if method not in roles]
    return roles


def lay_out(
    names: Sequence[str],
    targets: Mapping[str, Sequence[str]],
    *,
    seeds: Sequence[int],
    methods: Collection[str] = CANDIDATES,
) -> list[Run]:
    """All runs in their order: seed by seed S1, S0 and O of all targets, then methods; few-shot after all.

    A choice between methods hangs on several seeds, so these come before few-shot curves. Where no share of a
    gap is to be closed, S0 comes last: it takes as long as all methods of a target.

    Args:
        names: Of experiments.
        targets: Of each experiment.
        seeds: Of initial weights and all chance.
        methods: To adapt with.
    """
    return [
        Run(experiment=name, target=target, role=role, seed=seed)
        for stages in _STAGES
        for seed in seeds
        for stage in stages
        for name in names
        for target in targets[name]
        for role in roles_of(EXPERIMENTS[name], methods=methods)
        if _stage_of(role, has_goal=EXPERIMENTS[name].goal is not None) == stage
    ]


_STAGES = ((0, 1), (2,), (3,))
"""What is done for all seeds before anything of the next group is begun."""


def _stage_of(role: str, *, has_goal: bool) -> int:
    """What bounds a gap is known before anything is said to close it; few-shot curves are looked at late."""
    if role == FLIPPED and not has_goal:
        return 3
    if role in (STRENGTHENED, FLIPPED, ORACLE):
        return 0
    return 2 if role.startswith(FEW_SHOT) else 1

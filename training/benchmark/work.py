"""Working off the queue of runs, by one process or by several that share a folder."""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import TYPE_CHECKING

from training.benchmark.runs import Outcome, do_run
from training.claims import claimed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from training.benchmark.advice import Row
    from training.benchmark.case import Case
    from training.benchmark.runs import Budget, Run

log = logging.getLogger(__name__)


def work_off(
    queue: Sequence[Run],
    cases: Mapping[tuple[str, str], Case],
    budget: Budget,
    *,
    folder: Path,
    is_time_up: Callable[[], bool] = lambda: False,
    wait_s: float = 5.0,
) -> int:
    """Do the runs of a queue that have not ended; a killed one begins again, none is done twice.

    Processes that are given one folder share the work: each run is claimed by one of them. On two cores two
    processes of one thread each do more than one of two threads: small layers gain little from a second one.

    Args:
        queue: In the order of doing; what a run begins with comes before it.
        cases: By experiment and target.
        budget: Of all runs.
        folder: Of outcomes and weights.
        is_time_up: Asked before each run.
        wait_s: Between looks at whether another process has ended what is waited for.

    Returns:
        How many were done here.

    Raises:
        ValueError: An outcome in the folder was made with another budget, from other data or judged on other.
    """
    num_done, queued = 0, {*queue}
    # Of gigabytes, and asked for at each look.
    digests = cache(lambda row: (cases[row].fingerprint(), cases[row].truth()))
    while pending := [run for run in queue if not _is_done(run, cases, budget, digests, folder=folder)]:
        num_done_before = num_done
        for run in pending:
            begun = run.begins_with
            if begun in queued and Outcome.read(folder, begun) is None:
                continue
            if is_time_up():
                log.warning("time is up: runs that have not ended: %d of %d", len(pending), len(queue))
                return num_done
            with claimed(folder / f"{run.name}.lock") as is_mine:
                if is_mine and Outcome.read(folder, run) is None:
                    case = cases[run.experiment, run.target]
                    outcome = do_run(run, case, budget, folder=folder)
                    num_done += 1
                    log.info("%s in %.0f s", run.name, outcome.seconds)
        if num_done == num_done_before:
            time.sleep(wait_s)  # all that is left is being done elsewhere, or begins with what is
    return num_done


def _is_done(
    run: Run,
    cases: Mapping[Row, Case],
    budget: Budget,
    digests: Callable[[Row], tuple[str, str]],
    *,
    folder: Path,
) -> bool:
    known = Outcome.read(folder, run)
    if known is None:
        return False
    row = run.experiment, run.target
    is_same_budget = known.budget == budget and known.base_share in (None, cases[row].base_share)
    fingerprint, truth = digests(row)
    if not is_same_budget or known.fingerprint != fingerprint or known.truth not in (None, truth):
        raise ValueError(
            f"{folder / run.name}.json was made with another budget, from other data or judged on other: "
            "give another folder, or the options that it was made with"
        )
    return True

"""From outcomes to figures: a target's method is chosen by others, nothing is filled in."""

import json

import numpy as np
import pytest
from benchmark_toys import outcome, three_targets

from training.benchmark.experiments import lay_out
from training.benchmark.report import write_tables
from training.benchmark.summary import Results, choose, gap_closed, score, summarise

NO_DRIFTS = {"targets": {}}


def test_the_method_of_a_target_is_chosen_by_the_others():
    rows, outcomes = three_targets()
    choice = choose(Results.of(outcomes), rows[0], candidates=("fda", "style"))
    assert (choice.method, set(choice.advisers)) == ("style", set(rows[1:]))
    for own in (0.0, 0.5, 0.99):
        again = choose(Results.of(three_targets(own)[1]), rows[0], candidates=("fda", "style"))
        assert again == choice, "its own row is never read"


def test_a_candidate_that_an_adviser_does_not_know_is_not_chosen():
    rows, outcomes = three_targets()
    outcomes = [each for each in outcomes if (each.run.target, each.run.role) != ("b", "style")]
    assert choose(Results.of(outcomes), rows[0], candidates=("fda", "style")).method == "fda"
    alone = [each for each in outcomes if each.run.target == "a"]
    assert choose(Results.of(alone), rows[0], candidates=("fda", "style")).method is None


def test_the_share_of_the_gap_is_told_where_there_is_one_and_never_clipped():
    assert gap_closed(0.3, 0.4, 0.5) == pytest.approx(0.5)
    assert gap_closed(0.3, 0.2, 0.5) == pytest.approx(-0.5)
    assert gap_closed(0.3, 0.6, 0.5) == pytest.approx(1.5)
    assert gap_closed(0.3, 0.4, 0.349) is None
    assert gap_closed(0.3, None, 0.5) is None


def test_rare_labels_are_named_and_enter_no_mean():
    counts_TP = np.array([[90, 10, 0], [0, 100, 0], [0, 0, 1]])
    found = score(counts_TP, ["a", "b", "c"])
    assert found.absent == ("c",) if 0.005 * counts_TP.sum() > 1 else found.absent == ()
    found = score(counts_TP * np.array([[100], [100], [1]]), ["a", "b", "c"])
    assert found.absent == ("c",)
    assert found.miou == pytest.approx((0.9 + 100 / 110) / 2, rel=1e-3)


def test_missing_runs_are_missing():
    rows, outcomes = three_targets()
    kept = [each for each in outcomes if (each.run.target, each.run.role) != ("c", "O")]
    entry = summarise(Results.of(kept), candidates=("fda", "style"), ceilings={rows[0]: 0.5})[
        "dubai_leave_one_out"
    ]
    assert entry["targets"]["c"]["O"] is None
    assert entry["targets"]["c"]["G"] is None
    assert (entry["O"], entry["G"]) == (None, None)
    assert entry["targets"]["a"]["ceiling"] == 0.5
    assert "O" in entry["targets"]["c"]["missing"]
    assert entry["targets"]["a"]["iou"]["A"] is not None
    assert "c: O" in write_tables({"x": entry}, NO_DRIFTS)
    json.dumps(entry)


def test_s1_comes_first_and_every_seed_has_all_roles():
    queue = lay_out(
        ["dubai_induced_shift", "tile_7"], {"dubai_induced_shift": ["x"], "tile_7": ["y"]}, seeds=(0, 1)
    )
    assert [run.role for run in queue[:4]] == ["S1", "S0", "O", "S1"]
    assert len(queue) == len(set(queue))
    assert not any(run.role == "O" for run in queue if run.experiment == "tile_7"), "nobody has its labels"
    without_goal = lay_out(["dubai_leave_one_out"], {"dubai_leave_one_out": ["x", "y"]}, seeds=(0,))
    assert [run.role for run in without_goal[-2:]] == ["S0", "S0"], "no gap waits for it"
    first = {run.name: number for number, run in enumerate(queue)}
    assert all(first[run.begins_with.name] < first[run.name] for run in queue if run.begins_with)


ROWS = [
    ("dubai_induced_shift", "shifted"),
    *(("dubai_leave_one_out", f"Dubai_{name}") for name in ("tile-2", "tile-4", "tiles-7-8")),
    *(("naip_seasons", f"{tile}_{date}") for tile in ("m_1_sw", "m_2_ne") for date in ("new", "old")),
]


@pytest.mark.parametrize(
    ("row", "advisers"),
    [
        (("dubai_induced_shift", "shifted"), ROWS[4:]),
        (("dubai_leave_one_out", "Dubai_tile-4"), [ROWS[1], ROWS[3]]),
        (("naip_seasons", "m_1_sw_new"), [ROWS[0], *ROWS[6:]]),
        (("tile_7", "Dubai_tile-7"), ROWS[:3]),
    ],
)
def test_no_adviser_is_judged_on_the_truth_of_the_advised(row, advisers):
    outcomes = [outcome(each, role, 0.5) for each in ROWS for role in ("S1", "fda", "style")]
    choice = choose(Results.of(outcomes), row, candidates=("fda", "style"))
    assert sorted(choice.advisers) == sorted(advisers)


def test_more_seeds_of_one_candidate_change_no_choice():
    rows, outcomes = three_targets()
    more = [outcome(row, role, 0.1, seed=1) for row in rows for role in ("style",)]
    more += [outcome(row, "S1", 0.4, seed=1) for row in rows]
    assert choose(Results.of(outcomes + more), rows[0], candidates=("fda", "style")).method == "style"


def test_few_shot_figures_are_means_over_draws():
    row = ("dubai_leave_one_out", "a")
    outcomes = [outcome(row, role, 0.4) for role in ("S1", "S0", "O", "fda")]
    outcomes += [
        outcome(row, role, value) for role, value in (("few_shot_1", 0.5), ("few_shot_1_draw_1", 0.6))
    ]
    outcomes.append(outcome(row, "few_shot_20", 0.7))
    summary = summarise(Results.of(outcomes), candidates=("fda",), ceilings={})
    (row,) = [line for line in write_tables(summary, NO_DRIFTS).splitlines() if "draws" in line]
    assert [cell.strip()[:4] for cell in row.split("|")[1:-1]] == ["a", "0.40", "0.55", "0.70", "0.40"]
    assert row.count("2 draws") == 1

"""Runs of the benchmark: no label of a target reaches its weights, nothing is done twice."""

import dataclasses
import errno
import fcntl
import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from benchmark_toys import TINY, case, run_of, source, weights

from training.benchmark import bases, runs
from training.benchmark.case import Case
from training.benchmark.corrections import CORRECTIONS
from training.benchmark.runs import Outcome, do_run
from training.benchmark.work import work_off
from training.claims import claimed


def permuted(source_):
    return dataclasses.replace(source_, labels=[1 - labels_HW for labels_HW in source_.labels])


@pytest.mark.parametrize("method", ["fda", "self_training", "coral"])
def test_other_labels_of_the_target_leave_its_weights_byte_for_byte(tmp_path, method):
    true = case()
    other = dataclasses.replace(true, pool=permuted(true.pool), test=permuted(true.test))
    for folder, each in (("true", true), ("other", other)):
        for role in ("S1", method):
            do_run(run_of(each, role), each, TINY, folder=tmp_path / folder)
    run = run_of(true, method)
    first, second = weights(tmp_path / "true", run), weights(tmp_path / "other", run)
    assert all(torch.equal(first[name], second[name]) for name in first)
    begun = weights(tmp_path / "true", run_of(true, "S1"))
    assert not all(torch.equal(first[name], begun[name]) for name in first), "something was learned"


def test_a_queue_that_is_cut_goes_on_and_does_nothing_twice(tmp_path):
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), role) for role in ("S1", "S0", "O", "erm", "fda", "few_shot_1")]
    assert work_off(queue[:2], cases, TINY, folder=tmp_path) == 2
    before = (tmp_path / f"{queue[0].name}.json").stat().st_mtime_ns
    assert work_off(queue, cases, TINY, folder=tmp_path) == 4
    assert work_off(queue, cases, TINY, folder=tmp_path) == 0
    assert (tmp_path / f"{queue[0].name}.json").stat().st_mtime_ns == before
    assert work_off(queue, cases, TINY, folder=tmp_path / "late", is_time_up=lambda: True) == 0


def test_processes_share_a_folder_and_each_run_is_done_once(tmp_path):
    """What another process holds is waited for; what it leaves undone is done here."""
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), role) for role in ("S1", "S0", "O", "erm", "fda", "style")]
    shared = tmp_path / "shared"
    code = (
        "import sys, pickle; queue, cases, budget, folder = pickle.load(sys.stdin.buffer);"
        "from training.benchmark.work import work_off;"
        "print(work_off(queue, cases, budget, folder=folder, wait_s=0.05))"
    )
    asked = pickle.dumps((queue, cases, TINY, shared))
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1"},  # sums are split by threads; here there is one too
        )
        for _ in range(2)
    ]
    for each in started:
        each.stdin.write(asked)
        each.stdin.close()
    done = [int(each.stdout.read()) for each in started]
    for each in started:
        each.stdout.close()
        assert each.wait() == 0
    assert sum(done) == len(queue)
    assert work_off(queue, cases, TINY, folder=tmp_path / "alone") == len(queue)
    for run in queue:
        first, second = weights(shared, run), weights(tmp_path / "alone", run)
        assert all(torch.equal(first[name], second[name]) for name in first), run.role
    assert not list(shared.rglob("*.lock"))


def test_what_was_done_is_held_against_its_data_once_however_often_it_is_looked_at(tmp_path, monkeypatch):
    """Others hold what is left; waiting for them must not hash all images again and again."""
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), role) for role in ("S1", "S0", "O")]
    work_off(queue[:2], cases, TINY, folder=tmp_path)
    asked, fingerprint = [], Case.fingerprint
    monkeypatch.setattr(Case, "fingerprint", lambda self: asked.append(self) or fingerprint(self))
    looks = iter([False] * 5 + [True])
    with claimed(tmp_path / f"{queue[2].name}.lock") as is_mine:
        assert is_mine
        work_off(queue, cases, TINY, folder=tmp_path, is_time_up=lambda: next(looks), wait_s=0)
    assert len(asked) == 1


def test_a_lock_that_its_holder_took_away_is_not_held_by_whoever_opened_it_before(tmp_path, monkeypatch):
    """Else two would hold a claim each: one on the file without a name, one on the next file of that name."""
    path, lock = tmp_path / "run.lock", fcntl.flock

    def left_meanwhile(file, how):
        path.unlink()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", left_meanwhile)
    with claimed(path) as is_mine:
        assert not is_mine
    monkeypatch.setattr(fcntl, "flock", lock)
    with claimed(path) as is_mine, claimed(path) as is_another_s:
        assert (is_mine, is_another_s) == (True, False)
    assert not path.exists()


def test_a_place_that_cannot_be_locked_is_no_claim_of_another(tmp_path, monkeypatch):
    """Who took it for one would wait for ever."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks"), claimed(tmp_path / "run.lock"):
        pytest.fail("nobody holds it")


def test_an_outcome_is_read_as_it_was_written(tmp_path):
    each = case()
    outcome = do_run(run_of(each, "S0"), each, TINY, folder=tmp_path)
    assert Outcome.read(tmp_path, outcome.run) == outcome
    assert np.sum(outcome.counts_TP) == 2 * 64 * 64
    assert sum(num_px for num_px, _, _ in outcome.reliability) == 2 * 64 * 64
    assert Outcome.read(tmp_path, run_of(each, "S1")) is None


def test_outcomes_of_another_budget_are_not_taken_for_this_one_s(tmp_path):
    cases = {("naip_seasons", "one"): case()}
    queue = [run_of(case(), "S1")]
    work_off(queue, cases, TINY, folder=tmp_path)
    with pytest.raises(ValueError, match="another budget"):
        work_off(queue, cases, dataclasses.replace(TINY, base_steps=4), folder=tmp_path)
    shorter = {row: dataclasses.replace(each, base_share=0.5) for row, each in cases.items()}
    with pytest.raises(ValueError, match="another budget"):
        work_off(queue, shorter, TINY, folder=tmp_path)
    with pytest.raises(ValueError, match="other data"):
        work_off(queue, {("naip_seasons", "one"): case(seed=9)}, TINY, folder=tmp_path)


def test_what_was_judged_by_other_truth_is_not_taken_for_this_one_s(tmp_path):
    row, each = ("naip_seasons", "one"), case()
    queue = [run_of(each, "S1")]
    work_off(queue, {row: each}, TINY, folder=tmp_path)
    for changes in (
        {"test": permuted(each.test)},
        {"in_domain": permuted(each.in_domain)},
        {"pool": permuted(each.pool)},
    ):
        with pytest.raises(ValueError, match="judged on other"):
            work_off(queue, {row: dataclasses.replace(each, **changes)}, TINY, folder=tmp_path)
    path = tmp_path / f"{queue[0].name}.json"
    of_before = {name: value for name, value in json.loads(path.read_text()).items() if name != "truth"}
    path.write_text(json.dumps(of_before))
    assert work_off(queue, {row: each}, TINY, folder=tmp_path) == 0


def test_waiting_for_a_base_that_another_process_teaches_counts_as_no_work(tmp_path, monkeypatch):
    each = case()
    do_run(run_of(each, "S1"), each, TINY, folder=tmp_path / "other")
    (taught,) = (tmp_path / "other" / "bases").iterdir()
    place = tmp_path / "bases" / taught.name

    def wait(seconds):
        clock[0] += seconds
        if clock[0] >= 4 * bases.WAIT_S:
            shutil.copyfile(taught, place)

    clock = [0.0]
    monkeypatch.setattr(bases.time, "sleep", wait)
    monkeypatch.setattr(runs.time, "monotonic", lambda: clock[0])
    with claimed(place.with_suffix(".lock")) as is_mine:
        assert is_mine
        outcome = do_run(run_of(each, "S1"), each, TINY, folder=tmp_path)
    assert clock[0] == 4 * bases.WAIT_S
    assert outcome.seconds == 0


def test_rows_with_one_source_share_their_bases(tmp_path):
    first, second = (
        case(),
        dataclasses.replace(case(target="two"), pool=source(seed=50), test=source(seed=51)),
    )
    for each in (first, second):
        do_run(run_of(each, "S1"), each, TINY, folder=tmp_path)
    assert len(list((tmp_path / "bases").iterdir())) == 1
    do_run(run_of(first, "S0"), first, TINY, folder=tmp_path)
    do_run(run_of(first, "S1", seed=1), first, TINY, folder=tmp_path)
    assert len(list((tmp_path / "bases").iterdir())) == 3
    weights_of = [weights(tmp_path, run_of(each, "S1")) for each in (first, second)]
    assert all(torch.equal(weights_of[0][name], weights_of[1][name]) for name in weights_of[0])


def test_corrections_teach_nothing_and_windows_are_drawn_anew(tmp_path):
    each = case()
    for role in ("S1", *CORRECTIONS, "few_shot_1", "few_shot_1_draw_1"):
        do_run(run_of(each, role), each, TINY, folder=tmp_path)
    base = weights(tmp_path, run_of(each, "S1"))
    convolutions = [name for name, value in base.items() if value.ndim == 4 and "mean" not in name]
    for role in CORRECTIONS:
        corrected = weights(tmp_path, run_of(each, role))
        assert all(torch.equal(corrected[name], base[name]) for name in convolutions if "head" not in name)
        assert not all(torch.equal(corrected[name], base[name]) for name in base), role
    drawn = [weights(tmp_path, run_of(each, role)) for role in ("few_shot_1", "few_shot_1_draw_1")]
    assert not all(torch.equal(drawn[0][name], drawn[1][name]) for name in base)

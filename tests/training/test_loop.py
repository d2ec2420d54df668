"""A run learns, stops, and resumes as if it had not."""

import json
import math

import pytest
import torch
from toys import toy_mixture, toy_recipe

from training.loop import CheckpointMissing, RunLimits, fit, restore
from training.optimiser import learning_rate_share


def run(tmp_path, name, *, num_steps, **changes):
    limits = RunLimits(num_steps=num_steps, log_every_steps=1)
    return fit(toy_mixture(**changes), out=tmp_path / name, limits=limits)


def losses_of(folder):
    return [json.loads(line)["loss"] for line in (folder / "history.jsonl").read_text().splitlines()]


def test_a_run_stopped_after_a_checkpoint_resumes_identically(tmp_path):
    whole = run(tmp_path, "whole", num_steps=3, warmup_share=0.99)

    class Stopped(Exception):
        pass

    def stop(_state):
        raise Stopped

    limits = RunLimits(num_steps=3, log_every_steps=1, checkpoint_every_s=0.0)
    mixture = toy_mixture(warmup_share=0.99)
    for _ in range(2):
        with pytest.raises(Stopped):
            fit(mixture, out=tmp_path / "parts", limits=limits, each_checkpoint=stop)
    parts = fit(mixture, out=tmp_path / "parts", limits=limits)
    assert whole.step == parts.step == 3
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "parts")
    for name, value in whole.average.state_dict().items():
        assert torch.equal(value, parts.average.state_dict()[name]), name


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    run(tmp_path, "run", num_steps=2)
    run(tmp_path, "run", num_steps=2)
    assert len(losses_of(tmp_path / "run")) == 2


def test_it_learns(tmp_path):
    run(tmp_path, "run", num_steps=60, peak_learning_rate=1e-2, peak_muon_learning_rate=0.1)
    losses = losses_of(tmp_path / "run")
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])


def test_limits_are_steps_or_seconds():
    for wrong in ({}, {"num_steps": 1, "seconds": 1.0}):
        with pytest.raises(ValueError, match="one of them"):
            RunLimits(**wrong)
    assert RunLimits(seconds=10.0).progress(step=99, elapsed_s=5.0) == 0.5


def test_learning_rate_rises_and_falls():
    shares = [learning_rate_share(0.1, progress=progress) for progress in (0.0, 0.1, 0.55, 1.0)]
    assert shares == pytest.approx([0.05, 1.0, 0.505, 0.01])


def test_a_folder_without_a_run_says_so(tmp_path):
    with pytest.raises(CheckpointMissing, match="orthoscape-train fit"):
        restore(toy_recipe(), mixture=None, out=tmp_path)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(FloatingPointError):
        run(tmp_path, "run", num_steps=20, peak_learning_rate=math.inf)

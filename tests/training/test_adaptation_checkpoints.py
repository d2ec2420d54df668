"""A fit that is stopped goes on bit for bit, whatever its method carries from step to step."""

from dataclasses import replace

import pytest
from toy_domains import SPEC, new_network, same, toy_problem

from training.adaptation import METHODS, adapt
from training.adaptation.checkpoints import Checkpoint

STEPS = replace(SPEC, num_steps=3)


class Stopped(Exception):
    """Somebody pressed Ctrl-C."""


def stop_at(step):
    def each_step(number, _loss):
        if number == step:
            raise Stopped

    return each_step


def run(name, *, keeper=None, each_step=None):
    return adapt(
        new_network(),
        toy_problem(),
        METHODS[name],
        STEPS,
        num_samples=2,
        keeper=keeper,
        each_step=each_step,
    ).state_dict()


@pytest.mark.parametrize("name", METHODS)
def test_a_fit_that_was_stopped_gives_the_very_weights_of_one_that_was_not(name, tmp_path):
    keeper = Checkpoint(tmp_path / "fit.pt", every_s=0.0, num_steps=STEPS.num_steps)
    with pytest.raises(Stopped):
        run(name, keeper=keeper, each_step=stop_at(2))
    steps = []
    resumed = run(name, keeper=keeper, each_step=lambda step, _: steps.append(step))
    assert steps == [2]
    assert same(run(name), resumed)


def test_a_fit_that_is_over_takes_no_further_step(tmp_path):
    keeper = Checkpoint(tmp_path / "fit.pt", every_s=3600.0, num_steps=STEPS.num_steps)
    first = run("erm", keeper=keeper)
    assert same(first, run("erm", keeper=keeper, each_step=stop_at(0)))

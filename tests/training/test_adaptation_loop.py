"""Every method in the loop: nothing of it is left at weight 0, and nobody looks at a target's labels."""

from dataclasses import replace

import pytest
import torch
from toy_domains import SPEC, fitted, new_network, permuted, same, toy_coarse, toy_problem

from training.adaptation import CANDIDATES, METHODS, adapt
from training.adaptation.fda import FourierAdaptation
from training.adaptation.few_shot import FewShot
from training.adaptation.method import Plain
from training.adaptation.moments import MomentMatching, Moments
from training.adaptation.style import StyleRandomisation
from training.adaptation.together import Together

ALTER = ("style", "moments", "moments_of_samples", "fda", "self_training_fda")
"""Change samples, whatever their term weighs; their own strength is what goes to zero."""
ADD = tuple(name for name in METHODS if name not in (*ALTER, "erm", "adabn"))
STRENGTH_ZERO = {
    "style": lambda _problem: StyleRandomisation(strength=0.0),
    "moments": lambda problem: MomentMatching(Moments.of(problem.target), share=0.0),
    "fda": lambda _problem: FourierAdaptation(beta=0.0),
    "few_shot": lambda problem: FewShot(problem.source, share=0.0),
}


@pytest.fixture(scope="module")
def plain():
    return fitted(lambda *_: Plain(), weight=0.0)


@pytest.mark.parametrize("name", ADD)
def test_a_term_of_weight_zero_is_plain_training_bit_for_bit(plain, name):
    assert same(plain, fitted(METHODS[name].build, weight=0.0))
    assert not same(plain, fitted(METHODS[name].build, weight=1.0))


@pytest.mark.parametrize("name", STRENGTH_ZERO)
def test_a_change_of_strength_zero_is_plain_training_bit_for_bit(plain, name):
    assert same(plain, fitted(lambda _network, problem: STRENGTH_ZERO[name](problem), weight=1.0))


@pytest.mark.parametrize("name", ALTER)
def test_a_change_of_its_own_strength_is_another_training(plain, name):
    assert not same(plain, fitted(METHODS[name].build, weight=0.0))


def test_several_methods_of_no_strength_are_plain_training_too(plain):
    both = Together(FourierAdaptation(beta=0.0), METHODS["coral"].build(None, None))
    assert same(plain, fitted(lambda *_: both, weight=0.0))


@pytest.mark.parametrize("name", [name for name in METHODS if name != "erm"])
def test_a_target_whose_labels_are_permuted_gives_the_same_network(name):
    entry, coarse = METHODS[name], toy_coarse()
    networks = [
        adapt(
            new_network(),
            toy_problem(target=target),
            entry,
            replace(SPEC, num_steps=1),
            num_samples=2,
        )
        for target in (coarse, permuted(coarse))
    ]
    assert same(networks[0].state_dict(), networks[1].state_dict())


def test_what_is_served_has_the_targets_statistics_where_the_method_says_so():
    spec = replace(SPEC, num_steps=1)
    plain = adapt(new_network(), toy_problem(), METHODS["erm"], spec).state_dict()
    adapted = adapt(new_network(), toy_problem(), METHODS["adabn"], spec, num_samples=2).state_dict()
    differ = {name for name, value in plain.items() if not torch.equal(value, adapted[name])}
    assert differ
    assert all(name.endswith(("running_mean", "running_var")) for name in differ)


@pytest.mark.parametrize("name", ["adabn", "moments", "dann"])
def test_what_looks_at_a_target_asks_for_one(name):
    problem = replace(toy_problem(), target=None)
    with pytest.raises(ValueError, match="give its unlabelled images"):
        adapt(new_network(), problem, METHODS[name], replace(SPEC, num_steps=1))


def test_there_are_eight_candidates_and_nothing_changes_them():
    assert len(CANDIDATES) <= 8
    with pytest.raises(TypeError):
        METHODS["mine"] = METHODS["erm"]
    with pytest.raises(AttributeError):
        METHODS["erm"].weight = 2.0


def test_frozen_statistics_stay_and_weights_learn():
    before = new_network().state_dict()
    after = fitted(lambda *_: Plain(), weight=0.0, is_norm_frozen=True)
    learned = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert "head.bias" in learned
    assert not any(name.endswith(("running_mean", "running_var")) for name in learned)

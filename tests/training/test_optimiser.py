"""Muon's steps are orthogonal; the pair of optimisers covers every weight once and resumes."""

import pytest
import torch
from toys import toy_mixture, toy_recipe

from training.loop import restore
from training.optimiser import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(8, 72), (72, 8), (16, 16)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
    assert values.min() > 0.5
    assert values.max() < 1.3


def test_a_step_follows_the_gradient_downhill():
    weight = torch.nn.Parameter(torch.zeros(4, 2, 3, 3))
    goal = torch.randn(4, 2, 3, 3)
    muon = Muon([weight], lr=0.05)
    losses = []
    for _ in range(40):
        loss = (weight - goal).square().mean()
        loss.backward()
        muon.step()
        weight.grad = None
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_every_weight_has_one_optimiser(tmp_path):
    state = restore(toy_recipe(), mixture=toy_mixture(), out=tmp_path)
    trained = [
        weight for part in state.optimiser._parts for group in part.param_groups for weight in group["params"]
    ]
    assert len(trained) == len({id(weight) for weight in trained}) == len(list(state.network.parameters()))

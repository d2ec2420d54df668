"""The state of a fit on disk: weights, averages, optimisers, and what a method carries from step to step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from pathlib import Path

    from training.adaptation.fitting import FitState


class Checkpoint:
    """A file that a fit is kept in, and goes on from bit for bit.

    Args:
        path: Of the file; the one before stays whole until the next is.
        every_s: Least seconds between two.
        num_steps: Of the fit; its last step is always kept.
    """

    def __init__(self, path: Path, *, every_s: float, num_steps: int) -> None:
        self.path, self.every_s, self.num_steps = path, every_s, num_steps
        self._kept_s = time.monotonic()

    def restore(self, state: FitState) -> None:
        """Bring a state that has just begun to where it was left, if it was."""
        if not self.path.exists():
            return
        saved: dict[str, Any] = torch.load(self.path, weights_only=True)
        state.network.load_state_dict(saved["network"])
        state.average.load_state_dict(saved["average"])
        state.optimiser.load_state_dict(saved["optimiser"])
        if state.own is not None:
            state.own.load_state_dict(saved["own"])
        restore_method(state.method, saved["method"])
        state.step = saved["step"]

    def keep(self, state: FitState) -> None:
        """Write the state, when it is time."""
        is_last = state.step == self.num_steps
        if not is_last and time.monotonic() - self._kept_s < self.every_s:
            return
        self._kept_s = time.monotonic()
        partial = self.path.with_suffix(".part")
        torch.save(
            {
                "network": state.network.state_dict(),
                "average": state.average.state_dict(),
                "optimiser": state.optimiser.state_dict(),
                "own": None if state.own is None else state.own.state_dict(),
                "method": method_state(state.method),
                "step": state.step,
            },
            partial,
        )
        partial.replace(self.path)


def method_state(method: object) -> dict[str, Any]:
    """What a method carries: its modules, tensors and numbers, and those of the methods that it is made of.

    Everything else about a method is built from the network begun with and the problem, and is so again.
    """
    state: dict[str, Any] = {}
    for name, value in vars(method).items():
        if isinstance(value, nn.Module):
            state[name] = value.state_dict()
        elif isinstance(value, (Tensor, bool, int, float)):
            state[name] = value
        elif name == "methods":
            state[name] = [method_state(each) for each in value]
    return state


def restore_method(method: object, state: dict[str, Any]) -> None:
    """Give a method that was built alike what `method_state` told."""
    for name, value in state.items():
        current = getattr(method, name)
        if isinstance(current, nn.Module):
            current.load_state_dict(value)
        elif name == "methods":
            for each, saved in zip(current, value, strict=True):
                restore_method(each, saved)
        else:
            setattr(method, name, value)

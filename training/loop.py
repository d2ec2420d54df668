"""The training loop: a run folder, a network, its moving average, checkpoints; stops and resumes anywhere.

A run is measured in steps, where it is reproducible, or in minutes, where it ends in time on a busy machine:
the learning rate then follows the clock, and the run's record says how many steps that made.
"""

import json
import logging
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from models.errors import RemediedError
from training.batches import Batch, Mixture
from training.losses import IGNORED, class_weights, every_second_row, partial_label_loss, within_set_loss
from training.networks.compact import CompactSpec, CompactUNet
from training.networks.loading import load_network
from training.optimiser import Pair, learning_rate_share, update_average
from training.recipes.recipe import LANDSCAPES, Recipe

CHECKPOINT_NAME = "checkpoint.pt"
HISTORY_NAME = "history.jsonl"
STEPS_LOG = f"{__name__}.steps"
"""Name of the log that tells of steps: a progress bar takes its place."""

log = logging.getLogger(__name__)


class CheckpointMissing(RemediedError):
    """A run folder holds no weights yet."""


class CheckpointDamaged(RemediedError):
    """The weights of a run folder cannot be read."""


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """How long a run lasts, and how often it says so."""

    num_steps: int | None = None
    """Steps in all, earlier ones included; None follows ``seconds``."""
    seconds: float | None = None
    """Seconds of training in all, earlier ones included."""
    checkpoint_every_s: float = 180.0
    log_every_steps: int = 50

    def __post_init__(self) -> None:
        if (self.num_steps is None) == (self.seconds is None):
            raise ValueError("a run is limited by steps or by seconds, one of them")

    def progress(self, *, step: int, elapsed_s: float) -> float:
        """Share of the run that is over; 1 and above is the end."""
        if self.num_steps is not None:
            return step / self.num_steps
        assert self.seconds is not None
        return elapsed_s / self.seconds


@dataclass(kw_only=True)
class RunState:
    """What a checkpoint holds."""

    network: CompactUNet
    average: CompactUNet
    """Moving average of the weights; what is evaluated and exported."""
    optimiser: Pair
    step: int = 0
    elapsed_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is the same at every step: the label sets of all sources."""

    shares_SK: Tensor
    weight_S: Tensor

    @classmethod
    def of(cls, mixture: Mixture) -> Self:
        """The lesson of a recipe over its sources."""
        recipe = mixture.recipe
        weights = [class_weights(each, power=recipe.class_weight_power) for each in mixture.frequencies()]
        return cls(shares_SK=torch.from_numpy(mixture.shares()), weight_S=torch.cat(weights))


def fit(
    mixture: Mixture,
    *,
    out: Path,
    limits: RunLimits,
    each_checkpoint: Callable[[RunState], None] | None = None,
    each_step: Callable[..., None] | None = None,
) -> RunState:
    """Train, resuming from the run folder's checkpoint if there is one.

    Args:
        mixture: What to train, and on what.
        out: Run folder.
        limits: When to stop.
        each_checkpoint: Called after each checkpoint, for a look at validation scenes.
        each_step: Called after each step; see ``training.progress``.

    Returns:
        The state at the end, also written to the run folder.

    Raises:
        FloatingPointError: The loss is no longer a number.
    """
    recipe = mixture.recipe
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n", encoding="utf-8")
    state = restore(recipe, mixture=mixture, out=out)
    lesson = Lesson.of(mixture)
    if state.step:
        log.info("resuming %s at step %d", out, state.step)
    saved_s = state.elapsed_s
    started_s = time.monotonic() - state.elapsed_s
    while (progress := limits.progress(step=state.step, elapsed_s=state.elapsed_s)) < 1:
        share = learning_rate_share(recipe.warmup_share, progress=progress)
        loss = _step(state, lesson, mixture.draw(state.step), recipe, learning_rate_share=share)
        if not math.isfinite(loss):
            raise FloatingPointError(f"loss is {loss} at step {state.step}")
        state.step += 1
        state.elapsed_s = time.monotonic() - started_s
        is_over = limits.progress(step=state.step, elapsed_s=state.elapsed_s) >= 1
        if state.step % limits.log_every_steps == 0 or is_over:
            told = {"step": state.step, "loss": loss, "elapsed_s": round(state.elapsed_s, 1)}
            _write_history(out, {**told, "learning_rate_share": round(share, 4)})
        if each_step is not None:
            each_step(step=state.step, loss=loss, progress=progress)
        if state.elapsed_s - saved_s >= limits.checkpoint_every_s:
            saved_s = state.elapsed_s
            save(state, out)
            if each_checkpoint is not None:
                each_checkpoint(state)
    save(state, out)
    return state


def restore(recipe: Recipe, *, mixture: Mixture | None, out: Path) -> RunState:
    """The state of a run folder's checkpoint, or a new one.

    Args:
        recipe: What is trained.
        mixture: Where a new network takes its normalisation from; None asks for a checkpoint.
        out: Run folder.

    Raises:
        CheckpointMissing: There is no checkpoint, and nothing to begin with.
        CheckpointDamaged: The file is not whole, or holds another network.
        RemediedError: There is no artefact that the recipe begins with, or it is of another network.
    """
    path = out / CHECKPOINT_NAME
    torch.manual_seed(recipe.seed)
    if not path.exists():
        if mixture is None:
            raise CheckpointMissing(f"no checkpoint in {out}", remedy="Run `orthoscape-train fit` first.")
        if recipe.begin_with is None:
            mean, std = band_moments(mixture)
            return _new_state(recipe, mean=mean, std=std)
        begun = _begun_with(recipe)
        state = _new_state(recipe, mean=begun.spec.mean, std=begun.spec.std)
        for network in (state.network, state.average):
            network.load_state_dict(begun.state_dict())
        return state
    try:
        saved: dict[str, Any] = torch.load(path, weights_only=True)
        state = _new_state(recipe, mean=tuple(saved["mean"]), std=tuple(saved["std"]))
        state.network.load_state_dict(saved["network"])
        state.average.load_state_dict(saved["average"])
        state.optimiser.load_state_dict(saved["optimiser"])
        state.step, state.elapsed_s = saved["step"], saved["elapsed_s"]
    except (RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointDamaged(
            f"{path} cannot be read: {first}",
            remedy="Copy the run folder again, or delete that file to begin anew.",
        ) from error
    return state


def save(state: RunState, out: Path) -> None:
    """Write a checkpoint; the one before stays whole until this one is."""
    partial = out / f"{CHECKPOINT_NAME}.part"
    torch.save(
        {
            "network": state.network.state_dict(),
            "average": state.average.state_dict(),
            "optimiser": state.optimiser.state_dict(),
            "step": state.step,
            "elapsed_s": state.elapsed_s,
            "mean": list(state.network.spec.mean),
            "std": list(state.network.spec.std),
        },
        partial,
    )
    partial.replace(out / CHECKPOINT_NAME)


def band_moments(mixture: Mixture) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each band over labelled pixels of up to 64 generated scenes."""
    source = next(part.source for part in mixture.parts if part.source.name == LANDSCAPES)
    chosen = np.unique(np.linspace(0, len(source) - 1, 64).astype(int))
    pixels = [
        np.asarray(source.images[index])[:, np.asarray(source.labels[index]) != IGNORED] for index in chosen
    ]
    values_CP = np.concatenate(pixels, axis=1).astype(np.float64)
    mean = tuple(round(float(value), 3) for value in values_CP.mean(axis=1))
    std = tuple(round(max(1.0, float(value)), 3) for value in values_CP.std(axis=1))
    return mean, std


def _new_state(recipe: Recipe, *, mean: tuple[float, ...], std: tuple[float, ...]) -> RunState:
    spec = CompactSpec(
        num_bands=len(recipe.bands),
        num_channels=len(recipe.channels),
        widths=recipe.widths,
        mean=mean,
        std=std,
    )
    network = CompactUNet(spec).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = CompactUNet(spec).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    average.load_state_dict(network.state_dict())
    optimiser = Pair(network, lr=recipe.peak_learning_rate, muon_lr=recipe.peak_muon_learning_rate)
    return RunState(network=network, average=average, optimiser=optimiser)


def _begun_with(recipe: Recipe) -> CompactUNet:
    """The network of the artefact that a recipe begins with, frozen."""
    assert recipe.begin_with is not None
    return load_network(recipe.begin_with, channels=recipe.channels, bands=recipe.bands)


def _step(
    state: RunState, lesson: Lesson, batch: Batch, recipe: Recipe, *, learning_rate_share: float
) -> float:
    state.network.train()
    network = state.network
    normalised_NCHW = (torch.from_numpy(batch.image_NCHW) - network.mean_1C11) / network.std_1C11
    normalised_NCHW[torch.from_numpy(batch.is_absent_NC)] = 0.0
    normalised_NCHW = normalised_NCHW.contiguous(memory_format=torch.channels_last)
    sets_NHW, is_odd = torch.from_numpy(batch.sets_NHW).long(), bool(state.step % 2)
    with torch.autocast("cpu", torch.bfloat16):
        sub_pixels = network.sub_pixels(normalised_NCHW)
    logits_PK, sets_P = every_second_row(sub_pixels, sets_NHW, odd=is_odd)
    loss = partial_label_loss(logits_PK, sets_P, members_SK=lesson.shares_SK, weight_S=lesson.weight_S)
    if recipe.within_set_weight:
        # The average tells: generated landscapes taught it all classes, and it learns from one coarse set
        # what another leaves open, as trees apart from low vegetation.
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            told = state.average.sub_pixels(normalised_NCHW)
        loss = loss + recipe.within_set_weight * within_set_loss(
            logits_PK,
            every_second_row(told, sets_NHW, odd=is_odd)[0],
            sets_P,
            members_SK=lesson.shares_SK,
            min_probability=recipe.within_set_confidence,
        )
    state.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    state.optimiser.step(share=learning_rate_share)
    decay = min(recipe.ema_decay, (1 + state.step) / (10 + state.step))
    update_average(state.average, state.network, decay=decay)
    return loss.item()


def _write_history(out: Path, line: dict[str, float]) -> None:
    with (out / HISTORY_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    logging.getLogger(STEPS_LOG).info(
        "step %d, loss %.4f, %.0f s", line["step"], line["loss"], line["elapsed_s"]
    )

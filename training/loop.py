"""The training loop: a run folder, a network, its moving average, checkpoints; stops and resumes anywhere.

A run is measured in steps, where it is reproducible, or in minutes, where it ends in time on a busy machine:
the learning rate then follows the clock, and the run's record says how many steps that made.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.batches import ClassSpots, draw_batch, draw_nir_drops
from training.losses import IGNORED, class_weights, half_resolution_cross_entropy
from training.networks.compact import CompactSpec, CompactUNet
from training.optimiser import Pair
from training.recipes.recipe import Recipe
from training.scenes import SceneSet

CHECKPOINT_NAME = "checkpoint.pt"
HISTORY_NAME = "history.jsonl"

log = logging.getLogger(__name__)


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


def fit(
    recipe: Recipe,
    scenes: SceneSet,
    *,
    out: Path,
    limits: RunLimits,
    each_checkpoint: Callable[[RunState], None] | None = None,
) -> RunState:
    """Train, resuming from the run folder's checkpoint if there is one.

    Args:
        recipe: What to train.
        scenes: Scenes to train on.
        out: Run folder.
        limits: When to stop.
        each_checkpoint: Called after each checkpoint, for a look at validation scenes.

    Returns:
        The state at the end, also written to the run folder.

    Raises:
        FloatingPointError: The loss is no longer a number.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n", encoding="utf-8")
    spots = ClassSpots.of(scenes, seed=recipe.seed)
    channel_of_value = channel_table(recipe)
    frequencies = spots.frequencies[list(recipe.channels)]
    weight_K = class_weights(frequencies, power=recipe.class_weight_power)
    state = restore(recipe, scenes=scenes, out=out)
    saved_s = state.elapsed_s
    started_s = time.monotonic() - state.elapsed_s
    while (progress := limits.progress(step=state.step, elapsed_s=state.elapsed_s)) < 1:
        image_NCHW, classes_NHW = draw_batch(scenes, spots, recipe, step=state.step)
        share = learning_rate_share(recipe, progress=progress)
        loss = _step(
            state,
            recipe,
            image_NCHW,
            channel_of_value[classes_NHW],
            weight_K=weight_K,
            learning_rate_share=share,
        )
        if not math.isfinite(loss):
            raise FloatingPointError(f"loss is {loss} at step {state.step}")
        state.step += 1
        state.elapsed_s = time.monotonic() - started_s
        if state.step % limits.log_every_steps == 0:
            _write_history(out, {"step": state.step, "loss": loss, "elapsed_s": round(state.elapsed_s, 1)})
        if state.elapsed_s - saved_s >= limits.checkpoint_every_s:
            saved_s = state.elapsed_s
            save(state, out)
            if each_checkpoint is not None:
                each_checkpoint(state)
    save(state, out)
    return state


def restore(recipe: Recipe, *, scenes: SceneSet | None, out: Path) -> RunState:
    """The state of a run folder's checkpoint, or a new one.

    Args:
        recipe: What is trained.
        scenes: Where a new network takes its normalisation from; None asks for a checkpoint.
        out: Run folder.

    Raises:
        FileNotFoundError: There is no checkpoint, and no scenes to begin with.
    """
    path = out / CHECKPOINT_NAME
    torch.manual_seed(recipe.seed)
    if not path.exists():
        if scenes is None:
            raise FileNotFoundError(f"no checkpoint in {out}; run `orthoscape-train fit` first")
        mean, std = band_moments(scenes)
        return _new_state(recipe, mean=mean, std=std)
    saved: dict[str, Any] = torch.load(path, weights_only=True)
    state = _new_state(recipe, mean=tuple(saved["mean"]), std=tuple(saved["std"]))
    state.network.load_state_dict(saved["network"])
    state.average.load_state_dict(saved["average"])
    state.optimiser.load_state_dict(saved["optimiser"])
    state.step, state.elapsed_s = saved["step"], saved["elapsed_s"]
    log.info("resuming %s at step %d", out, state.step)
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


def channel_table(recipe: Recipe) -> NDArray[np.int64]:
    """Channel of each class value 0-255; values that no channel stands for are ignored."""
    table = np.full(256, IGNORED, dtype=np.int64)
    table[list(recipe.channels)] = np.arange(len(recipe.channels))
    return table


def band_moments(scenes: SceneSet) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each band over labelled pixels of up to 64 scenes."""
    chosen = np.unique(np.linspace(0, len(scenes) - 1, 64).astype(int))
    pixels = [
        np.asarray(scenes.image_NCHW[index])[:, np.asarray(scenes.classes_NHW[index]) != IGNORED]
        for index in chosen
    ]
    values_CP = np.concatenate(pixels, axis=1).astype(np.float64)
    mean = tuple(round(float(value), 3) for value in values_CP.mean(axis=1))
    std = tuple(round(max(1.0, float(value)), 3) for value in values_CP.std(axis=1))
    return mean, std


def learning_rate_share(recipe: Recipe, *, progress: float) -> float:
    """Share of the peak learning rate: a linear rise, then a cosine down to a hundredth."""
    if progress < recipe.warmup_share:
        return progress / recipe.warmup_share * 0.95 + 0.05
    share = min(1.0, (progress - recipe.warmup_share) / (1 - recipe.warmup_share))
    return 0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2


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


def _step(
    state: RunState,
    recipe: Recipe,
    image_NCHW: NDArray[np.float32],
    channels_NHW: NDArray[np.int64],
    *,
    weight_K: Tensor,
    learning_rate_share: float,
) -> float:
    state.network.train()
    network = state.network
    normalised_NCHW = (torch.from_numpy(image_NCHW) - network.mean_1C11) / network.std_1C11
    if recipe.nir_drop_share:
        drops = torch.from_numpy(draw_nir_drops(recipe, step=state.step))
        normalised_NCHW[drops, recipe.bands.index("nir")] = 0.0
    with torch.autocast("cpu", torch.bfloat16):
        sub_pixels = network.sub_pixels(normalised_NCHW.contiguous(memory_format=torch.channels_last))
    loss = half_resolution_cross_entropy(
        sub_pixels, torch.from_numpy(channels_NHW), weight_K=weight_K, odd_rows=bool(state.step % 2)
    )
    state.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
    state.optimiser.step(share=learning_rate_share)
    _update_average(state, decay=min(recipe.ema_decay, (1 + state.step) / (10 + state.step)))
    return loss.item()


@torch.no_grad()
def _update_average(state: RunState, *, decay: float) -> None:
    """Weights and running statistics move alike; counters are copied."""
    pairs = zip(state.average.state_dict().values(), state.network.state_dict().values(), strict=True)
    for average, current in pairs:
        if average.is_floating_point():
            average.lerp_(current, 1 - decay)
        else:
            average.copy_(current)


def _write_history(out: Path, line: dict[str, float]) -> None:
    with (out / HISTORY_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    log.info("step %d, loss %.4f, %.0f s", line["step"], line["loss"], line["elapsed_s"])

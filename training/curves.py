"""The curves of a run as a picture: losses, learning rate, figures on what it never saw, over steps."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING, Any

from training.looks import METRICS_NAME, read_lines
from training.loop import HISTORY_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from training.recipes.recipe import Recipe

CURVES_NAME = "curves.png"
_FEW_LINES = 20

log = logging.getLogger(__name__)


def draw_curves(recipe: Recipe, out: Path) -> None:
    """Draw what a run folder tells so far; a picture that is there is replaced."""
    if importlib.util.find_spec("matplotlib") is None:
        # The figures are in the folder all the same: a run that takes hours does not stop for a picture.
        log.warning("no curves are drawn: pip install -e '.[cpu,train]' -c constraints.txt brings matplotlib")
        return
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    history, looks = read_lines(out / HISTORY_NAME), read_lines(out / METRICS_NAME)
    figure = Figure(figsize=(10, 7), layout="constrained")
    losses, rates, fine, coarse = figure.subplots(2, 2, sharex=True).flat
    marker = "." if len(history) < _FEW_LINES else ""  # a line of one point is nothing to see
    losses.plot([line["step"] for line in history], [line["loss"] for line in history], marker=marker)
    told = [line for line in history if "learning_rate_share" in line]
    rates.plot(
        [line["step"] for line in told],
        [line["learning_rate_share"] * recipe.peak_learning_rate for line in told],
        marker=marker,
    )
    _plot_domains(fine, looks, "miou")
    _plot_domains(coarse, looks, "balanced_accuracy")
    for axes, title in (
        (losses, "loss"),
        (rates, "learning rate (AdamW)"),
        (fine, "mIoU on unseen scenes"),
        (coarse, "balanced accuracy on held-out domains"),
    ):
        axes.set_title(title)
        axes.grid(alpha=0.3)
    for axes in (fine, coarse):
        axes.set_xlabel("step")
    figure.suptitle(recipe.name)
    figure.savefig(out / CURVES_NAME, dpi=100)


def _plot_domains(axes: Axes, looks: list[dict[str, Any]], figure: str) -> None:
    told = [line for line in looks if line.get(figure) is not None]
    for domain in dict.fromkeys(line["domain"] for line in told):
        lines = [line for line in told if line["domain"] == domain]
        axes.plot(
            [line["step"] for line in lines], [line[figure] for line in lines], marker=".", label=domain
        )
    if told:
        axes.legend(fontsize="small")

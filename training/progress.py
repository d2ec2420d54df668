"""How a run shows itself while it goes on: a bar on a terminal, lines of the log elsewhere."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click

from training.loop import STEPS_LOG

_PARTS = 1000
"""Of a whole run; its length is a share, since runs may be limited by the clock."""


class EachStep(Protocol):
    """Called after each step."""

    def __call__(self, *, step: int, loss: float, progress: float) -> None:
        """Tell of a step: how many there were, its loss, and the share of the run that is over."""


@contextmanager
def shown_steps() -> Iterator[EachStep | None]:
    """A bar with steps, loss and time left where there is a terminal; None where the log tells of steps."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(
        length=_PARTS, label="training", file=sys.stderr, item_show_func=lambda told: told
    ) as bar:

        def tell(*, step: int, loss: float, progress: float) -> None:
            bar.update(max(0, round(_PARTS * min(1.0, progress)) - bar.pos), f"step {step}, loss {loss:.3f}")
            bar.render_progress()

        lines = logging.getLogger(STEPS_LOG)
        lines.disabled = True  # the bar tells them
        try:
            yield tell
        finally:
            lines.disabled = False

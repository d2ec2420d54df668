"""Bars of what is done piece by piece; see ``training.progress`` for the steps of a run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

EachPart = Callable[[str, int, int], None]
"""Told what is done, how much of it is, and of how much."""


@contextmanager
def shown_parts() -> Iterator[EachPart]:
    """A bar for each thing that is done, where there is a terminal."""
    bars: dict[str, tqdm[None]] = {}

    def show(what: str, done: int, of: int) -> None:
        bar = bars.setdefault(what, tqdm(total=of, desc=what, disable=None))
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()

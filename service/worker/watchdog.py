"""Ends a worker in which nothing moves any more.

A timer of C, not of Python: it also fires while native code hangs and holds the interpreter's lock, and it
writes where every thread stood. The child that it ends is replaced, its lease lapses, its units are tried
again one by one.
"""

from __future__ import annotations

import faulthandler
from typing import Self

_STDERR = 2
"""Where the threads' places are written: a number, since native code writes them."""


class Watchdog:
    """Counts down from the last sign of life; a context manager around a lease."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    def feed(self) -> None:
        """Something moved: count down anew."""
        faulthandler.dump_traceback_later(self._timeout_s, exit=True, file=_STDERR)

    def __enter__(self) -> Self:
        self.feed()
        return self

    def __exit__(self, *_: object) -> None:
        faulthandler.cancel_dump_traceback_later()

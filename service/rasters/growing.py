"""Signs of life of what is written at one go: GDAL's copies say nothing until they are made."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    OnPart = Callable[[], object]

_LOOK_S = 1.0


def nothing() -> None:
    """What is called after each part, where nobody wants to know."""


@contextlib.contextmanager
def watched(path: Path, on_part: OnPart) -> Iterator[None]:
    """See every second whether a file has grown, and say so, while something writes it that cannot.

    Args:
        path: Of the file; files beside it whose names begin with its own belong to it.
        on_part: Called in a thread of its own after each growth. What it raises cannot end the writing: it is
            raised on leaving.
    """
    is_over, raised = threading.Event(), list[BaseException]()

    def watch() -> None:
        num_bytes = 0
        while not is_over.wait(_LOOK_S):
            before, num_bytes = num_bytes, _size_of(path)
            if num_bytes != before:
                try:
                    on_part()
                except BaseException as error:  # noqa: BLE001  raised where it can be
                    raised.append(error)

    thread = threading.Thread(target=watch, name="growth", daemon=True)
    if on_part is not nothing:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        if thread.ident is not None:
            thread.join()
    if raised:
        raise raised[0]


def _size_of(path: Path) -> int:
    num_bytes = 0
    for part in path.parent.iterdir():
        if part.name.startswith(path.name):
            with contextlib.suppress(FileNotFoundError):
                num_bytes += part.stat().st_size
    return num_bytes

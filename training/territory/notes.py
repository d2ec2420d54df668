"""What a run folder says of the adaptation in it, so that a run goes on and no other takes its place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from training.territory.errors import RunUnfit

if TYPE_CHECKING:
    from pathlib import Path

RUN_NAME = "adaptation.json"


def read_note(run: Path) -> dict[str, Any] | None:
    """What a folder says; None where nothing was run in it."""
    path = run / RUN_NAME
    if not path.exists():
        return None
    noted: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return noted


def write_note(run: Path, note: dict[str, Any]) -> None:
    """Say in a folder what is done; refuse a folder where something else was.

    Raises:
        RunUnfit: It was.
    """
    noted = read_note(run)
    if noted is not None and noted != note:
        others = ", ".join(sorted(name for name in {*noted, *note} if noted.get(name) != note.get(name)))
        raise RunUnfit(
            f"{run} holds another run: its {others} differ(s)",
            remedy="Name another folder with --out, or delete this one.",
        )
    run.mkdir(parents=True, exist_ok=True)
    (run / RUN_NAME).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")

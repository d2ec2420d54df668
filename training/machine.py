"""What a run ran on: one line in its folder each time it begins or goes on."""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

STARTS_NAME = "starts.jsonl"


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start of a run."""

    device: str
    """Name of the processor."""
    threads: int
    """Of torch."""
    num_steps: int | None
    """Steps that it was to end at; None where it ran by the clock."""


def write_start(out: Path, *, num_steps: int | None) -> None:
    """Add a start to the run folder: this machine, now."""
    start = Start(device=device_name(), threads=torch.get_num_threads(), num_steps=num_steps)
    out.mkdir(parents=True, exist_ok=True)
    with (out / STARTS_NAME).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(start)) + "\n")


def read_starts(out: Path) -> tuple[Start, ...]:
    """The starts that a run folder tells of; none where it was begun before they were written down."""
    path = out / STARTS_NAME
    if not path.exists():
        return ()
    return tuple(Start(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())


def device_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name as Linux tells it, or its architecture elsewhere."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())

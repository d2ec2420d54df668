"""Does memory depend on the size of the scene?

Peak resident memory of the command and its reading child, by the kernel's own high-water marks. Pages that
both share are counted twice, and the two peaks need not fall together, so the sum is never too small.
The model is a cheap one: with a large one the engine's memory, the same for every scene, would hide growth.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.artefacts import CHEAP, HOME_FOLDER
from benchmarks.scenes import SceneSpec, make_scene

if TYPE_CHECKING:
    from collections.abc import Sequence

_MIB = 2**20
_SAMPLE_S = 0.02


def measure(sides_px: Sequence[int], folder: Path, *, threads: int, model: str = CHEAP) -> dict[str, Any]:
    """Peak memory of one map of each side, smallest first.

    Returns:
        JSON: for each side the peaks in MiB, and the largest sum over the smallest scene's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for side_px in sorted(sides_px):
        scene = make_scene(SceneSpec(side_px=side_px))
        output = folder / f"memory-{side_px}.tif"
        started = time.perf_counter()
        parent, children = peaks_of(
            [
                *(sys.executable, "-c", "from service.cli import main; main()"),
                *("predict", str(scene), "-o", str(output), "--quiet", "--force"),
                *("--model", model, "--threads", str(threads)),
            ]
        )
        rows.append(
            {
                "side_px": side_px,
                "parent_mib": round(parent / _MIB, 1),
                "children_mib": round(children / _MIB, 1),
                "sum_mib": round((parent + children) / _MIB, 1),
                "seconds": round(time.perf_counter() - started, 2),
            }
        )
        output.unlink()
        output.with_suffix(".qml").unlink(missing_ok=True)
    return {
        "model": model,
        "threads": threads,
        "rows": rows,
        "growth": rows[-1]["sum_mib"] / rows[0]["sum_mib"],
    }


def peaks_of(command: Sequence[str]) -> tuple[int, int]:
    """Run a command to its end; returns the peak of its process and the largest of its children, in bytes.

    Children that live at once are added up. High-water marks are read often, so at most what a process grew
    by within its last hundredths of a second is missed.

    Raises:
        RuntimeError: The command failed.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env={**os.environ, "ORTHOSCAPE_HOME": str(HOME_FOLDER)}
    )
    parent, children = 0, 0
    while process.poll() is None:
        parent = max(parent, _high_water(process.pid))
        children = max(children, sum(_high_water(pid) for pid in _children_of(process.pid)))
        time.sleep(_SAMPLE_S)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {process.returncode}")
    return parent, children


def _high_water(pid: int) -> int:
    """Peak resident bytes of a process; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) * 1024


def _children_of(pid: int) -> list[int]:
    """Process ids of the children of all threads of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text(encoding="utf-8").split()]
        except OSError:
            continue
    return found

"""``python -m benchmarks.run``: measure everything, keep the JSON, write ``docs/benchmarks.md``.

``--quick`` measures small scenes once and writes nothing but what it prints.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import rasterio

from benchmarks import memory, predict, service
from benchmarks.artefacts import CHEAP, RESNET34, make_artefact
from benchmarks.report import to_markdown
from benchmarks.scenes import BENCH_FOLDER, SceneSpec, make_scene
from service.settings import Settings

_ROOT = Path(__file__).resolve().parents[1]
_SHIPPED = "default"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How much is measured."""

    scenes: tuple[SceneSpec, ...]
    repeats: int
    memory_sides_px: tuple[int, ...]
    store_blocks: int
    served_side_px: int


FULL = Scale(
    scenes=(SceneSpec(side_px=8192), SceneSpec(side_px=8192, is_aligned=False)),
    repeats=3,
    memory_sides_px=(5000, 20_000),
    store_blocks=100_000,
    served_side_px=4096,
)
QUICK = Scale(
    scenes=(SceneSpec(side_px=2048),),
    repeats=1,
    memory_sides_px=(2048, 4096),
    store_blocks=4096,
    served_side_px=2048,
)


def main() -> None:
    """Measure what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small scenes, one repeat, nothing written")
    parser.add_argument("--threads", type=int, default=Settings().num_threads)
    parser.add_argument(
        "--only", choices=("predict", "memory", "service"), help="leave the rest as last kept"
    )
    parser.add_argument("--models", nargs="+", default=[_SHIPPED, RESNET34])
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    scale = QUICK if arguments.quick else FULL
    started = datetime.now(UTC)
    measured = _last_kept() if arguments.only else {}
    machine = _machine(started, threads=arguments.threads)
    if arguments.only != "service":  # whose section says on which machine it was measured
        measured["machine"] = machine
        _make_artefacts()
    if arguments.only in (None, "service"):
        measured["service"] = service.measure(
            num_blocks=scale.store_blocks, side_px=scale.served_side_px, machine=machine
        )
    if arguments.only in (None, "predict"):
        measured["predict"] = _predict(scale, arguments.models, threads=arguments.threads)
    if arguments.only in (None, "memory"):
        measured["memory"] = memory.measure(
            scale.memory_sides_px, BENCH_FOLDER / "maps", threads=arguments.threads
        )
        print(json.dumps(measured["memory"], indent=1), flush=True)
    page = to_markdown(measured)
    print(page)
    if not arguments.quick:
        results = _ROOT / "benchmarks" / "results"
        results.mkdir(exist_ok=True)
        (results / "latest.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        (results / f"{started:%Y-%m-%d}.json").write_text(
            json.dumps(measured, indent=1) + "\n", encoding="utf-8"
        )
        (_ROOT / "docs").mkdir(exist_ok=True)
        (_ROOT / "docs" / "benchmarks.md").write_text(page + "\n", encoding="utf-8")


def _predict(scale: Scale, models: list[str], *, threads: int) -> list[dict[str, Any]]:
    cases = []
    for model in models:
        is_slow = model == RESNET34  # its minutes leave little to chance, and edges cost every model alike
        for spec in scale.scenes[:1] if is_slow else scale.scenes:
            repeats = 1 if is_slow else scale.repeats
            case = predict.Case(scene=make_scene(spec), model=model, threads=threads, repeats=repeats)
            cases.append(predict.measure(case, BENCH_FOLDER / "maps"))
            print(json.dumps(cases[-1], indent=1), flush=True)
    return cases


def _make_artefacts() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own; the graphs are used for their speed alone
        for model_id in (RESNET34, CHEAP):
            make_artefact(model_id)


def _last_kept() -> dict[str, Any]:
    path = _ROOT / "benchmarks" / "results" / "latest.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _machine(started: datetime, *, threads: int) -> dict[str, Any]:
    """Hardware, versions, date and command."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    return {
        "date": f"{started:%Y-%m-%d %H:%M} UTC",
        "command": f"python -m benchmarks.run {' '.join(sys.argv[1:])}".strip(),
        "commit": commit.stdout.strip() or "unknown",
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "threads_of_the_engine": threads,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average_at_start": ", ".join(f"{load:.1f}" for load in os.getloadavg()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "onnxruntime": version("onnxruntime"),
        "rasterio": rasterio.__version__,
        "gdal": rasterio.__gdal_version__,
    }


if __name__ == "__main__":
    main()

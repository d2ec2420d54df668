"""How near ``orthoscape predict`` comes to the network alone, on the same patches.

The network alone is a bare ONNX Runtime session at its defaults, with the same number of threads, given the
patches that the plan holds: same shapes, same number, already in memory. The map is made twice: in this
process, to see where the time goes, and as a command, from the start of the process to a closed COG.
Repeats are interleaved, so that a machine that slows down slows down everything.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

from benchmarks.artefacts import HOME_FOLDER
from benchmarks.scenes import read_corner
from service.cli import running
from service.cli.options import said
from service.cli.running import MapMaker, Progress
from service.inference.loading import load_engine
from service.inference.onnx_engine import import_onnxruntime
from service.intake.choosing import choose_model, registry_of
from service.intake.planned import PlannedMap, plan_maps
from service.intake.scenes import read_scenes
from service.maps.products import Products
from service.planning.cores import plan_cores, plan_patch
from service.rasters.reader import SceneReader
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from models.artefact import Artefact
    from service.planning.jobs import JobPlan

_MPX = 1e6
_OPTIONS = said("auto", "file", None)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One scene through one model."""

    scene: Path
    model: str
    threads: int
    repeats: int


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """Measure one case; the maps go into a folder and are removed.

    Returns:
        JSON: settings, ratios, medians and spreads in seconds, the phases of the last map in process.
    """
    settings = Settings(home=HOME_FOLDER, threads=case.threads)
    planned, artefact = _plan(case, settings)
    shapes = list(patch_shapes(planned.plan))
    raw = RawForward(artefact, case, shapes)
    folder.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, list[float]] = {"raw": [], "in_process": [], "command": []}
    phases: dict[str, float] = {}
    for _ in range(case.repeats):
        seconds["raw"].append(raw.run())
        started = time.perf_counter()
        phases = predict_in_process(case, settings, folder / "in_process.tif")
        seconds["in_process"].append(time.perf_counter() - started)
        started = time.perf_counter()
        predict_as_command(case, folder / "command.tif")
        seconds["command"].append(time.perf_counter() - started)
    shutil.rmtree(folder)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    kept_px, forward_px = planned.plan.data.num_px, sum(height * width for height, width in shapes)
    geometry = planned.plan.geometry
    halo_factor = (geometry.patch_px / geometry.core_px) ** 2
    return {
        "scene": case.scene.stem,
        "model": artefact.manifest.key,
        "threads": case.threads,
        "repeats": case.repeats,
        "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
        "share_command": medians["raw"] / medians["command"],
        "share_in_process": medians["raw"] / medians["in_process"],
        "mpx_per_s_raw": kept_px / _MPX / medians["raw"],
        "mpx_per_s_command": kept_px / _MPX / medians["command"],
        "patch_over_core_squared": halo_factor,
        "forward_over_kept": forward_px / kept_px,
        "edge_overhead": forward_px / kept_px / halo_factor,
        "num_patches": len(shapes),
        "num_patch_shapes": len(set(shapes)),
        "phases_in_process": phases,
    }


def patch_shapes(plan: JobPlan) -> Iterator[tuple[int, int]]:
    """Height and width of every patch of a plan, in the order of its blocks."""
    for sheet in plan.sheets:
        for block in plan.blocks_of(sheet):
            for core in plan_cores(block.window, core_px=plan.geometry.core_px):
                patch = plan_patch(core, data=plan.data, geometry=plan.geometry)
                yield patch.height, patch.width


class RawForward:
    """The network alone."""

    def __init__(self, artefact: Artefact, case: Case, shapes: Iterable[tuple[int, int]]) -> None:
        """Load the model into a session of its own and hold one patch of real pixels of every shape."""
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = case.threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            artefact.model_path(), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._shapes = list(shapes)
        self._patches = {
            (height, width): read_corner(case.scene, height=height, width=width)[None]
            for height, width in set(self._shapes)
        }

    def run(self) -> float:
        """Give it every patch; returns the seconds that took."""
        started = time.perf_counter()
        for shape in self._shapes:
            self._session.run(["classes", "confidence"], {"image": self._patches[shape]})
        return time.perf_counter() - started


def predict_in_process(case: Case, settings: Settings, output: Path) -> dict[str, float]:
    """Make the map as the command does; returns where the time went, in seconds, and other figures."""
    readers: list[SceneReader] = []
    finishing_since: list[float] = []

    def counted(*args: Any, **kwargs: Any) -> SceneReader:  # noqa: ANN401  passed on as they are
        readers.append(SceneReader(*args, **kwargs))
        return readers[-1]

    def nothing(*_: object) -> None:
        """Tell nobody."""

    def note_finishing(_: str) -> None:
        finishing_since.append(time.perf_counter())

    progress = Progress(on_stage=nothing, on_resumed=nothing, on_core=nothing, on_step=note_finishing)
    started = time.perf_counter()
    planned, artefact = _plan(case, settings)
    planned_at = time.perf_counter()
    engine = load_engine(artefact, name="onnxruntime", num_threads=settings.num_threads)
    loaded_at = time.perf_counter()
    maker = MapMaker(artefact, engine, settings)
    sheet = planned.plan.sheets[0]
    with mock.patch.object(running, "SceneReader", counted):
        made = maker.make(planned, {sheet.name: Products(classes=output, confidence=None)}, progress)
    ended = time.perf_counter()
    figures, seams = made.figures, made.reports[sheet.name].seams
    assert figures.num_kept_px == planned.plan.data.num_px, "a scene of the benchmarks has no nodata"
    return {
        "reading_facts_hashing_planning_s": planned_at - started,
        "loading_engine_s": loaded_at - planned_at,
        "blocks_s": finishing_since[0] - loaded_at,
        "of_that_engine_s": figures.engine_s,
        "of_that_waiting_for_pixels_s": figures.waiting_s,
        "finishing_s": ended - finishing_since[0],
        "engine_share": figures.engine_s / (ended - started),
        "waiting_share": figures.waiting_s / (ended - started),
        "decoded_over_source": sum(reader.decoded_pixels for reader in readers) / planned.plan.data.num_px,
        "seam_rate": seams.rate if seams.rate is not None else float("nan"),
        "changes_between_neighbours": seams.num_inside_changes / max(seams.num_inside, 1),
        "output_bytes": output.stat().st_size,
    }


def predict_as_command(case: Case, output: Path) -> None:
    """Make the map by the command, in a process of its own."""
    subprocess.run(
        [
            *(sys.executable, "-c", "from service.cli import main; main()"),
            *("predict", str(case.scene), "-o", str(output), "--quiet", "--force"),
            *("--model", case.model, "--threads", str(case.threads)),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "ORTHOSCAPE_HOME": str(HOME_FOLDER)},
    )


def _plan(case: Case, settings: Settings) -> tuple[PlannedMap, Artefact]:
    read = read_scenes([case.scene], irc=(), heights=(), options=_OPTIONS, settings=settings)
    artefact = choose_model(registry_of(settings), case.model, read, _OPTIONS)
    planned = plan_maps(read, artefact, options=_OPTIONS, aoi=None, name="bench", settings=settings)
    return planned[0], artefact

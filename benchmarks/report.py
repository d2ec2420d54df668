"""From measured JSON to the tables of ``docs/benchmarks.md``; pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.markdown import machine_table, table
from benchmarks.service_report import service_sections

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

_GOAL_MEMORY_GROWTH = 1.10


def to_markdown(measured: Json) -> str:
    """The page.

    Args:
        measured: What ``benchmarks.run`` kept: ``machine``, ``predict`` (a list of cases) and ``memory``.
    """
    return "\n\n".join(
        [
            "# Benchmarks",
            (
                "Made by `make bench`; every ratio is between figures of one run on one machine. "
                "The numbers behind it are in `benchmarks/results/`."
            ),
            machine_table(measured["machine"]),
            "## The network's share of the time",
            (
                "*Raw* is a bare ONNX Runtime session at its defaults, fed from memory with the very patches "
                "of the map. *Command* is `orthoscape predict`, from the start of its process to the "
                "finished COG. "
                "*Share* is raw over command. Medians, with the fastest and the slowest."
            ),
            _predict(measured["predict"]),
            "## Pixels seen and pixels read",
            (
                "*Halo* is (patch / core)^2; *edge* is what the edge of the scene adds, as a factor. "
                "*Decoded* counts pixels of internal tiles over those of the scene. The *seam rate* is the "
                "probability that the class changes across a core's border over that inside cores; it is "
                "left out for random weights, and for aligned scenes, whose own pieces meet on those borders."
            ),
            _geometry(measured["predict"]),
            "## Where the time goes",
            (
                "Of the last map made in process, in seconds. *Rest of blocks* is starting the reader and "
                "writing what the engine had to wait for."
            ),
            _phases(measured["predict"]),
            "## Memory",
            (
                f"Peak resident memory with `{measured['memory']['model']}`, whose own memory is small. "
                f"The goal is a growth of at most {_GOAL_MEMORY_GROWTH:.2f}."
            ),
            _memory(measured["memory"]),
            _scenes(),
            *(service_sections(measured["service"]) if "service" in measured else ()),
        ]
    )


def _predict(cases: Sequence[Json]) -> str:
    rows = [
        [
            *_name(case),
            *(_spread(case["seconds"][kind]) for kind in ("raw", "in_process", "command")),
            f"{case['mpx_per_s_raw']:.2f}",
            f"{case['mpx_per_s_command']:.2f}",
            f"{case['share_in_process']:.2f}",
            f"**{case['share_command']:.2f}**",
        ]
        for case in cases
    ]
    head = ["model", "scene", "raw, s", "in process, s", "command, s", "raw, Mpx/s", "command, Mpx/s"]
    return table([*head, "share in process", "share"], rows)


def _geometry(cases: Sequence[Json]) -> str:
    rows = [
        [
            *_name(case),
            f"{case['patch_over_core_squared']:.3f}",
            f"{case['edge_overhead']:.3f}",
            f"{case['forward_over_kept']:.3f}",
            f"{case['phases_in_process']['decoded_over_source']:.2f}",
            _seam_rate(case),
        ]
        for case in cases
    ]
    return table(["model", "scene", "halo", "edge", "forward / kept", "decoded", "seam rate"], rows)


def _seam_rate(case: Json) -> str:
    # The pieces of an aligned scene meet on the very borders of cores: classes change there by right.
    says_nothing = case["model"].startswith("bench-") or case["scene"].endswith("-aligned")
    return "-" if says_nothing else f"{case['phases_in_process']['seam_rate']:.2f}"


def _phases(cases: Sequence[Json]) -> str:
    rows = []
    for case in cases:
        phases = case["phases_in_process"]
        engine, waiting = phases["of_that_engine_s"], phases["of_that_waiting_for_pixels_s"]
        rows.append(
            [
                *_name(case),
                f"{phases['reading_facts_hashing_planning_s']:.2f}",
                f"{phases['loading_engine_s']:.2f}",
                f"{engine:.2f}",
                f"{waiting:.2f}",
                f"{phases['blocks_s'] - engine - waiting:.2f}",
                f"{phases['finishing_s']:.2f}",
            ]
        )
    head = ["model", "scene", "planning", "loading", "engine", "waiting for pixels", "rest of blocks"]
    return table([*head, "finishing"], rows)


def _memory(memory: Json) -> str:
    rows = [
        [
            f"{row['side_px']:,} x {row['side_px']:,}".replace(",", " "),
            f"{row['parent_mib']:.0f}",
            f"{row['children_mib']:.0f}",
            f"{row['sum_mib']:.0f}",
            f"{row['seconds']:.1f}",
        ]
        for row in memory["rows"]
    ]
    sizes = table(["scene, px", "command, MiB", "reading child, MiB", "sum, MiB", "time, s"], rows)
    return f"{sizes}\n\nGrowth from the smallest to the largest: **{memory['growth']:.2f}**."


def _scenes() -> str:
    return (
        "The scenes are mosaics of generated landscapes of 1 024 px at 0.2 m, flipped and turned at random: "
        "4 bands, uint8, GeoTIFF with internal tiles of 512 px, DEFLATE with predictor 2. *Aligned* scenes "
        "begin at a corner of the lattice of cores. Models named `bench-` have random weights, smoothed so "
        "that their maps have areas as land cover has."
    )


def _name(case: Json) -> list[str]:
    return [f"`{case['model']}`", case["scene"].removeprefix("scene-").replace("-", ", ")]


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.1f} ({min(values):.1f}-{max(values):.1f})"

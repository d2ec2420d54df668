"""The service's part of ``docs/benchmarks.md``; pure."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown import machine_table, table

Json = dict[str, Any]

_KINDS = {"rio_tiler": "rio-tiler", "service": "ours"}
_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def service_sections(measured: Json) -> list[str]:
    """Headings, words and tables, from what ``benchmarks.service`` measured."""
    return [
        "# The service",
        machine_table(measured["machine"]),
        "## From `make demo` to the first tile",
        _first_tile(measured["first_tile"]),
        "## Tiles",
        (
            "Tiles of 256 px at random addresses of the five closest zooms of maps of 8192 x 8192 classes, "
            "from the same files in one run. *Milliseconds* are processor time in one thread; rio-tiler "
            "opens the file for each request, as servers around it do, and encodes RGBA."
        ),
        _functions(measured["tiles"]["functions"]),
        *_servers(measured["tiles"].get("served")),
        *_tile_memory(measured["tiles"].get("memory")),
        "## Bookkeeping",
        (
            "Milliseconds of the store for each block: a quarter of a claim, since leases hold four, and one "
            "finish. *Ratio* is that of the large job over the small one."
        ),
        _store(measured["store"]),
        "## What serving costs, and how soon work is taken over",
        _serving(measured["serving"]),
    ]


def _first_tile(first: Json) -> str:
    return (
        f"Environment installed, home empty: the server answers after {first['answers_s']:.1f} s, the first"
        f" class shows after **{first['first_tile_s']:.1f} s**, the map is finished after"
        f" {first['finished_s']:.1f} s."
    )


def _serving(serving: Json) -> str:
    share = {kind: serving[f"alone_{kind}_s"] / serving[f"served_{kind}_s"] for kind in ("wall", "cpu")}
    return (
        f"A scene of {serving['side_px']} px square by the shipped model: in one process"
        f" {serving['alone_wall_s']:.1f} s, by a worker of the service"
        f" {serving['served_wall_s']:.1f} s, **{share['wall']:.0%}** of the speed ({share['cpu']:.0%} by the"
        f" processors' time). After a `kill -9` of the child that works, units are leased"
        f" again within {serving['takeover_median_s']:.2f} s (median of"
        f" {serving['num_kills']} kills; longest {serving['takeover_longest_s']:.2f} s)."
    )


def _functions(rows: list[Json]) -> str:
    return table(
        ["map", "rio-tiler, ms", "ours, ms", "ratio", "rio-tiler, kB", "ours, kB"],
        [
            [
                row["map"],
                f"{row['rio_tiler_ms']:.1f}",
                f"{row['ours_ms']:.2f}",
                f"**{row['rio_tiler_ms'] / row['ours_ms']:.1f}**",
                f"{row['rio_tiler_kb']:.1f}",
                f"{row['ours_kb']:.1f}",
            ]
            for row in rows
        ],
    )


def _servers(rows: list[Json] | None) -> list[str]:
    if rows is None:
        return []
    words = (
        "Served by one process each, on the cores that ask: a plain FastAPI app around rio-tiler, and the"
        " service as it is run, `orthoscape serve --role tiles` over a store with finished maps, all its"
        " middleware on, no answer kept. *Saturated* is `wrk` on eight connections; *half* is an open loop at"
        " half of that rate, whose times count from the moment at which a tile was due."
    )
    lines = [
        [
            row["map"],
            _KINDS[kind],
            f"{row[kind]['per_s']:.0f}",
            f"**{row['service']['per_s'] / row['rio_tiler']['per_s']:.1f}**" if kind == "service" else "",
            *(f"{row[kind][name]:.1f}" for name in ("p50_ms", "p99_ms", "half_p50_ms", "half_p99_ms")),
        ]
        for row in rows
        for kind in ("rio_tiler", "service")
    ]
    head = [
        "map",
        "server",
        "saturated, 1/s",
        "ratio",
        "p50, ms",
        "p99, ms",
        "half: p50, ms",
        "half: p99, ms",
    ]
    return [words, table(head, lines)]


def _tile_memory(rows: list[Json] | None) -> list[str]:
    if rows is None:
        return []
    told = [f"{row['resident_mib']:.0f} MiB after {row['num_tiles']} tiles" for row in rows]
    return [f"Resident memory of the process that draws: {', '.join(told)}."]


def _store(backends: dict[str, list[Json]]) -> str:
    rows = []
    for backend, (small, large) in backends.items():
        for row in (small, large):
            figures = [f"{row[name]:.2f}" for name in ("block", "claim", "finish", "extend")]
            ratio = "" if row is small else f"{large['block'] / small['block']:.2f}"
            rows.append([_NAMES[backend], f"{row['num_blocks']}", *figures, ratio, f"{row['create_s']:.1f}"])
    head = [
        "store",
        "blocks of the job",
        "a block, ms",
        "claim",
        "finish",
        "extend",
        "ratio",
        "created in, s",
    ]
    return table(head, rows)

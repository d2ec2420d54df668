"""Tiles: ours against rio-tiler, and the real service against a plain server around rio-tiler, in one run.

    python -m benchmarks.tiles [--tiles 300] [--requests] [--memory 100000]

Maps of 8192 x 8192 classes are written: web mercator, Lambert-93, UTM. Tiles are drawn at random addresses of
the five closest zooms. ``--requests`` serves the same tiles by a plain FastAPI app around rio-tiler, with the
file opened for each request as titiler does, and by ``orthoscape serve --role tiles``, all its middleware on.
Neither has a cache of answers; each is loaded with ``wrk``, then asked at half of the rate that it can take.
``--memory`` has the service draw that many tiles and tells how its process grew.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.loading import ask_steadily, saturate
from benchmarks.tile_apps import draw_plainly, plain_server, real_server
from benchmarks.tile_house import furnish
from benchmarks.tile_maps import PLACES, addresses, write_map
from models.nomenclature import COSIA
from service.rasters.writing import bound_gdal_cache
from service.tiles.drawing import draw_tile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.loading import Load
    from benchmarks.tile_maps import Address, BenchMap

Json = dict[str, Any]

_ROUNDS = 3
_WARM_S, _LOAD_S, _STEADY_S = 2, 6, 10
_NUM_PATHS = 2000
_MEMORY_S = 5
"""Of each of the loads between which the process is looked at."""
_MEMORY_MOST_S = 180


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tiles", type=int, default=300, help="per map and way")
    parser.add_argument("--requests", action="store_true", help="load two servers with wrk")
    parser.add_argument("--memory", type=int, default=0, help="tiles after which memory is compared")
    parser.add_argument("--folder", type=Path, help="keep the maps here")
    options = parser.parse_args()
    if (options.requests or options.memory) and shutil.which("wrk") is None:
        sys.exit("wrk is not here: apt-get install wrk")
    bound_gdal_cache(64 * 2**20)  # as the service's own default
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        maps = {place: write_map(folder, place) for place in PLACES}
        if options.tiles:
            compare_functions(maps, options.tiles)
        if options.requests:
            compare_servers(maps, folder)
        if options.memory:
            watch_memory(maps, folder, options.memory)


def measure(*, num_tiles: int = 200, num_for_memory: int = 100_000) -> Json:
    """Everything, as ``benchmarks.run`` keeps it; what is served only where ``wrk`` is."""
    bound_gdal_cache(64 * 2**20)  # as the service's own default
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        maps = {place: write_map(folder, place) for place in PLACES}
        measured: Json = {"functions": compare_functions(maps, num_tiles)}
        if shutil.which("wrk"):
            measured["served"] = compare_servers(maps, folder)
            measured["memory"] = watch_memory(maps, folder, num_for_memory)
    return measured


def compare_functions(maps: dict[str, BenchMap], count: int) -> list[Json]:
    """Processor milliseconds a tile, one thread: the best of some rounds over the same addresses."""
    rows = []
    print(f"{'map':14} {'rio-tiler ms':>12} {'ours ms':>8} {'ratio':>6} {'rio-tiler kB':>12} {'ours kB':>8}")
    for place, bench_map in maps.items():
        asked = addresses(bench_map, count)
        theirs_ms, theirs_kb = _timed(lambda a, m=bench_map: draw_plainly(m.path, *a), asked)  # type: ignore[misc]
        ours_ms, ours_kb = _timed(lambda a, m=bench_map: _draw(m, a), asked)  # type: ignore[misc]
        print(
            f"{place:14} {theirs_ms:12.2f} {ours_ms:8.2f} {theirs_ms / ours_ms:6.1f}"
            f" {theirs_kb:12.1f} {ours_kb:8.1f}",
            flush=True,
        )
        figures = {
            "rio_tiler_ms": theirs_ms,
            "ours_ms": ours_ms,
            "rio_tiler_kb": theirs_kb,
            "ours_kb": ours_kb,
        }
        rows.append({"map": place} | figures)
    return rows


def compare_servers(maps: dict[str, BenchMap], folder: Path) -> list[Json]:
    """Each server in one process: what it can take on eight connections, then half of that, unhurried."""
    rows = []
    with plain_server(folder) as served:
        plain = {
            place: _load(served.root, [f"/{bench_map.path.stem}/{tail}" for tail in _tails(bench_map)])
            for place, bench_map in maps.items()
        }
    with tempfile.TemporaryDirectory(dir=folder) as name:
        home = Path(name) / "home"
        ids = furnish(home, maps)
        with real_server(home) as served:
            ours = {
                place: _load(served.root, [f"/maps/{ids[place]}/tiles/{tail}" for tail in _tails(bench_map)])
                for place, bench_map in maps.items()
            }
    print(f"{'map':14} {'server':18} {'1/s':>6} {'p50 ms':>7} {'p99 ms':>7}   at half: p50 ms, p99 ms")
    for place in maps:
        row: Json = {"map": place}
        for server, (full, half) in (("rio_tiler", plain[place]), ("service", ours[place])):
            row[server] = {
                "per_s": full.per_s,
                "p50_ms": full.p50_ms,
                "p99_ms": full.p99_ms,
                "half_per_s": half.per_s,
                "half_p50_ms": half.p50_ms,
                "half_p99_ms": half.p99_ms,
            }
            print(
                f"{place:14} {server:18} {full.per_s:6.0f} {full.p50_ms:7.1f} {full.p99_ms:7.1f}"
                f" {half.p50_ms:17.1f} {half.p99_ms:7.1f}",
                flush=True,
            )
        rows.append(row)
    return rows


def watch_memory(maps: dict[str, BenchMap], folder: Path, count: int) -> list[Json]:
    """Resident memory of the service's process after about a tenth, a half and all of so many tiles.

    After three minutes it is enough; rows say how many there were.
    """
    rows: list[Json] = []
    with tempfile.TemporaryDirectory(dir=folder) as name:
        home = Path(name) / "home"
        ids = furnish(home, maps)
        by_place = [
            [f"/maps/{ids[place]}/tiles/{tail}" for tail in _tails(bench_map)]
            for place, bench_map in maps.items()
        ]
        paths = [path for paths in zip(*by_place, strict=True) for path in paths]
        with real_server(home) as served:
            num_tiles, give_up = 0, time.monotonic() + _MEMORY_MOST_S
            for enough in (count // 10, count // 2, count):
                while num_tiles < enough and (time.monotonic() < give_up or not num_tiles):
                    num_tiles += saturate(served.root, paths, seconds=_MEMORY_S).num_requests
                rows.append(
                    {"num_tiles": num_tiles, "resident_mib": served.process.memory_info().rss / 2**20}
                )
                print(f"{num_tiles:8} tiles: {rows[-1]['resident_mib']:.1f} MiB", flush=True)
                if num_tiles < enough:
                    break
    return rows


def _load(root: str, paths: Sequence[str]) -> tuple[Load, Load]:
    saturate(root, paths, seconds=_WARM_S)
    full = saturate(root, paths, seconds=_LOAD_S)
    return full, ask_steadily(root, paths, per_s=full.per_s / 2, seconds=_STEADY_S)


def _tails(bench_map: BenchMap) -> list[str]:
    return [f"{z}/{x}/{y}.png" for z, x, y in addresses(bench_map, _NUM_PATHS)]


def _draw(bench_map: BenchMap, address: Address) -> bytes:
    return draw_tile(bench_map, *address, nomenclature=COSIA).png


def _timed(draw: Callable[[Address], bytes], asked: Sequence[Address]) -> tuple[float, float]:
    """Processor milliseconds and kilobytes a tile; other processes on the machine do not count."""
    best_s, num_bytes = float("inf"), 0
    for _ in range(_ROUNDS):
        start = time.process_time()
        num_bytes = sum(len(draw(address)) for address in asked)
        best_s = min(best_s, time.process_time() - start)
    return best_s / len(asked) * 1e3, num_bytes / len(asked) / 1e3


if __name__ == "__main__":
    main()

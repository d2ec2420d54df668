"""Tiles: ours against rio-tiler and a plain server around it, from the same files, in one run.

    python -m benchmarks.tiles [--tiles 300] [--requests] [--memory 100000]

Maps of 8192 x 8192 classes are written: web mercator, Lambert-93, UTM. Tiles are drawn at random addresses of
the five closest zooms. ``--requests`` serves the same tiles by two plain FastAPI apps, one around rio-tiler
with the file opened for each request as titiler does, one around ours, and loads each with
``wrk``; ``--memory`` draws that many tiles of ours and tells how the process grew.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.tile_apps import draw_plainly
from benchmarks.tile_maps import PLACES, addresses, write_map
from models.nomenclature import COSIA
from service.rasters.writing import bound_gdal_cache
from service.tiles.drawing import draw_tile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.tile_maps import Address, BenchMap

Json = dict[str, Any]

_PORT = 8791
_ROUNDS = 3
_WRK_S = 6
_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local number = 0
request = function() number = number %% #paths + 1; return wrk.format("GET", paths[number]) end
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tiles", type=int, default=300, help="per map and way")
    parser.add_argument("--requests", action="store_true", help="load two servers with wrk")
    parser.add_argument("--memory", type=int, default=0, help="tiles after which memory is compared")
    parser.add_argument("--folder", type=Path, help="keep the maps here")
    options = parser.parse_args()
    bound_gdal_cache(64 * 2**20)  # as the service's own default
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        maps = {place: write_map(folder, place) for place in PLACES}
        compare_functions(maps, options.tiles)
        if options.requests:
            compare_servers(maps, folder)
        if options.memory:
            watch_memory(maps, options.memory)


def measure(*, num_tiles: int = 200, num_for_memory: int = 20_000) -> Json:
    """Everything, as ``benchmarks.run`` keeps it; requests a second only where ``wrk`` is."""
    bound_gdal_cache(64 * 2**20)  # as the service's own default
    with tempfile.TemporaryDirectory() as name:
        maps = {place: write_map(Path(name), place) for place in PLACES}
        measured: Json = {"functions": compare_functions(maps, num_tiles)}
        if shutil.which("wrk"):
            measured["servers"] = compare_servers(maps, Path(name))
        measured["memory"] = watch_memory(maps, num_for_memory)
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
    """Requests a second of one process, eight connections."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is not here: apt-get install wrk")
    rows = []
    print(f"{'map':14} {'plain FastAPI + rio-tiler /s':>28} {'ours /s':>8} {'ratio':>6}")
    for place, bench_map in maps.items():
        rates = [_requests_per_s(kind, bench_map, folder) for kind in ("plain", "ours")]
        print(f"{place:14} {rates[0]:28.0f} {rates[1]:8.0f} {rates[1] / rates[0]:6.1f}", flush=True)
        rows.append({"map": place, "rio_tiler_per_s": rates[0], "ours_per_s": rates[1]})
    return rows


def watch_memory(maps: dict[str, BenchMap], count: int) -> list[Json]:
    """Resident memory after a tenth of the tiles and after all of them."""
    process, rows = psutil.Process(), []
    bench_maps = list(maps.values())
    asked = [addresses(bench_map, 2000, seed=1) for bench_map in bench_maps]
    for number in range(count):
        which = number % len(bench_maps)
        _draw(bench_maps[which], asked[which][number // 3 % 2000])
        if number + 1 in (count // 10, count // 2, count):
            rows.append({"num_tiles": number + 1, "resident_mib": process.memory_info().rss / 2**20})
            print(f"{number + 1:8} tiles: {rows[-1]['resident_mib']:.1f} MiB", flush=True)
    return rows


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


def _requests_per_s(kind: str, bench_map: BenchMap, folder: Path) -> float:
    """Start a server of this kind, load it, end it."""
    epsg = bench_map.path.stem
    paths, script = folder / f"{epsg}.txt", folder / f"{epsg}.lua"
    paths.write_text("\n".join(f"/{epsg}/{z}/{x}/{y}.png" for z, x, y in addresses(bench_map, 2000)))
    script.write_text(_SCRIPT % paths)
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tile_apps", kind, str(folder), str(_PORT)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for_port()
        load = ["wrk", "-t1", "-c8", f"-d{_WRK_S}s", "-s", str(script), f"http://127.0.0.1:{_PORT}"]
        subprocess.run([*load[:3], "-d2s", *load[4:]], capture_output=True, check=True)  # warm
        report = subprocess.run(load, capture_output=True, text=True, check=True).stdout
    finally:
        server.terminate()
        server.wait()
    if "Non-2xx" in report:
        sys.exit(f"the {kind} server answered with errors:\n{report}")
    return float(report.split("Requests/sec:")[1].split()[0])


def _wait_for_port() -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", _PORT), timeout=1):
            return
        time.sleep(0.1)
    sys.exit("the server did not start")


if __name__ == "__main__":
    main()

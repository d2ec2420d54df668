"""The page of benchmarks says what was measured, and nothing else."""

import asyncio

import pytest

from benchmarks.loading import _Asker, read_report
from benchmarks.report import to_markdown
from benchmarks.service_report import _servers, _tile_memory

MEASURED = {
    "machine": {"date": "2026-01-02 03:04 UTC", "processor": "Some CPU", "gdal": "3.10"},
    "predict": [
        {
            "scene": "scene-8192-aligned",
            "model": "bench-resnet34@1.0.0",
            "seconds": {"raw": [10.0, 12.0, 11.0], "in_process": [12.0, 12.0], "command": [13.0]},
            "share_command": 0.8461,
            "share_in_process": 0.9167,
            "mpx_per_s_raw": 6.1,
            "mpx_per_s_command": 5.16,
            "patch_over_core_squared": 1.3369,
            "forward_over_kept": 1.35,
            "edge_overhead": 1.0098,
            "phases_in_process": {
                "reading_facts_hashing_planning_s": 0.25,
                "loading_engine_s": 0.5,
                "blocks_s": 11.0,
                "of_that_engine_s": 10.0,
                "of_that_waiting_for_pixels_s": 0.25,
                "finishing_s": 1.5,
                "decoded_over_source": 1.125,
                "seam_rate": 1.02,
            },
        }
    ],
    "memory": {
        "model": "bench-cheap",
        "rows": [
            {"side_px": 5000, "parent_mib": 400.0, "children_mib": 200.0, "sum_mib": 600.0, "seconds": 4.0},
            {"side_px": 20000, "parent_mib": 420.0, "children_mib": 210.0, "sum_mib": 630.0, "seconds": 64.0},
        ],
        "growth": 1.05,
    },
}


def cells_of(page, start):
    line = next(line for line in page.splitlines() if line.startswith(start))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_shares_come_with_median_and_spread():
    cells = cells_of(to_markdown(MEASURED), "| `bench-resnet34@1.0.0` | 8192, aligned | 11.0")
    assert cells[2:] == [
        "11.0 (10.0-12.0)", "12.0 (12.0-12.0)", "13.0 (13.0-13.0)", "6.10", "5.16", "0.92", "**0.85**"
    ]  # fmt: skip


def test_time_that_no_phase_explains_is_shown():
    cells = cells_of(to_markdown(MEASURED), "| `bench-resnet34@1.0.0` | 8192, aligned | 0.25")
    assert cells[2:] == ["0.25", "0.50", "10.00", "0.25", "0.75", "1.50"]


def test_memory_grows_are_told_with_their_scenes():
    page = to_markdown(MEASURED)
    assert cells_of(page, "| 20 000 x 20 000")[1:] == ["420", "210", "630", "64.0"]
    assert "**1.05**" in page


def test_the_machine_is_named():
    page = to_markdown(MEASURED)
    assert "| processor | Some CPU |" in page
    assert "2026-01-02" in page


def test_the_middle_is_the_median_whatever_the_order():
    measured = {**MEASURED, "predict": [{**MEASURED["predict"][0]}]}
    measured["predict"][0]["seconds"] = {"raw": [9.0, 1.0, 2.0, 4.0], "in_process": [1.0], "command": [1.0]}
    assert "3.0 (1.0-9.0)" in to_markdown(measured)


REPORT = """Running 6s test @ http://127.0.0.1:8791
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    16.05ms   11.30ms 124.45ms   91.39%
    Req/Sec   531.17    131.41   730.00     75.00%
  Latency Distribution
     50%  950.00us
     75%   17.98ms
     90%   25.31ms
     99%    1.07s
  3178 requests in 6.01s, 38.15MB read
Requests/sec:    529.13
Transfer/sec:      6.35MB
"""


def test_reports_of_wrk_are_read_in_milliseconds():
    load = read_report(REPORT)
    assert (load.num_requests, load.per_s) == (3178, 529.13)
    assert (load.p50_ms, load.p99_ms) == pytest.approx((0.95, 1070.0))


def test_tiles_are_told_saturated_and_at_half():
    figures = ("per_s", "p50_ms", "p99_ms", "half_per_s", "half_p50_ms", "half_p99_ms")
    slow, fast = (dict(zip(figures, values, strict=True)) for values in (
        (50.0, 150.0, 300.0, 25.0, 20.0, 80.0), (600.0, 12.0, 40.0, 300.0, 3.0, 11.0)
    ))  # fmt: skip
    served = [{"map": "UTM 31N", "rio_tiler": slow, "service": fast}]
    words, table, memory = (
        *_servers(served), *_tile_memory([{"num_tiles": 100_000, "resident_mib": 210.4}])
    )  # fmt: skip
    assert "half of that rate" in words
    assert cells_of(table, "| UTM 31N | ours") == [
        "UTM 31N", "ours", "600", "**12.0**", "12.0", "40.0", "3.0", "11.0"
    ]  # fmt: skip
    assert "210 MiB after 100000 tiles" in memory


def test_the_open_loop_charges_for_waiting():
    """One connection's worth of server, asked twice as often as it can answer: the queue grows."""

    async def answer(reader, writer):
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            async with turn:
                await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()
        await writer.wait_closed()

    async def measured():
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            load = await _Asker(f"http://127.0.0.1:{port}", ["/"]).run(per_s=100.0, seconds=0.5)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(others, timeout=10)
        return load

    turn = asyncio.Lock()
    load = asyncio.run(measured())
    assert load.num_requests == 50
    assert load.p99_ms > 300  # 50 answers take 1 s, the last was due after half of one
    assert load.p50_ms < load.p99_ms

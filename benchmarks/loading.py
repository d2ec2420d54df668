"""Load on a server of tiles: as much as it can take (``wrk``), or at a rate that does not wait for it."""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECTIONS = 8
_IDLE_S = 2.0
"""Servers close connections that have been idle for some seconds more."""
_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local number = 0
request = function() number = number %% #paths + 1; return wrk.format("GET", paths[number]) end
"""
_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, kw_only=True)
class Load:
    """How a server answered."""

    num_requests: int
    per_s: float
    p50_ms: float
    p99_ms: float


def saturate(root: str, paths: Sequence[str], *, seconds: int) -> Load:
    """Ask on eight connections, each as soon as it was answered; one after the other through the paths.

    Args:
        root: ``http://host:port``.
        paths: Asked for in turn, again and again.
        seconds: For how long.
    """
    with tempfile.TemporaryDirectory() as name:
        listed, script = Path(name) / "paths.txt", Path(name) / "paths.lua"
        listed.write_text("\n".join(paths), encoding="utf-8")
        script.write_text(_SCRIPT % listed, encoding="utf-8")
        load = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), root]
        report = subprocess.run(load, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in report or "Socket errors" in report:
        sys.exit(f"the server answered with errors:\n{report}")
    return read_report(report)


def read_report(report: str) -> Load:
    """What ``wrk --latency`` has printed."""
    latencies = {
        share: float(number) * _UNITS_MS[unit]
        for share, number, unit in re.findall(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s)$", report, re.MULTILINE)
    }
    num_requests = re.search(r"(\d+) requests in ", report)
    per_s = re.search(r"Requests/sec:\s+([\d.]+)", report)
    if num_requests is None or per_s is None or not {"50", "99"} <= latencies.keys():
        raise ValueError(f"no latencies are in this report of wrk --latency:\n{report}")
    return Load(
        num_requests=int(num_requests[1]),
        per_s=float(per_s[1]),
        p50_ms=latencies["50"],
        p99_ms=latencies["99"],
    )


def ask_steadily(root: str, paths: Sequence[str], *, per_s: float, seconds: float) -> Load:
    """Ask at a fixed rate, whether the earlier questions are answered or not (an open loop).

    The time of an answer is counted from the moment at which it was to be asked for, so a server that stops
    for a while is charged for all who would have come meanwhile.
    """
    return asyncio.run(_Asker(root, paths).run(per_s=per_s, seconds=seconds))


class _Asker:
    """Connections to one server: as many as are needed to ask in time, each for one request at a time."""

    def __init__(self, root: str, paths: Sequence[str]) -> None:
        self._place = urlsplit(root)
        self._paths = paths
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []
        self._latencies_ms: list[float] = []

    async def run(self, *, per_s: float, seconds: float) -> Load:
        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(per_s * seconds)):
                due = began + number / per_s
                await asyncio.sleep(max(due - time.perf_counter(), 0.0))
                tasks.create_task(self._ask(self._paths[number % len(self._paths)], due))
        took_s = time.perf_counter() - began
        for _, writer, _ in self._idle:
            writer.close()
            await writer.wait_closed()
        percentiles = statistics.quantiles(self._latencies_ms, n=100)
        num = len(self._latencies_ms)
        return Load(num_requests=num, per_s=num / took_s, p50_ms=percentiles[49], p99_ms=percentiles[98])

    async def _ask(self, path: str, due: float) -> None:
        reader, writer = await self._connection()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._place.netloc}\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            sys.exit(f"{path} was answered with\n{head.decode()}")
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        self._latencies_ms.append((time.perf_counter() - due) * 1e3)
        self._idle.append((reader, writer, time.perf_counter()))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The connection that was used last, unless the server may be about to close it; or a new one."""
        while self._idle:
            reader, writer, used_at = self._idle.pop()
            if time.perf_counter() - used_at < _IDLE_S:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._place.hostname, self._place.port)

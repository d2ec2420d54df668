"""What every request leaves behind: a trace id, a line in the log, figures for Prometheus."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

from service.logs import trace_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("orthoscape_http_requests", "Requests answered.", ("method", "route", "status"))
REQUEST_SECONDS = Histogram("orthoscape_http_request_seconds", "Time to answer a request.", ("route",))
TILE_SECONDS = Histogram(
    "orthoscape_tile_seconds",
    "Time to answer a request for a tile; a hit is one that the client still had (304).",
    ("cache",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context, 3.2
_NOT_MODIFIED = 304
_FAILED = 500

logger = logging.getLogger(__name__)


class Observed:
    """ASGI middleware: times, counts and logs requests.

    Lines carry the path without its query, which may hold a key, and the key's public part. Tiles are
    logged as debugging only. Labels are routes as written in the code, never ids.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and tell of it when its answer is complete."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id.set(_trace_of(scope))
        start_s, status, num_bytes = time.perf_counter(), _FAILED, 0

        async def send_observed(message: Message) -> None:
            nonlocal status, num_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                num_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        finally:
            seconds = time.perf_counter() - start_s
            _count(scope, status=status, seconds=seconds)
            _log(scope, status=status, seconds=seconds, num_bytes=num_bytes)


def _trace_of(scope: Scope) -> str:
    """The trace that a proxy or a client has begun, or a new one."""
    header = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    found = _TRACEPARENT.fullmatch(header)
    return found[1].decode() if found else secrets.token_hex(16)


def _count(scope: Scope, *, status: int, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "none")
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)
    if "/tiles/" in route and status < _FAILED:
        TILE_SECONDS.labels("hit" if status == _NOT_MODIFIED else "miss").observe(seconds)


def _log(scope: Scope, *, status: int, seconds: float, num_bytes: int) -> None:
    level = logging.DEBUG if "/tiles/" in scope["path"] and status < _FAILED else logging.INFO
    if not logger.isEnabledFor(level):
        return
    fields = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "duration_s": round(seconds, 6),
        "num_bytes": num_bytes,
        "client": (scope.get("client") or ("unknown",))[0],
        "key": scope.get("state", {}).get("key_id"),
    }
    logger.log(level, "%s %s %s", scope["method"], scope["path"], status, extra=fields)

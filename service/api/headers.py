"""Headers that keep browsers from being turned against their users."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
"""The page loads what this server sends, runs no inline script, and is framed by nobody."""

FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Whatever else a browser may be talked into showing, an SVG of a legend say, can do nothing."""

_ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
_PAGE = (
    (b"content-security-policy", PAGE_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"x-frame-options", b"DENY"),
)
_FILE = ((b"content-security-policy", FILE_POLICY.encode()),)
_SHARED_FILES = (b"image/png", b"image/jpeg", b"image/webp", b"image/tiff", b"text/event-stream")


class SafeHeaders:
    """ASGI middleware that adds these headers where an answer lacks them.

    Answers to a request that shows a key are kept by that user's browser alone: ``public`` in their
    ``Cache-Control`` turns ``private``, whoever wrote it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _safe(message.get("headers", ()), is_keyed=_shows_key(scope))
            await send(message)

        await self.app(scope, receive, send_safely)


Header = tuple[bytes, bytes]


def _safe(headers: list[Header], *, is_keyed: bool) -> list[Header]:
    present = dict(headers)
    kept = [(name, _private(value)) if is_keyed and name == b"cache-control" else (name, value)
            for name, value in headers]  # fmt: skip
    added = (*_ALWAYS, *_policies(present.get(b"content-type", b"")))
    return kept + [header for header in added if header[0] not in present]


def _policies(content_type: bytes) -> tuple[Header, ...]:
    if content_type.startswith(_SHARED_FILES):
        return ()  # cannot carry scripts, and tiles are many
    return _PAGE if content_type.startswith(b"text/html") else _FILE


def _private(cache_control: bytes) -> bytes:
    return cache_control.replace(b"public", b"private")


def _shows_key(scope: Scope) -> bool:
    if b"key=" in scope.get("query_string", b""):
        return True
    return any(name in {b"x-api-key", b"authorization"} for name, _ in scope["headers"])

"""HTTP as it comes over the wire: heads of requests are small, soon here, and refused as problems.

The parser takes heads of any length, and the server waits for their end for ever; both would let anybody who
reaches the port fill its memory or use up its connections, without a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.problems import problem

if TYPE_CHECKING:
    from asyncio import TimerHandle, Transport

MAX_HEAD_BYTES = 64 * 2**10
"""Most bytes of an address and headers; of what arrives at once, a little more is taken."""
MAX_HEADERS = 200
HEAD_S = 30.0
"""Longest that the head of a request may take to come, and a connection to begin with one."""


class HeadRefused(ValueError):
    """The head of a request is larger than any may be."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    _is_in_head = True
    _num_head_bytes = 0
    _refusal = 400
    _patience: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes, unless they go on with a head that is too long."""
        if self.parser is None or self.transport.is_closing():  # refused before
            return
        if self._is_in_head:
            self._num_head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._num_head_bytes > MAX_HEAD_BYTES:
            self._refuse(431)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._is_in_head = True
        if self._patience is None:
            self._wait_for_head()

    def on_headers_complete(self) -> None:
        """The end of a head; what it asks for is done now.

        Raises:
            HeadRefused: It has too many headers.
        """
        self._is_in_head, self._num_head_bytes = False, 0
        self._end_wait()
        if len(self.headers) > MAX_HEADERS:
            self._refusal = 431
            raise HeadRefused
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or none that is taken."""
        details = {
            400: (msg, None),
            408: (f"no whole request came within {HEAD_S:g} s", "send it again"),
            431: (
                f"more than {MAX_HEADERS} headers, or than {MAX_HEAD_BYTES:,} bytes of address and headers",
                "send less: what is long belongs into the body",
            ),
        }
        detail, remedy = details[self._refusal]
        answer = problem(self._refusal, detail=detail, remedy=remedy, headers={"Connection": "close"})
        lines = [name + b": " + value for name, value in answer.raw_headers]
        head = STATUS_LINE[self._refusal].rstrip(b"\r\n")
        self.transport.write(b"\r\n".join([head, *lines, b"", bytes(answer.body)]))
        self.transport.close()

    def _refuse(self, status: int) -> None:
        if not self.transport.is_closing():
            self._refusal = status
            self.send_400_response("")

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(HEAD_S, self._lose_patience)

    def _end_wait(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _lose_patience(self) -> None:
        self._patience = None
        if self._num_head_bytes:
            self._refuse(408)
        else:  # nobody asked anything
            self.transport.close()

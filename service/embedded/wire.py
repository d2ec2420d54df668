"""HTTP as it comes over the wire: heads of requests are small, soon here, and refused as problems.

The parser takes heads of any length, and the server waits for their end for ever; both would let anybody who
reaches the port fill its memory or use up its connections, without a key. Trailers, the headers that may
follow a body sent in chunks, are bounded likewise, and read by nobody.
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
    _is_in_body = False
    """From the end of a head to that of its request: a body in chunks, and its trailers, may come."""
    _num_head_bytes = 0
    """Received and kept by the parser: of a head, or of what follows the last piece of a body."""
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
        self._num_head_bytes += len(data)
        super().data_received(data)
        if self._num_head_bytes > MAX_HEAD_BYTES:
            self._refuse(431)
        elif self._is_in_body and self._num_head_bytes and self._patience is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._is_in_head, self._is_in_body = True, False
        if self._patience is None:
            self._wait_for_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; none of a trailer."""
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The end of a head; what it asks for is done now.

        Raises:
            HeadRefused: It has too many headers.
        """
        self._is_in_head, self._is_in_body, self._num_head_bytes = False, True, 0
        self._end_wait()
        if len(self.headers) > MAX_HEADERS:
            self._refusal = 431
            raise HeadRefused
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body, which may be as long and as slow as it likes."""
        self._num_head_bytes = 0
        self._end_wait()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._is_in_body, self._num_head_bytes = False, 0
        self._end_wait()
        super().on_message_complete()

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
        if not self._is_in_head and self.cycle.response_started:
            self.transport.close()  # into the middle of an answer, or after its end, goes no other
        elif not self.transport.is_closing():
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

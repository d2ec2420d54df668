"""Requests with files, received straight onto the disk, and gone again if they end early.

``multipart/form-data``, a raster as the body itself, JSON, or a plain form; whatever comes, the same is made
of it: fields as text or JSON values, and files.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import anyio
from python_multipart.multipart import parse_options_header

from models.errors import RemediedError
from service.api.forms import (
    BATCH_BYTES,
    HOW,
    MAX_FIELD_BYTES,
    MAX_PARTS,
    FileSink,
    FormReceiver,
    Received,
    text_of,
    too_large,
)
from service.api.problems import MalformedRequest, MediaTypeRefused, PayloadTooLarge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from service.api.uploadfolder import Upload, UploadFolder

RASTER_TYPES = ("image/tiff", "image/jp2", "image/x-jp2", "application/geotiff", "application/octet-stream")
"""Types of bodies that are a raster themselves."""

IDLE_S = 60.0
"""A sender that sends nothing for this long is taken for gone."""
_LINGER_S = 1.0
_LINGER_BYTES = 64 * 2**20
"""How much longer a sender is listened to who was refused: many read no answer before they have sent all."""


class Body:
    """The body of a request, as it comes."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.is_over = False

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes, while it comes.

        Raises:
            MalformedRequest: Nothing came for too long, or the sender went away.
        """
        while not self.is_over:
            with anyio.move_on_after(IDLE_S) as patience:
                message = await self._request.receive()
            if patience.cancelled_caught:
                raise MalformedRequest(
                    f"nothing came for {IDLE_S:g} s", remedy="large files go better through POST /uploads"
                )
            if message["type"] == "http.disconnect":
                raise MalformedRequest("the sender went away before the end")
            self.is_over = not message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def batches(self) -> AsyncIterator[bytes]:
        """The body in pieces worth a thread's while; the first comes at once, as it tells what is sent."""
        pending, wanted = bytearray(), 1
        async for piece in self.pieces():
            pending += piece
            if len(pending) >= wanted:
                yield bytes(pending)
                pending, wanted = bytearray(), BATCH_BYTES
        if pending:
            yield bytes(pending)

    async def small(self) -> bytes:
        """All of a body that has no business being large.

        Raises:
            PayloadTooLarge: It is.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > MAX_FIELD_BYTES:
                raise PayloadTooLarge(
                    f"a body of more than {MAX_FIELD_BYTES:,} bytes that is no file",
                    remedy="send what is long as a file: -F aoi=@area.gpkg",
                )
        return bytes(body)

    async def linger(self) -> None:
        """Let a refused sender finish, within reason: few read an answer before they have sent all."""
        num_bytes = 0
        with anyio.move_on_after(_LINGER_S):
            while not self.is_over and num_bytes < _LINGER_BYTES:
                message = await self._request.receive()
                num_bytes += len(message.get("body", b""))
                self.is_over = not message.get("more_body", False)


async def receive(request: Request, folder: UploadFolder, *, owner: str, max_bytes: int) -> Received:
    """Receive a request; options in its query are fields too.

    Args:
        request: Its body has not been read yet.
        folder: Where files go.
        owner: Whose they are.
        max_bytes: Of each file, and of them all together.

    Raises:
        ServiceError: It is not taken; nothing of it remains.
    """
    received, body = Received(), Body(request)
    for name, value in request.query_params.multi_items():
        received.add_field(name, value)
    try:
        await _receive_body(request, body, received, folder, owner=owner, max_bytes=max_bytes)
    except BaseException as error:  # of whatever kind: nothing remains of a request that was not taken
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(received.discard)
        if isinstance(error, RemediedError):
            await body.linger()
            request.state.is_cut = not body.is_over
        raise
    return received


async def _receive_body(
    request: Request, body: Body, received: Received, folder: UploadFolder, *, owner: str, max_bytes: int
) -> None:
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    num_bytes = _declared_bytes(request)

    def create(name: str) -> Upload:
        return folder.create(owner=owner, name=name, size=None)

    if kind == "multipart/form-data" or kind in RASTER_TYPES:
        if num_bytes > max_bytes:
            raise too_large(max_bytes)
        folder.require_room(num_bytes)
    if kind == "multipart/form-data":
        form = FormReceiver(content_type, received, create, max_bytes=max_bytes)
        await _drain(body, form.feed, form.finish, form.close)
    elif kind in RASTER_TYPES:
        received.fields.pop("filename", None)
        upload = create(request.query_params.get("filename") or _name_of_body(request, kind))
        received.files["file"] = [upload]
        sink = FileSink("file", upload, max_bytes=max_bytes)
        await _drain(
            body, sink.write, lambda: received.digests.append((sink.name, sink.finish())), sink.close
        )
    elif kind == "application/json":
        received.fields |= await anyio.to_thread.run_sync(_json_object, await body.small())
    elif kind == "application/x-www-form-urlencoded":
        for name, value in await anyio.to_thread.run_sync(_pairs, await body.small()):
            received.add_field(name, value)
    elif content_type or num_bytes:
        raise MediaTypeRefused(f"{kind or 'a body without Content-Type'} is not read", remedy=HOW)


async def _drain(
    body: Body,
    feed: Callable[[bytes], object],
    finish: Callable[[], object],
    close: Callable[[], object],
) -> None:
    """Hand a body over, a good piece at a time, in threads."""
    try:
        async for piece in body.batches():
            await anyio.to_thread.run_sync(feed, piece)
        await anyio.to_thread.run_sync(finish)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(close)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
        json.dumps(
            value, ensure_ascii=False
        ).encode()  # JSON can spell halves of characters; nothing keeps them
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedRequest("the body is no JSON object", remedy='{"source": "upload:...", "map": "..."}')
    return value


def _pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(errors="replace"), max_num_fields=MAX_PARTS)
    except ValueError as error:
        raise MalformedRequest(f"more than {MAX_PARTS} fields", remedy="send JSON") from error


def _declared_bytes(request: Request) -> int:
    text = request.headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


def _name_of_body(request: Request, kind: str) -> str:
    """A name for a body that is a raster: its own (Content-Disposition), or by its kind."""
    options = parse_options_header(request.headers.get("content-disposition"))[1]
    if b"filename" in options:
        return text_of(options[b"filename"])
    return "ortho.jp2" if "jp2" in kind else "ortho.tif"

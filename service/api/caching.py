"""What clients may keep, for how long, and how they ask whether it is still good (RFC 9110, 13; RFC 9111)."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version

from starlette.responses import Response

FOR_GOOD = "public, max-age=31536000, immutable"
"""Of a finished map nothing changes under its id; `service.api.headers` makes it private where keys are."""
FOR_A_MOMENT = "public, max-age=1, must-revalidate"
"""Of a map under way: a client that comes back asks whether its copy is still good."""
ASK_FIRST = "no-cache"
"""Of what tells of a map: it may be kept, but asked about each time."""

_VERSION = version("orthoscape")


def version_tag(*parts: str) -> str:
    """A strong entity tag from what decides the bytes, the program's version with its colours included."""
    return '"' + "-".join((*parts, _VERSION)) + '"'


def content_tag(content: bytes) -> str:
    """A strong entity tag from the bytes themselves."""
    return f'"{hashlib.blake2b(content, digest_size=9).hexdigest()}"'


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """Whether the client says that it has this very answer (``If-None-Match``)."""
    asked = headers.get("if-none-match")
    if asked is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in asked.split(",")]
    return etag in tags or "*" in tags


def not_modified(etag: str, *, cache_control: str) -> Response:
    """304: the client's copy is good."""
    return Response(status_code=304, headers={"ETag": etag, "Cache-Control": cache_control})


def answer(
    content: bytes | str, *, media_type: str, headers: Mapping[str, str], cache_control: str = ASK_FIRST
) -> Response:
    """An answer with its tag, or 304 where the client has it.

    Args:
        content: The bytes; text is sent as UTF-8.
        media_type: Of the content.
        headers: Of the request.
        cache_control: How long it may be kept.
    """
    body = content.encode() if isinstance(content, str) else content
    etag = content_tag(body)
    if is_known(headers, etag):
        return not_modified(etag, cache_control=cache_control)
    return Response(body, media_type=media_type, headers={"ETag": etag, "Cache-Control": cache_control})

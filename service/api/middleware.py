"""What every request passes through; plain ASGI, and little of it, for the sake of tiles."""

import re
from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_COMPRESSED = (".tif", ".png", ".jpg", ".webp", ".gpkg")
_MIN_GZIP_BYTES = 1024

EXPOSED = ("ETag", "Link", "Location", "Retry-After", "Upload-Offset", "Upload-Length", "Accept-Ranges")
"""Headers that pages of other sites may read."""

PUBLIC = ("/maps/", "/models", "/classes", "/styles", "/tileMatrixSets", "/openapi.json", "/version")
"""What pages of other sites may read of a server of this machine: nothing that lists what is its user's."""
_BY_NAME = re.compile(r"/maps/[^/]+/latest(/|$)")
"""Names can be guessed, and lead to ids, which cannot."""


class Compression:
    """Gzip for text; tiles, pictures and rasters go past it, as they are compressed or asked for by range."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        self._gzip = GZipMiddleware(app, minimum_size=_MIN_GZIP_BYTES, compresslevel=5)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, and its answer back, compressed where that helps."""
        if scope["type"] != "http" or scope["path"].endswith(_COMPRESSED):
            await self._app(scope, receive, send)
        else:
            await self._gzip(scope, receive, send)


class OtherSites:
    """CORS: pages of any site may read; none may write.

    Whatever page its user visits could ask a server without keys for the list of jobs: of such a server,
    other sites read only what they know the address of.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app
        self._cors = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["X-API-Key", "Authorization", "Range", "If-None-Match", "Last-Event-ID"],
            expose_headers=EXPOSED,
            max_age=86_400,
        )

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Pass a request on, and its answer back with what browsers ask for."""
        if scope["type"] == "http" and self._may_read(scope):
            await self._cors(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @staticmethod
    def _may_read(scope: "Scope") -> bool:
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            return False
        path = scope["path"]
        is_public = path.startswith(PUBLIC) and not _BY_NAME.match(path)
        return is_public or not scope["app"].state.door.ring.is_empty

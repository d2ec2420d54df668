"""Absolute addresses of what is under a map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_TMS = "WebMercatorQuad"
"""The tile matrix set of plain z/x/y addresses."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Addresses of the server, as its users reach it."""

    root: str
    """Without a slash at its end."""
    key: str | None = None
    """A reading key that every address is to carry, for clients that cannot send headers."""

    def of(self, path: str, query: Mapping[str, str | None] | None = None) -> str:
        """The address of a path such as ``/wmts``; queries of None are left out."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if self.key is not None:
            given["key"] = self.key
        # Braces stay: templates carry their variables in the query, too.
        return self.root + path + (f"?{urlencode(given, safe='{},:')}" if given else "")

    def map(self, map_id: str) -> MapAddresses:
        """Those of a map."""
        return MapAddresses(server=self, map_id=map_id)

    def model(self, model: str) -> str:
        """The item of a model, ``id@version``."""
        return self.of(f"/models/{quote(model, safe='@')}")


@dataclass(frozen=True, kw_only=True)
class MapAddresses:
    """Addresses of one map."""

    server: Addresses
    map_id: str

    def of(self, name: str = "", query: Mapping[str, str | None] | None = None) -> str:
        """What lies at ``/maps/{id}/name``; the map itself for no name."""
        path = f"/maps/{quote(self.map_id)}"
        return self.server.of(f"{path}/{name}" if name else path, query)

    def tiles(self, query: Mapping[str, str | None] | None = None, *, tms: str = DEFAULT_TMS) -> str:
        """Template of class tiles with ``{z}``, ``{x}``, ``{y}``."""
        folder = "tiles" if tms == DEFAULT_TMS else f"tiles/{quote(tms)}"
        return self.of(f"{folder}/{{z}}/{{x}}/{{y}}.png", query)

    def image_tiles(self, query: Mapping[str, str | None] | None = None) -> str:
        """Template of tiles of the image with ``{z}``, ``{x}``, ``{y}``."""
        return self.of("image/tiles/{z}/{x}/{y}.jpg", query)

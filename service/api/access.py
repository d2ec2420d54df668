"""The door of the API: who asks, may they, and not too often."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002  FastAPI reads annotations
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool

from service.access.errors import KeyMissing
from service.access.origins import SAFE_METHODS, check_host, check_origin
from service.access.principals import LOCAL, Principal, Scope
from service.access.rates import Rates
from service.access.ring import KeyRing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from service.access.ring import KnownKey
    from service.settings import Settings

_TAKES_KEY_IN_ADDRESS = re.compile(r"/wmts|/maps/[^/]+/.+")


@dataclass(frozen=True)
class Door:
    """What decides who comes in; one for each process, at ``app.state.door``."""

    ring: KeyRing
    rates: Rates
    public_url: str

    @classmethod
    def of(cls, settings: Settings, load_keys: Callable[[], Sequence[KnownKey]]) -> Door:
        """The door of a server.

        Args:
            settings: Of the process.
            load_keys: Reads all keys of the store, ended ones too.
        """
        rates = Rates.counting(settings.requests_per_minute, redis_url=settings.broker_url)
        return cls(ring=KeyRing(load_keys), rates=rates, public_url=settings.public_url)

    async def admit(self, request: Request) -> Principal:
        """Who asks; reads the store only if the ring's copy is old.

        Raises:
            AccessError: The key is missing or wrong, its scope too narrow, its minute used up; or another
                site's page asks a server without keys.
        """
        text = shown_key(request)
        if not self.ring.is_fresh_for(text):
            await run_in_threadpool(self.ring.refresh, text)
        principal = self._local(request) if self.ring.is_empty else self._keyed(text)
        request.state.key_id = principal.key_id  # for the log
        principal.require(Scope.READ if request.method in SAFE_METHODS else Scope.WRITE)
        if self.rates.per_minute and not _asks_for_tile(request):
            who = principal.key_id or (request.client.host if request.client else "unknown")
            await run_in_threadpool(self.rates.take, who)
        return principal

    def _local(self, request: Request) -> Principal:
        check_host(request.headers.get("host", ""), public_url=self.public_url)
        if request.method not in SAFE_METHODS:
            check_origin(request.headers, public_url=self.public_url)
        return LOCAL

    def _keyed(self, text: str | None) -> Principal:
        if text is None:
            raise KeyMissing(
                "this server asks for a key",
                remedy="send it as X-API-Key; as ?key= for tiles and files of maps. "
                "`orthoscape keys create NAME --scope read` makes one on the server",
            )
        return self.ring.recognise(text)


def shown_key(request: Request) -> str | None:
    """The key of a request: ``X-API-Key``, ``Authorization: Bearer``, or `key_in_address`."""
    if key := request.headers.get("x-api-key"):
        return key
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return key_in_address(request)


def words_of(request: Request) -> dict[str, str]:
    """The words of a request of keys and values, as WMTS has them: keys are read in any case."""
    return {name.lower(): value for name, value in request.query_params.items()}


def _asks_for_tile(request: Request) -> bool:
    path = request.url.path
    return "/tiles/" in path or (
        path == "/wmts" and words_of(request).get("request", "").lower() == "gettile"
    )


def key_in_address(request: Request) -> str | None:
    """The key after ``?key=``: for programs that can send nothing else, where nothing can be changed.

    Addresses end up in logs, histories and other people's mail. So it is taken only to read what lies
    under a map, and by ``/wmts``; links in the answer carry it on.
    """
    if request.method in SAFE_METHODS and _TAKES_KEY_IN_ADDRESS.fullmatch(request.url.path):
        return request.query_params.get("key") or None
    return None


class AskForKey(SecurityBase):
    """The dependency that routes name; OpenAPI shows it as the key that it asks for."""

    def __init__(self) -> None:
        self.model = APIKey.model_validate(
            {
                "in": APIKeyIn.header,
                "name": "X-API-Key",
                "description": "Needed as soon as the server has keys. `Authorization: Bearer` does as well, "
                "and `?key=` for reading tiles and files of a map. Scopes: read, write, admin.",
            }
        )
        self.scheme_name = "key"

    async def __call__(self, request: Request) -> Principal:
        """Who asks, if they may; see `Door.admit`."""
        door: Door = request.app.state.door
        return await door.admit(request)


principal = AskForKey()
"""``Annotated[Principal, Depends(principal)]`` in a route: who asks; reading needs read, all else write."""

"""What the door says when it does not open; ``headers`` are those that the answer carries (RFC 6750, 3)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from service.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REALM = 'Bearer realm="orthoscape"'


class KeyMissing(AccessError):
    """A key is asked for, and the request carries none."""

    headers: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": _REALM})


class KeyWrong(AccessError):
    """The request's key is unknown, revoked or expired; which of these is nobody's business."""

    headers: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": f'{_REALM}, error="invalid_token"'})


class ScopeMissing(AccessError):
    """The key is good, but not for this."""

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"this needs the scope {scope!r}, which the key does not have",
            remedy=f"use a key with that scope; `orthoscape keys create NAME --scope {scope}` makes one",
        )
        asked = f'{_REALM}, error="insufficient_scope", scope="{scope}"'
        self.headers = {"WWW-Authenticate": asked}


class ForeignRequest(AccessError):
    """A web page of another site tries to act on a server that asks for no keys."""


class DoorRefused(AccessError):
    """The server would be open to other machines without a single key."""


class TooManyRequests(AccessError):
    """A key, or an address, asked for more than its share."""

    def __init__(self, per_minute: int, *, retry_after_s: int) -> None:
        super().__init__(
            f"more than {per_minute} requests in a minute",
            remedy=f"go on in {retry_after_s} s; ORTHOSCAPE_REQUESTS_PER_MINUTE sets the limit",
        )
        self.headers = {"Retry-After": str(retry_after_s)}

"""The rule of the door: a server that other machines reach has keys, or was told to do without."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from service.access.errors import DoorRefused

if TYPE_CHECKING:
    from service.settings import Settings


def check_door(settings: Settings, *, has_keys: bool) -> None:
    """Go on only if nobody finds an open server by chance.

    Args:
        settings: Where the server binds, or where its container's port is published.
        has_keys: Whether the store has any key.

    Raises:
        DoorRefused: Other machines would reach the server, and no key is asked for.
    """
    host = settings.published_host or settings.host
    if has_keys or settings.open_to_all or is_loopback(host):
        return
    raise DoorRefused(
        f"{host!r} can be reached by other machines, and there is no key to ask them for",
        remedy="make a key: orthoscape keys create NAME --scope write; or serve this machine alone: "
        "ORTHOSCAPE_HOST=127.0.0.1; or let everybody in: ORTHOSCAPE_OPEN_TO_ALL=true",
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine itself can reach an address or a name; names other than localhost do not."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"

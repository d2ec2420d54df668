"""Refusing what the disk could not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.api.problems import DiskFull
from service.room import MAKE_ROOM

if TYPE_CHECKING:
    from service.room import Room


def require_room(room: Room, num_bytes: int) -> None:
    """Refuse bytes that would leave too little of the disk for the store and for maps under way.

    Raises:
        DiskFull: They would.
    """
    lacking = shortage(room, num_bytes)
    if lacking is not None:
        raise disk_full(lacking)


def shortage(room: Room, num_bytes: int) -> str | None:
    """How much too little there is for so many bytes; None where there is enough."""
    free = room.num_bytes
    if num_bytes <= free:
        return None
    return f"{num_bytes:,} bytes are to come, {max(free, 0):,} are free"


def disk_full(what: str) -> DiskFull:
    """There is no room; what to do about it."""
    return DiskFull(f"the server's disk is full: {what}", remedy=MAKE_ROOM)

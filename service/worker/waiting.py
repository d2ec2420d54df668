"""Waiting for room on the disk: without it nothing is taken up, since nothing could be written."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.room import Room

_FIRST_S, _LONGEST_S = 5.0, 300.0
"""Pauses after writes that found a disk full, each twice the one before: a quota, or the disk of the staged
copies, is seen by nothing but such writes."""

_log = logging.getLogger(__name__)


class NoRoom(Exception):
    """A disk is full; what this worker held is given back, as if it had never been leased."""


class RoomWatch:
    """Tells a worker whether to take up work."""

    def __init__(self, room: Room) -> None:
        """Begin without a pause.

        Args:
            room: Of the maps.
        """
        self._room = room
        self._pause_s, self._until = 0.0, float("-inf")
        self._is_told = False

    def is_open(self) -> bool:
        """Whether work may be taken up now: the disk is above its mark, and no pause goes on."""
        if time.monotonic() < self._until:
            return False
        word = self._room.word
        if word is None and self._is_told:
            _log.info("there is room on the disk again")
        elif word is not None and not self._is_told:
            _log.warning(word)
        self._is_told = word is not None
        return word is None

    def note_full(self) -> None:
        """A write found a disk full: pause, longer each time in a row."""
        self._pause_s = min(max(_FIRST_S, 2 * self._pause_s), _LONGEST_S)
        self._until = time.monotonic() + self._pause_s
        _log.warning("a disk is full: looking again in %.0f s", self._pause_s)

    def note_well(self) -> None:
        """A lease was worked on to its end."""
        self._pause_s = 0.0

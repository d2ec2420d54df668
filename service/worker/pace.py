"""How fast a worker is, for those who estimate what a job takes."""

from __future__ import annotations

_MPX = 1e6
_MEMORY_S = 60.0
"""Runs of about this long decide; what was before fades."""


class Pace:
    """A running mean of megapixels a second."""

    def __init__(self) -> None:
        self._px, self._s = 0.0, 0.0

    def note(self, num_px: int, seconds: float) -> None:
        """Note a run."""
        kept = max(0.0, 1.0 - seconds / _MEMORY_S)
        self._px, self._s = kept * self._px + num_px, kept * self._s + seconds

    @property
    def mpx_per_s(self) -> float | None:
        """Megapixels a second; None before the first run."""
        return self._px / self._s / _MPX if self._s > 0 else None

"""Blank rims that nothing in the file declares: pure functions on the frame's pixels."""

import numpy as np
from numpy.typing import NDArray

_LOSS = 4
"""Lossy compression moves 0 and 255 by up to this much (seen on JPEG collars)."""
_MIN_RUN_PX = {0: 32, 255: 128}
"""A run this long in all bands is no shadow, no roof; white roofs and snow saturate, so white needs more."""


def describe_collar(sides: list[NDArray[np.uint8]], *, is_lossy: bool) -> tuple[str, int | None]:
    """Tell whether the frame of a raster is blank in places.

    Args:
        sides: The sides of the frame, or samples of them, each ``[bands, pixels]`` in order.
        is_lossy: Whether compression may have moved blank pixels off their value.

    Returns:
        A description and the value of the blank (0 or 255); ("none", None) when there is none.
    """
    total = sum(side.shape[1] for side in sides)
    for value, min_run_px in _MIN_RUN_PX.items():
        tolerance = _LOSS if is_lossy else 0
        blank = [np.all(np.abs(side.astype(np.int16) - value) <= tolerance, axis=0) for side in sides]
        if any(_longest_run(side) >= min(min_run_px, max(side.size // 4, 8)) for side in blank):
            share = sum(int(side.sum()) for side in blank) / total
            near = f" (within {tolerance})" if tolerance else ""
            return f"{share:.0%} of the sampled frame is {value}{near} in all bands", value
    return "none", None


def _longest_run(is_blank: NDArray[np.bool_]) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_blank.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0

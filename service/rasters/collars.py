"""Blank rims that nothing in the file declares: pure functions on the frame's pixels."""

import numpy as np
from numpy.typing import NDArray

_NEAR_BLACK = 4
"""Lossy compression lifts black by up to this much (seen on JPEG collars)."""
_MIN_RUN_PX = 32
"""A run this long of pure 0 or 255 in all bands is no shadow, no roof."""


def describe_collar(sides: list[NDArray[np.uint8]], *, is_lossy: bool) -> tuple[str, int | None]:
    """Tell whether the frame of a raster is blank in places.

    Args:
        sides: Pieces of the outermost frame, each ``[bands, pixels]`` of neighbouring pixels.
        is_lossy: Whether compression may have lifted black off 0.

    Returns:
        A description and the value of the blank (0 or 255); ("none", None) when there is none.
    """
    total = sum(side.shape[1] for side in sides)
    for value in (0, 255):
        tolerance = _NEAR_BLACK if is_lossy else 0
        blank = [np.all(np.abs(side.astype(np.int16) - value) <= tolerance, axis=0) for side in sides]
        if any(_longest_run(piece) >= min(_MIN_RUN_PX, max(piece.size // 4, 8)) for piece in blank):
            share = sum(int(piece.sum()) for piece in blank) / total
            near = f" (within {tolerance})" if tolerance else ""
            return f"{share:.0%} of the sampled frame is {value}{near} in all bands", value
    return "none", None


def _longest_run(is_blank: NDArray[np.bool_]) -> int:
    """Length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], is_blank.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max()) if edges.size else 0

"""Logits as a graph gives them, and at the size of the image.

Axes: N samples, K live channels, H and W pixels; Q channels of sub-pixels, h and w positions of them.
"""

import numpy as np
from numpy.typing import NDArray


def at_full_size(logits_NQhw: NDArray[np.float32], *, factor: int) -> NDArray[np.float32]:
    """Logits [N, K, H, W] of sub-pixels.

    Args:
        logits_NQhw: Channel, row and column of a sub-pixel on one axis, as a pixel shuffle takes them.
        factor: Sub-pixels along each side of a position; 1 gives the logits back.
    """
    num_samples, num_channels, height, width = logits_NQhw.shape
    split = logits_NQhw.reshape(num_samples, num_channels // factor**2, factor, factor, height, width)
    return split.transpose(0, 1, 4, 2, 5, 3).reshape(num_samples, -1, factor * height, factor * width)

"""A shift of known kind: one fixed chain of haze, gamma, mixed bands, blur and compression.

The truth of what is shifted is as consistent as that of what is not, so that how much of the gap a method
closes means something.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy import ndimage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training.data.sources import Source

HAZE_LEVEL = 215.0
"""Grey level of the veil."""
HAZE_SHARES = (0.10, 0.40)
"""Least and most of an image that is veil."""
HAZE_CELLS = 4
"""Knots of the haze field along each side of an image."""
GAMMA = 1.3
BANDS_TO_BANDS = np.array([[0.85, 0.15, 0.00], [0.10, 0.80, 0.10], [0.05, 0.20, 0.75]])
"""Of red, green and blue: rows are what comes out."""
BLUR_PX = 0.8
JPEG_QUALITY = 60


def shifted(source: Source) -> Source:
    """Every image through the chain; labels stay where they are."""
    names = [f"{domain}/{number}" for number, domain in enumerate(source.domains)]
    images = [shift_image(image_CHW, name=name) for image_CHW, name in zip(source.images, names, strict=True)]
    return replace(source, images=images)


def shift_image(image_CHW: NDArray[np.uint8], *, name: str) -> NDArray[np.uint8]:
    """Red, green and blue through the chain.

    Args:
        image_CHW: Three bands.
        name: Of the image: its haze field is drawn by it, and by nothing else.
    """
    mixed_CHW = np.tensordot(BANDS_TO_BANDS, image_CHW.astype(np.float64) / 255, axes=1)
    curved_CHW = 255 * mixed_CHW.clip(0, 1) ** GAMMA
    haze_HW = haze_field(image_CHW.shape[1:], seed=zlib.crc32(name.encode()))
    veiled_CHW = curved_CHW * (1 - haze_HW) + HAZE_LEVEL * haze_HW
    blurred_CHW = ndimage.gaussian_filter(veiled_CHW, sigma=(0, BLUR_PX, BLUR_PX))
    whole_HWC = np.rint(blurred_CHW).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)
    with BytesIO() as buffer:
        Image.fromarray(np.ascontiguousarray(whole_HWC)).save(buffer, "JPEG", quality=JPEG_QUALITY)
        return np.ascontiguousarray(np.asarray(Image.open(buffer)).transpose(2, 0, 1))


def haze_field(shape_HW: tuple[int, ...], *, seed: int) -> NDArray[np.float64]:
    """Share of veil of each pixel: random knots, smoothly joined."""
    height, width = shape_HW
    knots = np.random.default_rng(seed).uniform(*HAZE_SHARES, (HAZE_CELLS, HAZE_CELLS))
    rows = np.linspace(0, HAZE_CELLS - 1, height)
    columns = np.linspace(0, HAZE_CELLS - 1, width)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    field_HW: NDArray[np.float64] = ndimage.map_coordinates(knots, grid, order=1)
    return field_HW

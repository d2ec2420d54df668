"""Tiles of the source's picture, by rio-tiler."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

from service.tiles.drawing import looked_at
from service.tiles.handles import HANDLES
from service.tiles.matrices import WEB_MERCATOR, check_tile, find_tile_matrix_set
from service.tiles.png import empty_png
from service.tiles.warping import TileFrame, locate, part_of_tile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from morecantile import TileMatrixSet

    from service.tiles.index import BlockIndex

ImageFormat = Literal["png", "jpg", "webp"]
MEDIA_TYPES: dict[ImageFormat, str] = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
_DRIVERS: dict[ImageFormat, str] = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
_OPTIONS: dict[ImageFormat, dict[str, Any]] = {
    "png": {"ZLEVEL": 1},
    "jpg": {"QUALITY": 80},
    "webp": {"QUALITY": 80},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTile:
    """One tile of the source's picture."""

    data: bytes
    media_type: str
    is_empty: bool
    """Whether no picture reaches it."""


def draw_picture_tile(  # noqa: PLR0913  an address has four parts
    index: BlockIndex,
    z: int,
    x: int,
    y: int,
    *,
    tms: str = WEB_MERCATOR,
    size_px: int = 256,
    image_format: ImageFormat = "webp",
) -> PictureTile:
    """Draw a tile of the image that a map was made from. Safe in any thread.

    Where there is no image it is transparent, in JPEG, which cannot be, white.

    Raises:
        TileMatrixSetUnknown: There is no such tile matrix set.
        TileUnknown: It has no such tile.
    """
    matrix_set = find_tile_matrix_set(tms)
    check_tile(matrix_set, z, x, y)
    frame = TileFrame.of(tms, z, x, y, size_px=size_px)
    part = part_of_tile(frame, index.grid, index.window)
    if part is None:
        return _empty(size_px, image_format)
    window = locate(frame, index.grid, part).window.intersection(index.window)
    address = (x, y, z)
    found = looked_at(index, lambda look: _read(look.pictures(window), matrix_set, address, size_px))
    return _empty(size_px, image_format) if found is None else _rendered(found, image_format)


def _read(
    pictures: Sequence[Path], matrix_set: TileMatrixSet, address: tuple[int, int, int], size_px: int
) -> ImageData | None:
    """Lay the pictures of the sheets side by side; None where none has a pixel."""
    image_CHW, is_valid_HW = None, None
    for path in pictures:
        with HANDLES.borrowed(path) as dataset, Reader(None, dataset=dataset, tms=matrix_set) as reader:
            if not reader.tile_exists(*address):
                continue
            found = reader.tile(*address, tilesize=size_px, indexes=(1, 2, 3), resampling_method="average")
        is_here_HW = ~np.ma.getmaskarray(found.array).all(axis=0)
        if image_CHW is None or is_valid_HW is None:
            image_CHW, is_valid_HW = found.array.data.astype(np.uint8), is_here_HW
        else:
            np.copyto(image_CHW, found.array.data, where=is_here_HW & ~is_valid_HW)
            is_valid_HW = is_valid_HW | is_here_HW
    if image_CHW is None or is_valid_HW is None or not is_valid_HW.any():
        return None
    mask_CHW = np.broadcast_to(~is_valid_HW, image_CHW.shape)
    return ImageData(np.ma.MaskedArray(image_CHW, mask=mask_CHW))


def _rendered(image: ImageData, image_format: ImageFormat) -> PictureTile:
    if image_format == "jpg":
        image = ImageData(np.ma.MaskedArray(image.array.filled(255)))
    options: dict[str, Any] = _OPTIONS[image_format]
    data = image.render(add_mask=image_format != "jpg", img_format=_DRIVERS[image_format], **options)
    return PictureTile(data=data, media_type=MEDIA_TYPES[image_format], is_empty=False)


@lru_cache(maxsize=16)
def _empty(size_px: int, image_format: ImageFormat) -> PictureTile:
    if image_format == "png":
        return PictureTile(data=empty_png(size_px, size_px), media_type="image/png", is_empty=True)
    nothing_CHW = np.zeros((3, size_px, size_px), dtype=np.uint8)
    blank = ImageData(np.ma.MaskedArray(nothing_CHW, mask=True))
    return replace(_rendered(blank, image_format), is_empty=True)

"""Read a layer's pixels and validity in its own geometry. Runs in the child."""

from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window as RasterioWindow

from service.rasters.errors import UnreadableRaster
from service.rasters.limits import Limits
from service.rasters.opening import open_checked
from service.rasters.sources import Layer
from service.rasters.windows import Window


class OpenRasters:
    """Datasets kept open, the longest unused closed first; not for several threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: OrderedDict[str, Any] = OrderedDict()

    def get(self, layer: Layer) -> Any:  # noqa: ANN401 - rasterio has no types
        """The layer's dataset, opened when needed.

        Raises:
            RasterError: It cannot be opened, or is not the file that was planned with.
        """
        dataset = self._open.pop(layer.path, None)
        if dataset is None:
            dataset = open_checked(layer.path, self._limits)
            if (dataset.width, dataset.height) != (layer.file_width, layer.file_height):
                found = f"{dataset.width} x {dataset.height}"
                dataset.close()
                raise UnreadableRaster(
                    f"{layer.path} changed: it was {layer.file_width} x {layer.file_height} px, now {found}",
                    remedy="start again",
                )
        self._open[layer.path] = dataset
        while len(self._open) > self._limits.open_datasets:
            self._open.popitem(last=False)[1].close()
        return dataset


def read_native(
    dataset: Any,  # noqa: ANN401 - rasterio has no types
    layer: Layer,
    window: Window,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Read part of a file, as seen north-up.

    Args:
        dataset: The open file.
        layer: Which bands, how validity is told, whether rows run northwards.
        window: Pixels of the north-up view; within the file.

    Returns:
        ``image_CHW`` uint8 in the order of ``layer.bands`` and ``valid_HW``.

    Raises:
        UnreadableRaster: The file is damaged there.
    """
    top = layer.file_height - window.row_end if layer.is_south_up else window.row_off
    part = RasterioWindow(window.col_off, top, window.width, window.height)
    wanted = list(layer.bands.values())
    # GDAL's rule for a whole raster: a pixel is nodata where *all* bands say so, read or not
    judged = [i for i in dataset.indexes if i != layer.alpha_band] if layer.nodata is not None else []
    indexes = sorted({*wanted, *judged, *([layer.alpha_band] if layer.alpha_band else [])})
    try:
        pixels_BHW = dataset.read(indexes, window=part)
        mask_HW = dataset.read_masks(1, window=part) if layer.has_internal_mask else None
    except RasterioError as error:
        where = f"columns {part.col_off} + {part.width}, rows {part.row_off} + {part.height}"
        raise UnreadableRaster(
            f"{layer.path} is damaged at {where}: {' '.join(str(error.__cause__ or error).split())[:300]}",
            remedy="copy or download it again",
        ) from error
    place = {index: position for position, index in enumerate(indexes)}
    valid_HW = np.ones((window.height, window.width), dtype=np.bool_)
    if layer.nodata is not None:
        valid_HW &= _differs_somewhere(_bands(pixels_BHW, [place[i] for i in judged]), layer.nodata)
    if layer.alpha_band:
        valid_HW &= pixels_BHW[place[layer.alpha_band]] != 0
    if mask_HW is not None:
        valid_HW &= mask_HW != 0
    image_CHW = _as_bytes(_bands(pixels_BHW, [place[i] for i in wanted]), layer, valid_HW)
    if layer.is_south_up:
        image_CHW, valid_HW = image_CHW[:, ::-1], valid_HW[::-1]
    return zero_invalid(image_CHW, valid_HW), valid_HW


def zero_invalid(image_CHW: NDArray[np.uint8], valid_HW: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The image with 0 where it is invalid; the very image where nothing is."""
    return image_CHW if valid_HW.all() else np.where(valid_HW, image_CHW, np.uint8(0))


def _bands(pixels_BHW: NDArray[Any], positions: list[int]) -> NDArray[Any]:
    """Some bands in this order; not a copy where they are all of them, as they lie."""
    return pixels_BHW if positions == list(range(len(pixels_BHW))) else pixels_BHW[positions]


def _differs_somewhere(pixels_BHW: NDArray[Any], nodata: float) -> NDArray[np.bool_]:
    differs_BHW = ~np.isnan(pixels_BHW) if np.isnan(nodata) else pixels_BHW != nodata
    return np.asarray(differs_BHW.any(axis=0), dtype=np.bool_)


def _as_bytes(pixels_CHW: NDArray[Any], layer: Layer, valid_HW: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """8-bit pixels; scaled values are rounded and saturate, and a value that is no number is invalid."""
    if layer.pixel_scale is None:
        if pixels_CHW.dtype != np.uint8:
            raise UnreadableRaster(f"{layer.path}: {pixels_CHW.dtype} pixels were not planned for")
        return pixels_CHW
    valid_HW &= np.isfinite(pixels_CHW).all(axis=0)
    scaled = np.where(valid_HW, pixels_CHW, 0).astype(np.float64) * layer.pixel_scale
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)

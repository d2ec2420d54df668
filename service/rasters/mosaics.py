"""Several sources as one image on the inference grid. Runs in the child."""

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.rasters.layers import OpenRasters, read_native, zero_invalid
from service.rasters.limits import Limits
from service.rasters.sources import Layer, SourceSpec
from service.rasters.warping import ChunkCache, read_warped
from service.rasters.windows import Window


class Mosaic:
    """Sources in their order: a pixel comes from the first source that is valid there."""

    def __init__(self, sources: Sequence[SourceSpec], roles: Sequence[str], limits: Limits) -> None:
        self._sources = sources
        self._roles = tuple(roles)
        self._rasters = OpenRasters(limits)
        self._chunks = ChunkCache(limits.chunk_cache_bytes)
        self.decoded = DecodedTiles(limits.gdal_cache_bytes)

    def read(self, window: Window) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Read a window of the grid; it may pass the data, which then is invalid and 0.

        Returns:
            ``image_CHW`` uint8 in the order of the roles, and ``valid_HW``.

        Raises:
            RasterError: A file is damaged.
        """
        parts = [source.extent.intersection(window) for source in self._sources]
        meeting = [number for number, part in enumerate(parts) if not part.is_empty]
        if len(meeting) == 1 and parts[meeting[0]] == window:
            return self._read_source(meeting[0], self._sources[meeting[0]], window)
        image_CHW = np.zeros((len(self._roles), window.height, window.width), dtype=np.uint8)
        valid_HW = np.zeros((window.height, window.width), dtype=np.bool_)
        for number, (source, part) in enumerate(zip(self._sources, parts, strict=True)):
            if part.is_empty:
                continue
            here = part.slices_in(window)
            wanted_HW = ~valid_HW[here]
            if not wanted_HW.any():
                continue
            part_CHW, part_valid_HW = self._read_source(number, source, part)
            wanted_HW &= part_valid_HW
            np.copyto(image_CHW[:, *here], part_CHW, where=wanted_HW)
            valid_HW[here] |= wanted_HW
        return image_CHW, valid_HW

    def _read_source(
        self, number: int, source: SourceSpec, part: Window
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """One source with its companions; valid where all of them are."""
        if not source.companions and tuple(source.bands) == self._roles:
            return self._read_layer(source, part, key=f"{number}.0")
        planes: dict[str, NDArray[np.uint8]] = {}
        valid_HW = np.ones((part.height, part.width), dtype=np.bool_)
        layers: list[Layer] = [source, *source.companions]
        for position, layer in enumerate(layers):
            image_CHW, layer_valid_HW = self._read_layer(layer, part, key=f"{number}.{position}")
            valid_HW &= layer_valid_HW
            for role, plane_HW in zip(layer.bands, image_CHW, strict=True):
                planes.setdefault(role, plane_HW)
        image_CHW = np.stack([planes[role] for role in self._roles])
        return zero_invalid(image_CHW, valid_HW), valid_HW

    def _read_layer(
        self, layer: Layer, part: Window, *, key: str
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        dataset = self._rasters.get(layer)

        def native(window: Window) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
            self.decoded.touch(key, window, dataset.block_shapes[0], dataset.count)
            return read_native(dataset, layer, window)

        if layer.warp is not None:
            return read_warped(layer, part, native, self._chunks, key)
        own = part.shifted(cols=-layer.col_off, rows=-layer.row_off)
        inside = own.intersection(Window(0, 0, layer.file_width, layer.file_height))
        if inside == own:
            return native(own)
        image_CHW = np.zeros((len(layer.bands), part.height, part.width), dtype=np.uint8)
        valid_HW = np.zeros((part.height, part.width), dtype=np.bool_)
        if not inside.is_empty:  # a companion may be smaller than its raster
            here = inside.slices_in(own)
            image_CHW[:, *here], valid_HW[here] = native(inside)
        return image_CHW, valid_HW


class DecodedTiles:
    """Counts the pixels of internal tiles that reading decodes, by a model of GDAL's block cache."""

    def __init__(self, cache_bytes: int) -> None:
        self._cache_bytes = cache_bytes
        self._held: OrderedDict[tuple[str, int, int], int] = OrderedDict()
        self._held_bytes = 0
        self.pixels = 0

    def touch(self, key: str, window: Window, block_shape: tuple[int, int], num_bands: int) -> None:
        """Note that a window of a file was read."""
        height, width = block_shape
        for row in range(window.row_off // height, (window.row_end - 1) // height + 1):
            for col in range(window.col_off // width, (window.col_end - 1) // width + 1):
                tile = (key, row, col)
                if tile in self._held:
                    self._held.move_to_end(tile)
                    continue
                self.pixels += height * width
                self._held[tile] = height * width * num_bands
                self._held_bytes += height * width * num_bands
        while self._held_bytes > self._cache_bytes and self._held:
            self._held_bytes -= self._held.popitem(last=False)[1]

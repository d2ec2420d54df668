"""Gather the facts of an open raster. Runs in the child."""

import math
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as RasterioWindow

from service.rasters import ground
from service.rasters.collars import describe_collar
from service.rasters.dates import acquisition_date
from service.rasters.errors import UnreadableRaster
from service.rasters.facts import BandFacts, Colour, MaskKind, RasterFacts, Transform, fits
from service.rasters.limits import Limits
from service.rasters.opening import open_checked
from service.rasters.transforms import apply

_COLOURS = frozenset({"red", "green", "blue", "nir", "alpha", "palette", "gray"})
_SAMPLED_PX = 16 * 2**20
"""Most pixels decoded to look at the frame and at an alpha band."""
_CHECKED_BLOCKS = 4096
_LOSSY = frozenset({"jpeg", "webp", "lerc", "jxl", "jp2"})


def inspect_raster(path: str, *, limits: Limits, source_crs: str | None) -> RasterFacts:
    """Open a raster and gather its facts.

    Raises:
        RasterError: A subclass named after what is wrong.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = open_checked(path, limits)
    # without georeference rasterio warns and its transform may be whatever lay in memory
    is_placed = not any(issubclass(warning.category, NotGeoreferencedWarning) for warning in caught)
    with dataset:
        file = Path(dataset.name)
        missing = _missing_blocks(dataset, file)
        transform, is_rotated, is_south_up = _north_up(dataset) if is_placed else (None, False, False)
        centre = apply(transform, dataset.width / 2, dataset.height / 2) if transform else (0.0, 0.0)
        crs = ground.choose_crs(dataset.crs, source_crs, path=str(file), place=centre)
        gsd_m = bounds = None
        if crs is not None and transform is not None:
            width, height = dataset.width, dataset.height
            gsd_m = ground.ground_size_m(crs, transform, col=width / 2, row=height / 2)
            bounds = ground.bounds_degrees(crs, transform, width=width, height=height)
        mask_kind = _mask_kind(dataset)
        compression = _compression(dataset)
        is_lossy = compression in _LOSSY
        try:
            bands = tuple(_band(dataset, index) for index in dataset.indexes)
            if mask_kind == "alpha" and not any(band.alpha_is_binary for band in bands):
                # GDAL tags any fourth band alpha, infrared too: what is no mask must not hide a blank rim
                mask_kind = _nodata_kind(dataset)
            collar, collar_value = "none", None
            if mask_kind == "none":
                collar, collar_value = _collar(dataset, is_lossy=is_lossy)
                if missing:
                    collar, collar_value = f"{missing:.0%} of the internal blocks are missing", 0
        except RasterioError as error:
            raise UnreadableRaster(
                f"{file} is damaged: {error}", remedy="copy or download it again"
            ) from error
        tags = {**dataset.tags(), **dataset.tags(ns="EXIF"), **dataset.tags(ns="IMAGERY")}
        return RasterFacts(
            path=str(file),
            driver=dataset.driver,
            width=dataset.width,
            height=dataset.height,
            crs_wkt=crs.to_wkt() if crs else None,
            epsg=ground.epsg_of(crs) if crs else None,
            crs_is_geographic=bool(crs and crs.is_geographic),
            transform=transform,
            is_rotated=is_rotated,
            is_south_up=is_south_up,
            bands=bands,
            mask_kind=mask_kind,
            internal_tile=dataset.block_shapes[0],
            is_tiled=dataset.driver != "GTiff" or bool(dataset.profile.get("tiled")),
            compression=compression,
            is_lossy=is_lossy,
            size_bytes=file.stat().st_size,
            gsd_m=gsd_m,
            bounds_wgs84=bounds,
            is_map="ORTHOSCAPE_PLAN" in tags,
            acquisition_date=acquisition_date(tags, file.name),
            collar=collar,
            collar_value=collar_value,
            pixel_is_point=dataset.tags().get("AREA_OR_POINT") == "Point",
            has_gcps=bool(dataset.gcps[0]),
            has_rpcs=dataset.rpcs is not None,
        )


def _north_up(dataset: Any) -> tuple[Transform | None, bool, bool]:  # noqa: ANN401 - rasterio has no types
    """Transform of the north-up view, whether it is rotated (or mirrored), whether the file is south-up."""
    matrix = dataset.transform
    if matrix.is_identity or dataset.gcps[0]:  # rasterio's word for "none"
        return None, False, False
    a, b, c, d, e, f = (float(value) for value in tuple(matrix)[:6])
    if not all(math.isfinite(value) for value in (a, b, c, d, e, f)) or a * e - b * d == 0:
        raise UnreadableRaster(f"{dataset.name}: its transform {a, b, c, d, e, f} is degenerate")
    if b or d or a < 0:
        return (a, b, c, d, e, f), True, False
    if e > 0:
        return (a, b, c, d, -e, f + e * dataset.height), False, True
    return (a, b, c, d, e, f), False, False


def _band(dataset: Any, index: int) -> BandFacts:  # noqa: ANN401 - rasterio has no types
    interpretation = dataset.colorinterp[index - 1].name
    colour = cast("Colour", interpretation if interpretation in _COLOURS else "undefined")
    dtype = dataset.dtypes[index - 1]
    nodata = dataset.nodatavals[index - 1]
    is_binary = None
    if colour == "alpha":
        highest = np.iinfo(dtype).max if np.issubdtype(np.dtype(dtype), np.integer) else 1
        is_binary = all(bool(np.isin(piece, (0, highest)).all()) for piece in _sample(dataset, index))
    return BandFacts(
        index=index,
        dtype=dtype,
        colour=colour,
        description=dataset.descriptions[index - 1] or None,
        nodata=None if nodata is None else float(nodata),
        alpha_is_binary=is_binary,
    )


def _mask_kind(dataset: Any) -> MaskKind:  # noqa: ANN401 - rasterio has no types
    flags = dataset.mask_flag_enums[0]
    if MaskFlags.per_dataset in flags and not {MaskFlags.alpha, MaskFlags.nodata, MaskFlags.all_valid} & set(
        flags
    ):
        return "internal"
    if any(colour.name == "alpha" for colour in dataset.colorinterp):
        return "alpha"
    return _nodata_kind(dataset)


def _nodata_kind(dataset: Any) -> MaskKind:  # noqa: ANN401 - rasterio has no types
    return "nodata" if fits(dataset.nodata, dataset.dtypes[0]) else "none"


def _compression(dataset: Any) -> str:  # noqa: ANN401 - rasterio has no types
    if dataset.driver == "JP2OpenJPEG":
        return "jp2"
    stated = dataset.tags(ns="IMAGE_STRUCTURE").get("COMPRESSION", "none").lower()
    return "jpeg" if "jpeg" in stated else str(stated)


def _frame_blocks(dataset: Any) -> list[tuple[int, int]]:  # noqa: ANN401 - rasterio has no types
    """Block indices (row, column) around the frame: corners, then middles, within the sampling budget."""
    block_height, block_width = dataset.block_shapes[0]
    last_row = (dataset.height - 1) // block_height
    last_col = (dataset.width - 1) // block_width
    affordable = max(_SAMPLED_PX // (block_height * block_width), 4)
    order: dict[tuple[int, int], None] = {}
    for parts in (1, 2, 4, 8, 16, 32, 64):
        rows = [round(last_row * part / parts) for part in range(parts + 1)]
        cols = [round(last_col * part / parts) for part in range(parts + 1)]
        for row in rows:
            order |= {(row, 0): None, (row, last_col): None}
        for col in cols:
            order |= {(0, col): None, (last_row, col): None}
    return sorted(list(order)[:affordable])  # downwards: one long strip is decoded once, not once per look


def _sample(dataset: Any, index: int) -> list[NDArray[Any]]:  # noqa: ANN401 - rasterio has no types
    """Pixels of one band: the frame's blocks and one at the centre."""
    block_height, block_width = dataset.block_shapes[0]
    centre = (dataset.height // 2 // block_height, dataset.width // 2 // block_width)
    blocks = sorted({centre, *_frame_blocks(dataset)})
    return [dataset.read(index, window=_block_window(dataset, row, col)) for row, col in blocks]


def _block_window(dataset: Any, row: int, col: int) -> RasterioWindow:  # noqa: ANN401 - rasterio has no types
    block_height, block_width = dataset.block_shapes[0]
    top, left = row * block_height, col * block_width
    return RasterioWindow(
        left, top, min(block_width, dataset.width - left), min(block_height, dataset.height - top)
    )


def _collar(dataset: Any, *, is_lossy: bool) -> tuple[str, int | None]:  # noqa: ANN401 - rasterio has no types
    if any(dtype != "uint8" for dtype in dataset.dtypes):
        return "none", None
    sides: dict[str, list[NDArray[np.uint8]]] = {"top": [], "left": [], "bottom": [], "right": []}
    for row, col in _frame_blocks(dataset):
        window = _block_window(dataset, row, col)
        pixels = dataset.read(window=window)
        if window.row_off == 0:
            sides["top"].append(pixels[:, 0, :])
        if window.col_off == 0:
            sides["left"].append(pixels[:, :, 0])
        if window.row_off + window.height == dataset.height:
            sides["bottom"].append(pixels[:, -1, :])
        if window.col_off + window.width == dataset.width:
            sides["right"].append(pixels[:, :, -1])
    return describe_collar([np.concatenate(side, axis=1) for side in sides.values()], is_lossy=is_lossy)


def _missing_blocks(dataset: Any, file: Path) -> float:  # noqa: ANN401 - rasterio has no types
    """Share of a TIFF's blocks that were never written; GDAL reads them as 0.

    Raises:
        UnreadableRaster: Blocks lie beyond the end of the file: it was cut short, or lies.
    """
    if dataset.driver != "GTiff":
        return 0.0
    size_bytes = file.stat().st_size
    block_height, block_width = dataset.block_shapes[0]
    num_cols = -(-dataset.width // block_width)
    num_blocks = num_cols * -(-dataset.height // block_height)
    step = max(num_blocks // _CHECKED_BLOCKS, 1)
    looked = sorted({*range(0, num_blocks, step), num_blocks - 1})
    num_missing = 0
    for block in looked:
        row, col = divmod(block, num_cols)
        for index in {1, dataset.count}:
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=index)
            num_missing += offset is None and index == 1
            length = dataset.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=index)
            if offset is not None and int(offset) + int(length or 0) > size_bytes:
                raise UnreadableRaster(
                    f"{file} is cut short: it holds {size_bytes} bytes, its block {col}, {row} ends at byte"
                    f" {int(offset) + int(length or 0)}",
                    remedy="copy or download it again",
                )
    is_scanlines = (
        block_height == 1
    )  # GDAL serves one long strip by the row; only its first row has an offset
    return 0.0 if is_scanlines else num_missing / len(looked)

"""Rasters of data sets, checked against what the data set says that they are."""

import json
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from training.data.errors import FileUnexpected, LabelUnknown
from training.data.samples import IGNORED

_PLACE_TOLERANCE_M = 1e-3


@dataclass(frozen=True, kw_only=True)
class Raster:
    """A raster, read whole."""

    path: Path
    pixels_CHW: NDArray[Any]
    is_valid_HW: NDArray[np.bool_]
    """Where no band is the file's nodata, and all are finite."""
    place: tuple[float, ...] | None
    """The six coefficients of its geotransform; None where it has none."""


def read_raster(path: Path, *, num_bands: int, dtype: str) -> Raster:
    """A raster of the bands and the type that the data set promises.

    Raises:
        FileUnexpected: It cannot be read, or has others.
    """
    try:
        with _without_place(), rasterio.open(path) as file:
            found = (file.count, {str(name) for name in file.dtypes})
            if found != (num_bands, {dtype}):
                raise FileUnexpected(
                    f"{path} has {file.count} bands of {', '.join(sorted(found[1]))}; "
                    f"expected {num_bands} of {dtype}",
                    remedy="Check that the folder is the data set's own, of the release named.",
                )
            pixels_CHW, nodata = file.read(), file.nodata
            place = None if file.transform.is_identity else tuple(file.transform)[:6]
    except RasterioIOError as error:
        raise FileUnexpected(f"{path} cannot be read: {error}", remedy="Unpack it again.") from error
    is_valid_CHW = np.isfinite(pixels_CHW)
    if nodata is not None:
        is_valid_CHW &= pixels_CHW != nodata
    return Raster(path=path, pixels_CHW=pixels_CHW, is_valid_HW=is_valid_CHW.all(axis=0), place=place)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Red, green and blue of a picture without georeference, uint8 [3, H, W]; palettes are looked up.

    Raises:
        FileUnexpected: It cannot be read, or is neither.
    """
    try:
        with _without_place(), rasterio.open(path) as file:
            pixels_CHW: NDArray[np.uint8] = file.read()
            is_palette = file.colorinterp[0] == ColorInterp.palette
            palette = file.colormap(1) if is_palette else {}
    except RasterioIOError as error:
        raise FileUnexpected(f"{path} cannot be read: {error}", remedy="Unpack it again.") from error
    if is_palette:
        table = np.zeros((256, 3), dtype=np.uint8)
        for index, colour in palette.items():
            table[index] = colour[:3]
        coloured_HWC: NDArray[np.uint8] = table[pixels_CHW[0]]
        return coloured_HWC.transpose(2, 0, 1)
    if pixels_CHW.dtype != np.uint8 or len(pixels_CHW) not in (3, 4):
        raise FileUnexpected(f"{path} has {len(pixels_CHW)} bands of {pixels_CHW.dtype}; expected colours")
    return pixels_CHW[:3]


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, in pixels.

    Raises:
        FileUnexpected: It cannot be read.
    """
    try:
        with _without_place(), rasterio.open(path) as file:
            return file.width, file.height
    except RasterioIOError as error:
        raise FileUnexpected(f"{path} cannot be read: {error}", remedy="Unpack it again.") from error


def require_same_ground(image: Raster, other: Raster) -> None:
    """Refuse rasters that were paired by name but do not lie on each other.

    Raises:
        FileUnexpected: They have other sizes or places.
    """
    sizes = image.pixels_CHW.shape[1:], other.pixels_CHW.shape[1:]
    if sizes[0] != sizes[1]:
        raise FileUnexpected(
            f"{image.path} is {sizes[0][0]} x {sizes[0][1]} px, {other.path} {sizes[1][0]} x {sizes[1][1]}"
        )
    if image.place is not None and other.place is not None:
        apart = max(abs(a - b) for a, b in zip(image.place, other.place, strict=True))
        if apart > _PLACE_TOLERANCE_M:
            raise FileUnexpected(
                f"{other.path} does not lie on {image.path}: {apart:g} apart",
                remedy="Unpack both again; pairs are made by name.",
            )


def map_labels(codes_HW: NDArray[np.uint8], table: Mapping[int, int], *, path: Path) -> NDArray[np.uint8]:
    """Labels through a table; every code must be in it.

    Raises:
        LabelUnknown: One is not.
    """
    lookup = np.full(256, -1, dtype=np.int16)
    for code, value in table.items():
        lookup[code] = value
    mapped_HW = lookup[codes_HW]
    if (mapped_HW < 0).any():
        unknown, counts = np.unique(codes_HW[mapped_HW < 0], return_counts=True)
        told = ", ".join(f"{code} ({count} px)" for code, count in zip(unknown, counts, strict=True))
        raise LabelUnknown(
            f"{path} holds labels that are not defined: {told}", remedy="Check the release of the data set."
        )
    return mapped_HW.astype(np.uint8)


def read_note(path: Path) -> dict[str, Any]:
    """What a JSON file of a data set tells.

    Raises:
        FileUnexpected: It is no JSON, or no object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileUnexpected(f"{path} is no JSON: {error}", remedy="Unpack or copy it again.") from error
    if not isinstance(content, dict):
        raise FileUnexpected(
            f"{path} holds {type(content).__name__}, not an object", remedy="Unpack it again."
        )
    return content


def ignore_where(labels_HW: NDArray[np.uint8], is_bad_HW: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Labels that teach nothing where told."""
    return np.where(is_bad_HW, np.uint8(IGNORED), labels_HW)


def _without_place() -> AbstractContextManager[None]:
    """Silence about pictures without georeference: those of some data sets need none."""
    silence: AbstractContextManager[None] = warnings.catch_warnings(
        action="ignore", category=NotGeoreferencedWarning
    )
    return silence

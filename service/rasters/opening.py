"""Open a user's raster: by magic bytes, with named driver, within limits. Runs in the child."""

import os
import stat
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from service.rasters.errors import (
    NotALocalFile,
    SuspiciousCompression,
    TooLarge,
    UnreadableRaster,
    UnsupportedFormat,
)
from service.rasters.limits import Limits

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"II*\x00", "GTiff"),
    (b"MM\x00*", "GTiff"),
    (b"II+\x00", "GTiff"),  # BigTIFF
    (b"MM\x00+", "GTiff"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JP2OpenJPEG"),
    (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),  # a bare codestream
)
_KNOWN_BUT_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a PNG, which carries no georeference"),
    (b"\xff\xd8\xff", "a JPEG, which carries no georeference"),
    (b"<VRTDataset", "a VRT, which reads other files"),
    (b"<GDALTileIndexDataset", "a tile index, which reads other files"),
    (b"<GDAL_WMS", "a web map description"),
    (b"SQLite format 3", "a database (GeoPackage, MBTiles)"),
    (b"\x89HDF", "HDF5"),
    (b"CDF", "netCDF"),
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"ecw", "an ECW"),
)
_TO_GEOTIFF = "convert it: gdal_translate -of GTiff -co TILED=YES -co COMPRESS=ZSTD in out.tif"
_TO_PLACED_GEOTIFF = _TO_GEOTIFF.replace(" in ", " -a_srs EPSG:number -a_ullr LEFT TOP RIGHT BOTTOM in ")
_REMEDIES: dict[str, str] = {
    "a PNG, which carries no georeference": _TO_PLACED_GEOTIFF,
    "a JPEG, which carries no georeference": _TO_PLACED_GEOTIFF,
    "a zip archive": "unpack it and give the rasters inside",
    "empty": "copy or download it again",
}


def local_file(path: str | os.PathLike[str]) -> Path:
    """Check that a path is a plain existing local file.

    Raises:
        NotALocalFile: It is a URL, a GDAL connection string, a folder, a device or missing.
    """
    text = os.fspath(path)
    plain = Path(text)
    if text.replace("\\", "/").startswith("/vsi") or "://" in text or "\x00" in text:
        raise NotALocalFile(f"{text!r} is not a local file", remedy="give the path of a file on this machine")
    try:
        mode = plain.stat().st_mode
    except (OSError, ValueError) as error:
        raise NotALocalFile(f"{text!r}: no such file", remedy="check the path") from error
    if not stat.S_ISREG(mode):
        raise NotALocalFile(f"{text!r} is not a regular file", remedy="give a GeoTIFF or JPEG 2000 file")
    return plain.resolve()


def sniff_driver(path: Path) -> str:
    """Name the driver by the file's first bytes; its name is not believed.

    Raises:
        UnsupportedFormat: Neither GeoTIFF nor JPEG 2000.
        UnreadableRaster: The file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise UnreadableRaster(f"{path}: {error.strerror}", remedy="check the file's permissions") from error
    return driver_of(head, name=str(path))


def driver_of(head: bytes, *, name: str) -> str:
    """Name the driver by the first bytes of a file.

    Args:
        head: At least 64 bytes, or all there are.
        name: Of the file, for messages.

    Raises:
        UnsupportedFormat: Neither GeoTIFF nor JPEG 2000.
    """
    for magic, driver in _MAGIC:
        if head.startswith(magic):
            return driver
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    kind = next(
        (what for magic, what in _KNOWN_BUT_REFUSED if text.startswith(magic)), "of an unknown format"
    )
    what = kind if head else "empty"
    remedy = _REMEDIES.get(what, _TO_GEOTIFF)
    raise UnsupportedFormat(f"{name} is {what}; GeoTIFF and JPEG 2000 are read", remedy=remedy)


def open_checked(path: str, limits: Limits) -> Any:  # noqa: ANN401 - rasterio has no types
    """Open a raster and check its claims before any pixel is read; the caller closes it.

    Raises:
        NotALocalFile, UnsupportedFormat, UnreadableRaster, TooLarge, SuspiciousCompression: As named.
    """
    file = local_file(path)
    driver = sniff_driver(file)
    options = {"GEOREF_SOURCES": "INTERNAL"}
    if driver == "GTiff":
        options["NUM_THREADS"] = str(limits.decode_threads)
    else:
        options["OPEN_REMOTE_GML"] = "NO"
    try:
        dataset = rasterio.open(str(file), driver=driver, sharing=False, **options)
    except (RasterioError, ValueError, TypeError) as error:
        raise UnreadableRaster(
            f"{file} cannot be opened: {_one_line(error)}",
            remedy="copy or download it again; gdalinfo tells more",
        ) from error
    try:
        _check_claims(dataset, file, limits)
    except BaseException:
        dataset.close()
        raise
    return dataset


def _check_claims(dataset: Any, file: Path, limits: Limits) -> None:  # noqa: ANN401 - rasterio has no types
    size = f"{dataset.width} x {dataset.height} px, {dataset.count} bands"
    if dataset.count == 0:
        raise UnsupportedFormat(f"{file} has no bands of its own", remedy="give the raster itself")
    if dataset.count > limits.max_bands:
        raise TooLarge(f"{file}: {size}; at most {limits.max_bands} bands are read")
    pixels = dataset.width * dataset.height
    if pixels > limits.max_pixels:
        raise TooLarge(
            f"{file}: {size}; at most {limits.max_pixels} pixels are read", remedy="cut it into sheets"
        )
    size_bytes = file.stat().st_size
    if pixels > limits.free_pixels and pixels > limits.max_pixels_per_byte * size_bytes:
        raise SuspiciousCompression(
            f"{file} holds {size_bytes} bytes but claims {size}",
            remedy=f"cut it to its data: at most {limits.max_pixels_per_byte} pixels per byte are believed",
        )
    block_height, block_width = dataset.block_shapes[0]
    bands_per_block = dataset.count if _is_pixel_interleaved(dataset) else 1
    itemsize = max(_itemsize(dtype) for dtype in dataset.dtypes)
    block_bytes = block_height * block_width * bands_per_block * itemsize
    if block_bytes > limits.max_block_bytes:
        raise TooLarge(
            f"{file}: one internal block of {block_width} x {block_height} px takes {block_bytes} bytes,"
            f" at most {limits.max_block_bytes} are decoded at once",
            remedy="gdal_translate -co TILED=YES -co COMPRESS=ZSTD in.tif out.tif",
        )


def _is_pixel_interleaved(dataset: Any) -> bool:  # noqa: ANN401 - rasterio has no types
    interleaving = dataset.interleaving
    return interleaving is None or interleaving.value.upper() == "PIXEL"


def _itemsize(dtype: str) -> int:
    return {"uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "float32": 4}.get(
        dtype, 16
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]

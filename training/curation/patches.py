"""One patch: what is known of it, and its two files.

    D033_2024/33-2024-0410-6425/r00512_c01024_image.tif    the orthophoto's pixels, bands named by role
    D033_2024/33-2024-0410-6425/r00512_c01024_labels.tif   uint8 class values, 255 where there is no label

Equal pixels give equal bytes: nothing in the files tells when they were written.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from models.nomenclature import COSIA
from service.rasters.ground import epsg_of
from service.rasters.writing import appearing
from training.data.samples import IGNORED

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from service.rasters.windows import Window
    from training.curation.sheets import Sheet
    from training.data.ground import Box

    U8 = NDArray[np.uint8]

_COLOURS = {"red": ColorInterp.red, "green": ColorInterp.green, "blue": ColorInterp.blue}
_TILE_PX = 256


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One patch, written."""

    id: str
    domain: str
    sheet: str
    image: str
    """Path of the image, below the folder of the set."""
    labels: str
    image_sha256: str
    labels_sha256: str
    image_bytes: int
    labels_bytes: int
    crs: str
    """``EPSG:2154``, or WKT where there is no code."""
    transform: tuple[float, ...]
    bounds: Box
    """Left, bottom, right, top in the reference system."""
    box: Box
    """The same in degrees, a little larger where the grid is turned."""
    side_px: int
    gsd_m: float
    date: str | None
    """When the image was taken, in ISO 8601, as precise as known."""
    bands: tuple[str, ...]
    counts: tuple[int, ...]
    """Pixels of each class of the nomenclature."""

    @property
    def labelled_share(self) -> float:
        """Of its pixels."""
        return sum(self.counts) / self.side_px**2

    def to_json(self) -> dict[str, Any]:
        """As plain values; `from_json` is the inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Patch:
        """What `to_json` gave."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        return cls(**plain)


def write_patch(sheet: Sheet, window: Window, box: Box, image_CHW: U8, labels_HW: U8, *, out: Path) -> Patch:
    """Write both files of a patch.

    Args:
        sheet: That it is cut from.
        window: Of the sheet's grid.
        box: Its ground, in degrees.
        image_CHW: Raw pixels in the sheet's bands; zero in all of them where there is no data.
        labels_HW: Class values; 255 where there is no label.
        out: Folder of the set.
    """
    ortho = sheet.ortho
    row, col = window.row_off - ortho.extent.row_off, window.col_off - ortho.extent.col_off
    name = f"r{row:05}_c{col:05}"
    transform = ortho.transform_of(window)
    profile = {"crs": CRS.from_wkt(ortho.crs_wkt), "transform": Affine(*transform)}
    tags = {"DOMAIN": sheet.domain.key, "SOURCE": ortho.path.name, "SOURCE_SHA256": sheet.sha256}
    if sheet.date:
        tags["ACQUISITION_DATE"] = sheet.date
    image = _image_bytes(image_CHW, ortho.bands, profile, tags)
    labels = _labels_bytes(labels_HW, profile, tags)
    folder = f"{sheet.domain.key}/{sheet.name}"
    (out / folder).mkdir(parents=True, exist_ok=True)
    for kind, content in (("image", image), ("labels", labels)):
        with appearing(out / folder / f"{name}_{kind}.tif") as part:
            part.write_bytes(content)
    epsg = epsg_of(profile["crs"])
    a, _, left, _, e, top = transform
    height, width = labels_HW.shape
    counts = np.bincount(labels_HW.ravel(), minlength=256)[: len(COSIA.classes)]
    return Patch(
        id=f"{sheet.domain.key}_{sheet.name}_{name}",
        domain=sheet.domain.key,
        sheet=sheet.name,
        image=f"{folder}/{name}_image.tif",
        labels=f"{folder}/{name}_labels.tif",
        image_sha256=hashlib.sha256(image).hexdigest(),
        labels_sha256=hashlib.sha256(labels).hexdigest(),
        image_bytes=len(image),
        labels_bytes=len(labels),
        crs=f"EPSG:{epsg}" if epsg is not None else ortho.crs_wkt,
        transform=tuple(transform),
        bounds=_rounded(left, top + e * height, left + a * width, top),
        box=box,
        side_px=width,
        gsd_m=round(ortho.gsd_m, 4),
        date=sheet.date,
        bands=ortho.bands,
        counts=tuple(int(count) for count in counts),
    )


def _rounded(left: float, bottom: float, right: float, top: float) -> Box:
    """To a micrometre: sums of pixels leave digits that mean nothing."""
    return round(left, 6), round(bottom, 6), round(right, 6), round(top, 6)


def _image_bytes(
    image_CHW: U8, bands: tuple[str, ...], profile: dict[str, Any], tags: dict[str, str]
) -> bytes:
    has_holes = not image_CHW.any(axis=0).all()
    options = {**_creation(image_CHW.shape[1]), "predictor": 2, "interleave": "pixel", "alpha": "NO"}
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=len(image_CHW),
            height=image_CHW.shape[1],
            width=image_CHW.shape[2],
            dtype="uint8",
            nodata=0 if has_holes else None,
            photometric="RGB" if bands[:3] == ("red", "green", "blue") else "MINISBLACK",
            **profile,
            **options,
        ) as file:
            file.colorinterp = [_COLOURS.get(band, ColorInterp.undefined) for band in bands]
            for index, band in enumerate(bands, start=1):
                file.set_band_description(index, band)
            file.update_tags(**tags)
            file.write(image_CHW)
        return bytes(memory.getbuffer())


def _labels_bytes(labels_HW: U8, profile: dict[str, Any], tags: dict[str, str]) -> bytes:
    height, width = labels_HW.shape
    clear = dict.fromkeys(range(256), (0, 0, 0, 0))
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            count=1,
            height=height,
            width=width,
            dtype="uint8",
            nodata=IGNORED,
            **profile,
            **_creation(height),
        ) as file:
            file.write_colormap(1, {**clear, **COSIA.palette()})
            file.colorinterp = [ColorInterp.palette]
            file.set_band_description(1, "class")
            file.update_tags(NOMENCLATURE=COSIA.id, **tags)
            file.write(labels_HW, 1)
        return bytes(memory.getbuffer())


def _creation(side_px: int) -> dict[str, Any]:
    """Tiles where they divide the patch, else one strip of rows after another."""
    if side_px % _TILE_PX:
        return {"compress": "deflate", "zlevel": 6}
    return {"compress": "deflate", "zlevel": 6, "tiled": True, "blockxsize": _TILE_PX, "blockysize": _TILE_PX}

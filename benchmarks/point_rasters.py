"""The real rasters whose points are labelled by eye: their files, how they are read, what is drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from rasterio.enums import ColorInterp

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SEED = 20160620
"""Of every draw; the raster's stem is mixed in, so that no two rasters share positions."""


@dataclass(frozen=True, kw_only=True)
class LabelledRaster:
    """One scene: its files under the folder of real data, and what the command must be told of them."""

    stem: str
    """Of the file of points."""
    files: tuple[str, ...]
    """One raster, or one file a band."""
    is_rgbi: bool = False
    """Whether there are four bands red, green, blue, near infrared; three otherwise."""
    irc: str | None = None
    """The NIR, R, G twin."""
    collar: int | None = None
    """What all bands are where there is no data and the file does not say so."""

    def read(self, folder: Path) -> NDArray[np.uint8]:
        """Red, green, blue and, where there is one, near infrared (C, H, W)."""
        bands_CHW = np.concatenate([_read(folder / name) for name in self.files])
        if self.irc is None:
            return bands_CHW
        return np.concatenate([bands_CHW, _read(folder / self.irc)[:1]])

    def has_data(self, folder: Path) -> NDArray[np.bool_]:
        """True where the raster has data (H, W): where not all bands are its nodata."""
        with rasterio.open(folder / self.files[0]) as file:
            nodata = file.nodata if self.collar is None else self.collar
        bands_CHW = self.read(folder)
        if nodata is None:
            return np.ones(bands_CHW.shape[1:], dtype=bool)
        return (bands_CHW != nodata).any(axis=0)

    def resolution(self, folder: Path) -> float:
        """Side of a pixel in metres of the raster's CRS."""
        with rasterio.open(folder / self.files[0]) as file:
            return float(file.res[0])

    def draw(self, folder: Path, count: int) -> list[tuple[int, int]]:
        """The first candidates (row, col), uniform over the pixels with data, none twice.

        A longer draw begins with the shorter one. Python promises that `random()` keeps its sequence.
        """
        has_data_HW = self.has_data(folder)
        places_N = np.flatnonzero(has_data_HW)
        generator = random.Random(f"{SEED} {self.stem}")  # noqa: S311  a draw, no secret
        drawn: dict[int, None] = {}
        while len(drawn) < min(count, len(places_N)):
            drawn[int(places_N[int(generator.random() * len(places_N))])] = None
        return [divmod(place, has_data_HW.shape[1]) for place in drawn]

    def arguments(self, folder: Path, scratch: Path) -> list[str]:
        """What ``orthoscape predict`` is given; bands that lie apart are stacked in ``scratch`` first."""
        scene = folder / self.files[0]
        if len(self.files) > 1:
            scene = _stack([folder / name for name in self.files], scratch / f"{self.stem}.tif")
        words = [str(scene)]
        if self.is_rgbi:
            words += ["--bands", "R,G,B,I"]
        if self.irc is not None:
            words += ["--irc", str(folder / self.irc)]
        if self.collar is not None:
            words += ["--nodata", str(self.collar)]
        return words


def _read(path: Path) -> NDArray[np.uint8]:
    with rasterio.open(path) as file:
        bands_CHW: NDArray[np.uint8] = file.read()
    return bands_CHW


def _stack(paths: list[Path], output: Path) -> Path:
    """One GeoTIFF of bands that lie in one file each: red, green, blue, near infrared."""
    with rasterio.open(paths[0]) as file:
        profile = file.profile | {"driver": "GTiff", "count": len(paths), "photometric": "RGB"}
    with rasterio.open(output, "w", **profile) as file:
        file.write(np.concatenate([_read(path) for path in paths]))
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
        file.set_band_description(4, "nir")
    return output


_ORTHO = "ortho_e2e"
_NAIP = "m_3607717_sw_18_1_20160620_subset", "m_3607824_se_17_1_20160620_subset"

RASTERS: tuple[LabelledRaster, ...] = (
    *(
        LabelledRaster(stem=stem, files=(f"{_ORTHO}/{stem}.tif",))
        for stem in ("2018_SJER_3_252000_4107000_image_477", "5dded5bc0140b80006d2e565_23", "OSBS_029")
    ),
    LabelledRaster(
        stem="5b90f92da0d7280005fab355_4310", files=(f"{_ORTHO}/5b90f92da0d7280005fab355_4310.tif",), collar=0
    ),
    *(LabelledRaster(stem=stem, files=(f"{_ORTHO}/{stem}.tif",), is_rgbi=True) for stem in _NAIP),
    LabelledRaster(stem="test_tiled", files=(f"{_ORTHO}/test_tiled.tif",)),
    LabelledRaster(
        stem="test_data_rgb",
        files=("ign_ortho_lidar/test_data_rgb.tif",),
        irc="ign_ortho_lidar/test_data_irc.tif",
    ),
    LabelledRaster(
        stem="NAIP-VA", files=tuple(f"{_ORTHO}/NAIP-VA-b{band}.tiff" for band in range(1, 5)), is_rgbi=True
    ),
)
"""None of them is ever trained on."""

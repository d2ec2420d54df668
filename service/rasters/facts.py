"""What the limited child process found out about a raster; JSON round trip."""

import math
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

Colour = Literal["red", "green", "blue", "nir", "alpha", "palette", "gray", "undefined"]
MaskKind = Literal["none", "nodata", "alpha", "internal"]
Transform = tuple[float, float, float, float, float, float]
"""``a, b, c, d, e, f``: x = a col + b row + c, y = d col + e row + f, at the upper left corner of a pixel."""


class BandFacts(BaseModel):
    """One band."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int
    """1-based."""
    dtype: str
    """numpy's name."""
    colour: Colour
    """Colour interpretation stated by the file; any other one is "undefined"."""
    description: str | None
    nodata: float | None
    """As stated by the file, even if the dtype cannot hold it."""
    alpha_is_binary: bool | None = None
    """For an alpha band: whether samples hold only 0 and the maximum. None for other bands."""


class RasterFacts(BaseModel):
    """One raster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Absolute."""
    driver: Literal["GTiff", "JP2OpenJPEG"]
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    crs_wkt: str | None
    """None when the file has none and the caller gave none."""
    epsg: int | None
    crs_is_geographic: bool
    transform: Transform | None
    """Of the north-up view (a south-up raster is described as it will be read); None without georeference."""
    is_rotated: bool
    """Rotated, sheared or mirrored: only resampling makes it north-up."""
    is_south_up: bool
    """Rows run northwards in the file; they are read flipped."""
    bands: tuple[BandFacts, ...]
    mask_kind: MaskKind
    """What tells validity: an internal mask, else alpha, else a nodata value that the dtype can hold."""
    internal_tile: tuple[int, int]
    """Height and width in pixels."""
    is_tiled: bool
    """False when the raster is striped."""
    compression: str
    """Lower case, "none" when uncompressed."""
    is_lossy: bool
    size_bytes: int
    gsd_m: tuple[float, float] | None
    """Ground size of a pixel at the raster's centre along columns and rows, in metres on the ellipsoid."""
    bounds_wgs84: tuple[float, float, float, float] | None
    """Left, bottom, right, top in degrees."""
    is_map: bool = False
    """A land-cover map or a confidence made by Orthoscape: it carries its plan."""
    acquisition_date: str | None
    """ISO 8601, as precise as known: a day or a year."""
    collar: str
    """"none", or how the rim is blank while nothing says so: see ``collars``."""
    collar_value: int | None
    """The value of the blank rim (0 or 255)."""
    pixel_is_point: bool
    """The file states points; the transform here is already that of areas."""
    has_gcps: bool
    has_rpcs: bool

    @property
    def is_uint8(self) -> bool:
        """Whether every band is 8-bit unsigned."""
        return all(band.dtype == "uint8" for band in self.bands)

    @property
    def alpha_band(self) -> int | None:
        """1-based index of the band tagged alpha."""
        return next((band.index for band in self.bands if band.colour == "alpha"), None)

    @property
    def usable_nodata(self) -> float | None:
        """The nodata value that the file states, if its pixels can hold it."""
        stated, dtype = self.bands[0].nodata, self.bands[0].dtype
        return stated if fits(stated, dtype) else None

    @property
    def decoded_bytes(self) -> int:
        """Bytes of all pixels of all bands once decoded."""
        sizes = {"uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "float32": 4}
        return self.width * self.height * sum(sizes.get(band.dtype, 8) for band in self.bands)


def fits(nodata: float | None, dtype: str) -> bool:
    """Whether pixels of this dtype can equal the nodata value (NaN and -9999 cannot be bytes)."""
    if nodata is None:
        return False
    if not np.issubdtype(np.dtype(dtype), np.integer):
        return True
    limits = np.iinfo(dtype)
    return math.isfinite(nodata) and float(nodata).is_integer() and limits.min <= nodata <= limits.max

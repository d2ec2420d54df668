"""Where the pixels of the inference grid come from; crosses to the child as JSON."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from service.rasters.facts import Transform
from service.rasters.windows import Window


class Grid(BaseModel):
    """A north-up pixel grid without end: windows on it are counted from its pixel (0, 0)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    crs_wkt: str
    transform: Transform
    """``a, 0, c, 0, e, f`` with a > 0 and e < 0; (c, f) is the upper left corner of pixel (0, 0)."""


class WarpSpec(BaseModel):
    """How a raster of another geometry is brought onto the grid, chunk by anchored chunk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_crs_wkt: str
    source_transform: Transform
    """Of the north-up view of the source."""
    grid: Grid
    chunk_col_off: int
    """A column of the grid where a chunk begins; chunks begin every ``chunk_px`` columns."""
    chunk_row_off: int
    chunk_px: int = 512
    resampling: Literal["bilinear", "average"]
    scale_xy: tuple[float, float]
    """Source pixels per grid pixel along columns and rows; fixed for all chunks."""


class Layer(BaseModel):
    """Bands of one file, placed on the inference grid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    driver: Literal["GTiff", "JP2OpenJPEG"]
    bands: dict[str, int]
    """Role -> 1-based band."""
    file_width: int
    file_height: int
    """Size of the file in pixels; refused if the file turns out to have another."""
    col_off: int
    row_off: int
    """The layer's first pixel on the grid."""
    width: int
    height: int
    """Extent on the grid in pixels: the file's own size unless warped."""
    is_south_up: bool = False
    nodata: float | None = None
    """A pixel is invalid where all bands of the file but alpha equal it; None: no such value."""
    alpha_band: int | None = None
    """Invalid where this band is 0."""
    has_internal_mask: bool = False
    """Invalid where the file's own mask is 0."""
    pixel_scale: float | None = None
    """Factor from file values to 8-bit levels (rounded, saturating); None: the file is 8-bit already."""
    warp: WarpSpec | None = None

    @property
    def extent(self) -> Window:
        """The layer's extent on the grid."""
        return Window(self.col_off, self.row_off, self.width, self.height)


class SourceSpec(Layer):
    """One raster of a scene or collection, with the companions that carry its other roles."""

    companions: tuple[Layer, ...] = ()
    """A pixel is valid only where the raster and all companions are."""

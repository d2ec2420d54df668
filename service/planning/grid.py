"""The pixel grid on which a map is inferred, anchored to the origin of its CRS.

A grid is endless: a scene, a sheet, a block are windows of it. Anchoring makes the class of a pixel a
property of the place: cores, blocks and sheets of product start at multiples of their side from the anchor,
so they fall on the same pixels whatever file or area is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from service.rasters.sources import Grid as GridSpec
from service.rasters.windows import Window

GeoTransform = tuple[float, float, float, float, float, float]
"""``(a, b, c, d, e, f)`` of rasterio's Affine: x = a col + b row + c, y = d col + e row + f."""

PHASE_TOLERANCE_PX = 0.01
"""Whatever is off a pixel's edge by less than this share of a pixel lies on it; see also `fits_grid`."""

ANCHORS: dict[int, tuple[float, float]] = {2154: (0.0, 12_000_000.0)}
"""Anchor by EPSG code, where it is not (0, 0).

Lambert-93 takes the origin of IGN's tile grids (``2154_10cm``), so that sheets of product are tiles of it.
"""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """North-up square-ish pixels of one size, laid from one corner over the whole of a CRS."""

    crs_wkt: str
    """The coordinate reference system, as WKT."""
    x_res: float
    """Width of a pixel, in units of the CRS."""
    y_res: float
    """Height of a pixel, in units of the CRS, positive."""
    x_origin: float
    """Left edge of column 0, in CRS coordinates: the anchor plus the sub-pixel phase of the source."""
    y_origin: float
    """Top edge of row 0, in CRS coordinates."""

    def __post_init__(self) -> None:
        if not (self.x_res > 0 and self.y_res > 0):
            raise ValueError(f"pixels need a positive size, got {self.x_res} x {self.y_res}")

    @property
    def spec(self) -> GridSpec:
        """The grid as readers know it."""
        transform = (self.x_res, 0.0, self.x_origin, 0.0, -self.y_res, self.y_origin)
        return GridSpec(crs_wkt=self.crs_wkt, transform=transform)

    def transform_of(self, window: Window) -> GeoTransform:
        """The geotransform of an array that holds this window."""
        left = self.x_origin + window.col_off * self.x_res
        top = self.y_origin - window.row_off * self.y_res
        return (self.x_res, 0.0, left, 0.0, -self.y_res, top)

    def bounds_of(self, window: Window) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of a window, in CRS coordinates."""
        left = self.x_origin + window.col_off * self.x_res
        top = self.y_origin - window.row_off * self.y_res
        return (left, top - window.height * self.y_res, left + window.width * self.x_res, top)

    def window_covering(self, bounds: tuple[float, float, float, float]) -> Window:
        """The smallest window that covers these bounds (left, bottom, right, top, in CRS coordinates)."""
        left, bottom, right, top = bounds
        slack = PHASE_TOLERANCE_PX  # an edge that lies on a pixel border, but for rounding, adds no pixel
        return Window.between(
            row_off=math.floor((self.y_origin - top) / self.y_res + slack),
            col_off=math.floor((left - self.x_origin) / self.x_res + slack),
            row_end=math.ceil((self.y_origin - bottom) / self.y_res - slack),
            col_end=math.ceil((right - self.x_origin) / self.x_res - slack),
        )


def anchor_of(epsg: int | None) -> tuple[float, float]:
    """The point of a CRS on which its grids are anchored, in its coordinates."""
    return ANCHORS.get(epsg, (0.0, 0.0)) if epsg is not None else (0.0, 0.0)


def native_grid(transform: GeoTransform, *, crs_wkt: str, epsg: int | None) -> Grid:
    """The grid of a north-up raster's own pixels.

    Its origin is the pixel corner nearest to the anchor, so whole pixels are counted from the anchor and the
    sub-pixel phase of the raster is kept.

    Raises:
        ValueError: The raster is rotated or not north-up.
    """
    a, b, c, d, e, f = transform
    if b or d or a <= 0 or e >= 0:
        raise ValueError(f"only a north-up raster has a native grid, got the transform {transform}")
    anchor_x, anchor_y = anchor_of(epsg)
    return Grid(
        crs_wkt=crs_wkt,
        x_res=a,
        y_res=-e,
        x_origin=c - _nearest_whole((c - anchor_x) / a) * a,
        y_origin=f + _nearest_whole((anchor_y - f) / -e) * -e,
    )


def anchored_grid(*, crs_wkt: str, epsg: int | None, res: float) -> Grid:
    """The grid of square pixels of this size, exactly on the anchor."""
    anchor_x, anchor_y = anchor_of(epsg)
    return Grid(crs_wkt=crs_wkt, x_res=res, y_res=res, x_origin=anchor_x, y_origin=anchor_y)


def _nearest_whole(pixels: float) -> int:
    """Round to whole pixels, halves down beyond any rounding noise.

    A phase of exactly half a pixel (pixel-is-point rasters) must not fall left or right of the half by the
    last bit of a double, or two files of one grid would be counted from different corners.
    """
    return math.ceil(pixels - 0.5 - PHASE_TOLERANCE_PX)

"""Tile matrix sets as WMTS tells them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from rasterio.crs import CRS
from rasterio.warp import transform_bounds

if TYPE_CHECKING:
    from morecantile import TileMatrixSet
    from morecantile.models import TileMatrix

    from service.catalogue.facts import Bounds

_MAX_LATITUDE = 85.051_128_779_806_6
"""Where web mercator is cut off."""
_ZOOMS_BEFORE = 4
"""Zooms at which a map is still seen, as a sixteenth of a tile at least."""


def add_matrix_set(contents: ET.Element, tms: TileMatrixSet, *, max_zoom: int, uses_epsg: bool) -> None:
    """Tell a tile matrix set down to a zoom.

    Args:
        contents: ``Contents`` of the capabilities.
        tms: What is told.
        max_zoom: The last level.
        uses_epsg: Write the CRS as ``EPSG:code``, not as a URN.
    """
    element = ET.SubElement(contents, "TileMatrixSet")
    ET.SubElement(element, "ows:Identifier").text = tms.id
    ET.SubElement(element, "ows:SupportedCRS").text = crs_name(tms, uses_epsg=uses_epsg)
    for matrix in tms.tileMatrices[: max_zoom + 1]:
        part = ET.SubElement(element, "TileMatrix")
        ET.SubElement(part, "ows:Identifier").text = matrix.id
        ET.SubElement(part, "ScaleDenominator").text = repr(matrix.scaleDenominator)
        ET.SubElement(part, "TopLeftCorner").text = " ".join(repr(value) for value in matrix.pointOfOrigin)
        for name in ("tileWidth", "tileHeight", "matrixWidth", "matrixHeight"):
            ET.SubElement(part, name[0].upper() + name[1:]).text = str(getattr(matrix, name))


def crs_name(tms: TileMatrixSet, *, uses_epsg: bool) -> str:
    """The CRS of a tile matrix set as WMTS writes it."""
    code = epsg_of(tms)
    return f"EPSG:{code}" if uses_epsg else f"urn:ogc:def:crs:EPSG::{code}"


def epsg_of(tms: TileMatrixSet) -> int:
    """The EPSG code of a tile matrix set; all that are served have one."""
    code = tms.crs.to_epsg()
    assert code is not None, f"{tms.id} has no EPSG code"
    return int(code)


def add_matrix_set_link(
    layer: ET.Element, tms: TileMatrixSet, *, bounds_wgs84: Bounds, zooms: tuple[int, int]
) -> None:
    """Tell which tiles of a set show a layer.

    Args:
        layer: Of the capabilities.
        tms: The set.
        bounds_wgs84: Of the layer.
        zooms: Least and greatest that show it; a few before the least are told, too, where it is small.
    """
    link = ET.SubElement(layer, "TileMatrixSetLink")
    ET.SubElement(link, "TileMatrixSet").text = tms.id
    limits = ET.SubElement(link, "TileMatrixSetLimits")
    bounds = _bounds_in(tms, bounds_wgs84)
    for matrix in tms.tileMatrices[max(0, zooms[0] - _ZOOMS_BEFORE) : zooms[1] + 1]:
        first_col, first_row, last_col, last_row = tile_range(matrix, bounds)
        part = ET.SubElement(limits, "TileMatrixLimits")
        ET.SubElement(part, "TileMatrix").text = matrix.id
        ET.SubElement(part, "MinTileRow").text = str(first_row)
        ET.SubElement(part, "MaxTileRow").text = str(last_row)
        ET.SubElement(part, "MinTileCol").text = str(first_col)
        ET.SubElement(part, "MaxTileCol").text = str(last_col)


def _bounds_in(tms: TileMatrixSet, bounds_wgs84: Bounds) -> Bounds:
    """Bounds in the CRS of a set, x before y."""
    left, bottom, right, top = bounds_wgs84
    bottom, top = max(bottom, -_MAX_LATITUDE), min(top, _MAX_LATITUDE)
    target = CRS.from_epsg(epsg_of(tms))
    x_min, y_min, x_max, y_max = transform_bounds(CRS.from_epsg(4326), target, left, bottom, right, top)
    return x_min, y_min, x_max, y_max


def tile_range(matrix: TileMatrix, bounds: Bounds) -> tuple[int, int, int, int]:
    """First column and row, last column and row of the tiles that meet bounds, within the matrix.

    Args:
        matrix: One level; its origin is the top left corner.
        bounds: In its CRS.
    """
    left, bottom, right, top = bounds
    x_origin, y_origin = matrix.pointOfOrigin
    width_m, height_m = matrix.tileWidth * matrix.cellSize, matrix.tileHeight * matrix.cellSize
    last_col, last_row = matrix.matrixWidth - 1, matrix.matrixHeight - 1

    def clamp(value: float, last: int) -> int:
        return min(max(math.floor(value), 0), last)

    # A map that ends on the edge of a tile does not meet the next one.
    sliver = 1e-6
    return (
        clamp((left - x_origin) / width_m + sliver, last_col),
        clamp((y_origin - top) / height_m + sliver, last_row),
        clamp((right - x_origin) / width_m - sliver, last_col),
        clamp((y_origin - bottom) / height_m - sliver, last_row),
    )

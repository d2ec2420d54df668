"""Areas of interest as a user types them: files, GeoJSON, bounds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import shapely
from rasterio.crs import CRS

from service.rasters.areas import area_in_child, bring_to_grid, parse_geojson
from service.rasters.errors import AreaUnreadable

if TYPE_CHECKING:
    from service.rasters.limits import Limits

_AREA_MAGIC = (b"SQLite format 3\x00", b"fgb\x03", b"\x00\x00\x27\x0a")
"""First bytes of GeoPackage, FlatGeobuf and Shapefile."""


def read_area(text: str, *, crs_wkt: str, pixel_size: float, limits: Limits) -> shapely.Geometry:
    """Read an area of interest into the CRS of a grid.

    Args:
        text: A file that holds polygons (GeoPackage, GeoJSON, Shapefile, FlatGeobuf), GeoJSON itself, or
            ``left,bottom,right,top`` in the grid's CRS, or with ``,EPSG:4326`` (any code) behind it.
        crs_wkt: Of the grid.
        pixel_size: Of the grid, in units of its CRS.
        limits: What GeoJSON itself may cost, which strangers send; a file that is named here is its user's
            own, and may be as detailed as they like.

    Raises:
        AreaUnreadable: It is none of these, or holds no polygon.
        AreaTooDetailed: Its GeoJSON costs more than the limits.
    """
    target = CRS.from_wkt(crs_wkt)
    if text.lstrip().startswith("{"):  # longer than a path may be
        return area_in_child(text, crs_wkt=crs_wkt, pixel_size=pixel_size, limits=limits)
    if _is_file(text):
        geometry, source = _area_from_file(Path(text))
    else:
        geometry, source = _area_from_bounds(text, target)
    return bring_to_grid(geometry, source, target, pixel_size=pixel_size, said=text)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


def _area_from_file(path: Path) -> tuple[shapely.Geometry, CRS]:
    """Read by content, not by name: other formats (OGR's VRT) can read other files."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        shapes, source = parse_geojson(path.read_text(encoding="utf-8-sig", errors="replace"))
        return shapely.union_all(shapes), source
    if not head.startswith(_AREA_MAGIC):
        raise AreaUnreadable(
            f"{path} is no vector data that is read",
            remedy="give GeoPackage, GeoJSON, FlatGeobuf or Shapefile",
        )
    import pyogrio  # noqa: PLC0415  slow to import, and only areas in files need it

    try:
        meta, _, wkb, _ = pyogrio.raw.read(path, columns=[])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise AreaUnreadable(
            f"{path} cannot be read as vector data: {error}", remedy="give GeoPackage, GeoJSON or FlatGeobuf"
        ) from error
    if not meta["crs"]:
        raise AreaUnreadable(
            f"{path} states no CRS", remedy="ogr2ogr -a_srs EPSG:2154 area.gpkg " + str(path)
        )
    return shapely.union_all(shapely.from_wkb(wkb)), CRS.from_user_input(meta["crs"])


def _area_from_bounds(text: str, target: CRS) -> tuple[shapely.Geometry, CRS]:
    parts = text.split(",")
    try:
        left, bottom, right, top = (float(part) for part in parts[:4])
        crs = CRS.from_user_input(parts[4].strip()) if parts[4:] else target
    except ValueError as error:
        raise AreaUnreadable(
            f"{text!r} is no file, no GeoJSON and no bounds",
            remedy="give a path, GeoJSON, or left,bottom,right,top[,EPSG:code]",
        ) from error
    if not (left < right and bottom < top):
        raise AreaUnreadable(f"{text!r} is empty", remedy="the order is left,bottom,right,top")
    return shapely.box(left, bottom, right, top), crs

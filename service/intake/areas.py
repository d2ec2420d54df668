"""Areas of interest as a user types them: files, GeoJSON, bounds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform

from service.errors import PreflightError

EDGE_STEP_PX = 50.0
"""Edges of an area are bent to its new CRS at points at most this many pixels apart."""


_AREA_MAGIC = (b"SQLite format 3\x00", b"fgb\x03", b"\x00\x00\x27\x0a")
"""First bytes of GeoPackage, FlatGeobuf and Shapefile."""


_TOO_FAR = "the area of interest reaches where the scene's CRS, {}, has no coordinates"
_TOO_FAR_REMEDY = "give an area nearer to the scene; without --aoi the whole scene is mapped"


class AreaUnreadable(PreflightError):
    """An area of interest is no polygon that can be read."""


def read_area(text: str, *, crs_wkt: str, pixel_size: float) -> shapely.Geometry:
    """Read an area of interest into the CRS of a grid.

    Args:
        text: A file that holds polygons (GeoPackage, GeoJSON, Shapefile, FlatGeobuf), GeoJSON itself, or
            ``left,bottom,right,top`` in the grid's CRS, or with ``,EPSG:4326`` (any code) behind it.
        crs_wkt: Of the grid.
        pixel_size: Of the grid, in units of its CRS.

    Raises:
        AreaUnreadable: It is none of these, or holds no polygon.
    """
    target = CRS.from_wkt(crs_wkt)
    if text.lstrip().startswith("{"):  # longer than a path may be
        geometry, source = _area_from_geojson(text)
    elif _is_file(text):
        geometry, source = _area_from_file(Path(text))
    else:
        geometry, source = _area_from_bounds(text, target)
    geometry = _only_polygons(geometry, text)
    if source != target:
        # Straight edges are straight where they were drawn: bend them before they change CRS.
        left, bottom, right, top = geometry.bounds
        unit = 1.0 if not source.is_geographic or target.is_geographic else 1 / 111_320.0
        step = max(pixel_size * EDGE_STEP_PX * unit, max(right - left, top - bottom) / 2000)
        geometry = _projected(shapely.segmentize(geometry, step), source, target, step=step)
    if not geometry.is_valid:
        geometry = _only_polygons(shapely.make_valid(geometry), text)
    return geometry


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long a name, or a NUL in it
        return False


def _projected(geometry: shapely.Geometry, source: CRS, target: CRS, *, step: float) -> shapely.Geometry:
    """Bring a geometry, bent at every ``step`` units of its CRS, into another CRS.

    Raises:
        AreaUnreadable: Some of it has no place there, such as the poles in Lambert-93; PROJ tells by no
            number, or by one that does not lead back.
    """
    drawn_N2 = shapely.get_coordinates(geometry)
    try:
        xs, ys = transform(source, target, *drawn_N2.T)
        back_N2 = np.stack(transform(target, source, xs, ys), axis=1)
    except Exception as error:  # rasterio's errors of PROJ have no public name
        raise AreaUnreadable(_TOO_FAR.format(target), remedy=_TOO_FAR_REMEDY) from error
    off_N2 = back_N2 - drawn_N2
    if source.is_geographic:
        off_N2[:, 0] = (off_N2[:, 0] + 180) % 360 - 180
    if not np.all(np.abs(off_N2) < step):  # not of infinity either
        raise AreaUnreadable(_TOO_FAR.format(target), remedy=_TOO_FAR_REMEDY)
    return shapely.set_coordinates(geometry, np.stack([xs, ys], axis=1))


def _area_from_file(path: Path) -> tuple[shapely.Geometry, CRS]:
    """Read by content, not by name: other formats (OGR's VRT) can read other files."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return _area_from_geojson(path.read_text(encoding="utf-8-sig", errors="replace"))
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


def _area_from_geojson(text: str) -> tuple[shapely.Geometry, CRS]:
    try:
        parsed = json.loads(text)
        features = parsed.get("features") or [parsed]
        shapes = [shapely.geometry.shape(feature.get("geometry", feature)) for feature in features]
        crs = parsed.get("crs")  # of GeoJSON before 2016, which GIS programs still write
        source = CRS.from_user_input(crs["properties"]["name"]) if crs else CRS.from_epsg(4326)
    except (ValueError, AttributeError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise AreaUnreadable(f"the area is no GeoJSON: {what}", remedy="see https://geojson.org") from error
    return shapely.union_all(shapes), source


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


def _only_polygons(geometry: shapely.Geometry, text: str) -> shapely.Geometry:
    parts = [part for part in shapely.get_parts(geometry, return_index=False) if part.area > 0]
    polygons = [
        piece
        for part in parts
        for piece in (part.geoms if hasattr(part, "geoms") else [part])
        if piece.geom_type == "Polygon"
    ]
    if not polygons:
        raise AreaUnreadable(
            f"the area holds no polygon: {text[:80]}", remedy="points and lines have no pixels"
        )
    return shapely.union_all(polygons)

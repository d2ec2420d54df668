"""Areas of interest on their way into the CRS of a grid: mended, bent, projected.

What a stranger's polygon costs to mend grows with the square of its crossings, in time and in memory. So what
comes as GeoJSON is worked out in the limited child process; see `area_in_child`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform

from service.rasters.client import ReaderChild
from service.rasters.errors import AreaTooDetailed, AreaUnreadable, ReaderDied, ReaderTimedOut
from service.rasters.polygons import MAX_POINTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.rasters.limits import Limits

EDGE_STEP_PX = 50.0
"""Edges of an area are bent to its new CRS at points at most this many pixels apart."""
MAX_AREA_S = 30.0
"""Longest that working out an area may take; a département's border takes a hundredth of a second."""
DETAIL_REMEDY = (
    "simplify it and mend rings that cross themselves: ogr2ogr -makevalid -simplify 1 area.gpkg area.geojson"
)
_TOO_FAR = "the area of interest reaches where the scene's CRS, {}, has no coordinates"
_TOO_FAR_REMEDY = "give an area nearer to the scene; without one the whole scene is mapped"


def area_in_child(text: str, *, crs_wkt: str, pixel_size: float, limits: Limits) -> shapely.Geometry:
    """See `area_of_geojson`, which is asked of a limited child process.

    Raises:
        AreaUnreadable: It is no GeoJSON, or holds no polygon.
        AreaTooDetailed: Working it out costs more than an area may, or it has too many points.
    """
    try:
        with ReaderChild(replace(limits, request_s=min(limits.request_s, MAX_AREA_S))) as child:
            wkb = child.request(
                "area", about="the area of interest", text=text, crs_wkt=crs_wkt, pixel_size=pixel_size
            )
    except (ReaderDied, ReaderTimedOut) as error:
        raise AreaTooDetailed(
            f"working out the area of interest takes more than {MAX_AREA_S:g} s or"
            f" {limits.address_space_bytes / 2**30:.1f} GiB",
            remedy=DETAIL_REMEDY,
        ) from error
    return shapely.from_wkb(wkb)


def area_of_geojson(text: str, *, crs_wkt: str, pixel_size: float) -> str:
    """The area that GeoJSON tells of, in the CRS of a grid, as hexadecimal WKB; runs in the child.

    Raises:
        AreaUnreadable: It is no GeoJSON, or holds no polygon.
        AreaTooDetailed: It has, or comes to have, more points than a mask is worth.
    """
    shapes, source = parse_geojson(text)
    _require_few_points(shapes)
    area = bring_to_grid(
        shapely.union_all(shapes), source, CRS.from_wkt(crs_wkt), pixel_size=pixel_size, said=text
    )
    _require_few_points([area])
    return str(shapely.to_wkb(area, hex=True))


def parse_geojson(text: str) -> tuple[list[shapely.Geometry], CRS]:
    """The shapes of GeoJSON, and the CRS it states; WGS84 where it states none.

    Raises:
        AreaUnreadable: It is no GeoJSON.
    """
    try:
        parsed = json.loads(text)
        features = parsed.get("features") or [parsed]
        shapes = [shapely.geometry.shape(feature.get("geometry", feature)) for feature in features]
        crs = parsed.get("crs")  # of GeoJSON before 2016, which GIS programs still write
        source = CRS.from_user_input(crs["properties"]["name"]) if crs else CRS.from_epsg(4326)
    except (
        ValueError,
        AttributeError,
        KeyError,
        TypeError,
        RecursionError,
        shapely.errors.ShapelyError,
    ) as error:
        what = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise AreaUnreadable(f"the area is no GeoJSON: {what}", remedy="see https://geojson.org") from error
    return shapes, source


def bring_to_grid(
    geometry: shapely.Geometry, source: CRS, target: CRS, *, pixel_size: float, said: str
) -> shapely.Geometry:
    """The polygons of a geometry in another CRS, valid there.

    Args:
        geometry: In ``source``.
        source: Its CRS.
        target: Of the grid.
        pixel_size: Of the grid, in units of its CRS.
        said: What the user typed, for messages.

    Raises:
        AreaUnreadable: It holds no polygon, or reaches where ``target`` has no coordinates.
    """
    geometry = _only_polygons(geometry, said)
    if source != target:
        # Straight edges are straight where they were drawn: bend them before they change CRS.
        left, bottom, right, top = geometry.bounds
        unit = 1.0 if not source.is_geographic or target.is_geographic else 1 / 111_320.0
        step = max(pixel_size * EDGE_STEP_PX * unit, max(right - left, top - bottom) / 2000)
        geometry = _projected(shapely.segmentize(geometry, step), source, target, step=step)
    if not geometry.is_valid:
        geometry = _only_polygons(shapely.make_valid(geometry), said)
    return geometry


def _require_few_points(shapes: Sequence[shapely.Geometry | None]) -> None:
    if int(shapely.get_num_coordinates(shapes).sum()) > MAX_POINTS:
        raise AreaTooDetailed(
            f"the area of interest has more than {MAX_POINTS:,} points", remedy=DETAIL_REMEDY
        )


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

"""Polygons of a user's vector file, read in a limited child process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from service.rasters.client import ReaderChild
from service.rasters.errors import AreaTooDetailed, NoPolygons, UnreadableRaster

if TYPE_CHECKING:
    from pathlib import Path

    from service.rasters.limits import Limits

VECTOR_MAGIC = (b"SQLite format 3\x00", b"fgb\x03")
"""First bytes of GeoPackage and FlatGeobuf: vector formats that are one file."""

_DRIVERS = {VECTOR_MAGIC[0]: "GPKG", VECTOR_MAGIC[1]: "FlatGeobuf"}
MAX_POLYGONS = 10_000
MAX_POINTS = 200_000
"""Most points of an area, together; a département's border has a few thousand."""


def read_polygons(path: Path, *, limits: Limits) -> dict[str, Any]:
    """The polygons of a GeoPackage or FlatGeobuf as one GeoJSON geometry with its ``crs``.

    Raises:
        RasterError: It cannot be read, states no CRS, or costs more than the limits.
    """
    with ReaderChild(limits) as child:
        geometry: dict[str, Any] = child.request("polygons", about=path.name, path=str(path))
    return geometry


def polygons_of(path: str) -> dict[str, Any]:
    """See `read_polygons`; runs in the child.

    Raises:
        RasterError: As named.
    """
    with open(path, "rb") as file:  # noqa: PTH123
        driver = _DRIVERS[next(magic for magic in VECTOR_MAGIC if file.peek(16).startswith(magic))]
    # What rasters are guarded against is what this format is: its driver is let in here, and no other.
    kept = [name for name in os.environ["GDAL_SKIP"].split() if name != driver]
    os.environ["GDAL_SKIP"] = " ".join(kept)
    import pyogrio  # noqa: PLC0415 - its own GDAL, which reads the environment now
    import shapely  # noqa: PLC0415

    name = os.path.basename(path)  # noqa: PTH119
    try:
        meta, _, wkb, _ = pyogrio.raw.read(path, columns=[], max_features=MAX_POLYGONS + 1)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise UnreadableRaster(f"{name} cannot be read: {error}", remedy="ogrinfo tells more") from error
    if not meta["crs"]:
        raise NoPolygons(f"{name} states no CRS", remedy=f"ogr2ogr -a_srs EPSG:2154 area.gpkg {name}")
    shapes = [] if wkb is None else [shape for shape in shapely.from_wkb(wkb) if shape is not None]
    polygons = [shape for shape in shapes if shape.geom_type in ("Polygon", "MultiPolygon")]
    if not polygons:
        raise NoPolygons(f"{name} holds no polygon", remedy="points and lines have no pixels")
    if len(polygons) > MAX_POLYGONS or int(shapely.get_num_coordinates(polygons).sum()) > MAX_POINTS:
        raise AreaTooDetailed(
            f"{name} has more than {MAX_POLYGONS} polygons or {MAX_POINTS} points",
            remedy=f"ogr2ogr -simplify 1 area.gpkg {name}",
        )
    geometry: dict[str, Any] = shapely.geometry.mapping(shapely.force_2d(shapely.union_all(polygons)))
    return geometry | {"crs": {"type": "name", "properties": {"name": meta["crs"]}}}

"""Where a raster lies and how large its pixels are on the ground. Runs in the child."""

import math
from typing import Any

from rasterio.crs import CRS
from rasterio.errors import CRSError, RasterioError
from rasterio.warp import transform as transform_points
from rasterio.warp import transform_bounds

from service.rasters.errors import CrsConflict, UnknownCrs
from service.rasters.facts import Transform

_WGS84_A_M = 6_378_137.0  # EPSG:7030
_WGS84_E2 = 0.006_694_379_990_141_33

SAME_AS: dict[int, int] = {9793: 2154, 9794: 2154}
"""RGF93 v2 and v2b / Lambert-93 differ from RGF93 v1 by less than the accuracy of v1 itself (centimetres)."""

_SAME_PLACE_M = 0.1
_SOURCE_CRS = "state it: --source-crs EPSG:2154 (or whichever it is)"


def choose_crs(
    file_crs: Any,  # noqa: ANN401 - rasterio has no types
    source_crs: str | None,
    *,
    path: str,
    place: tuple[float, float],
) -> CRS | None:
    """The CRS to use: the file's, or the caller's where the file has none or states the same less well.

    Args:
        file_crs: rasterio's; one that is neither projected nor geographic counts as none.
        source_crs: The caller's word, or None.
        path: For messages.
        place: Coordinates of the raster's centre, where both are compared.

    Raises:
        UnknownCrs: One of them cannot be understood, or does not lie on the Earth.
        CrsConflict: Both are stated and differ.
    """
    is_placed = file_crs and (file_crs.is_projected or file_crs.is_geographic)
    stated = _canonical(file_crs) if is_placed else None
    wanted = None
    if source_crs is not None:
        try:
            wanted = _canonical(CRS.from_user_input(source_crs))
        except (CRSError, ValueError) as error:
            raise UnknownCrs(
                f"{source_crs!r} is no coordinate reference system", remedy="use EPSG:number"
            ) from error
    if stated and wanted and stated != wanted and not _agree(stated, wanted, place):
        raise CrsConflict(
            f"{path} states {_short(stated)}, the caller {_short(wanted)}",
            remedy="leave --source-crs away, or correct the file: gdal_edit.py -a_srs EPSG:number file.tif",
        )
    return wanted or stated


def _agree(one: CRS, other: CRS, place: tuple[float, float]) -> bool:
    """Whether two CRS put a place at the same spot, such as Lambert-93 with and without its code."""
    try:
        lons_lats = [to_degrees(crs, [place[0]], [place[1]]) for crs in (one, other)]
    except UnknownCrs:
        return False
    lons, lats = ([pair[axis][0] for pair in lons_lats] for axis in (0, 1))
    return _distance_m(lons, lats) < _SAME_PLACE_M


def _canonical(crs: CRS) -> CRS:
    epsg = epsg_of(crs)
    return CRS.from_epsg(SAME_AS[epsg]) if epsg in SAME_AS else crs


def epsg_of(crs: CRS) -> int | None:
    """EPSG code, or None."""
    try:
        code = crs.to_epsg()
    except CRSError:
        return None
    return int(code) if code is not None else None


def _short(crs: CRS) -> str:
    epsg = epsg_of(crs)
    return f"EPSG:{epsg}" if epsg else str(crs.to_wkt())[:60]


def ground_size_m(crs: CRS, transform: Transform, *, col: float, row: float) -> tuple[float, float]:
    """Ground size of a pixel along columns and rows, in metres on the WGS84 ellipsoid.

    Right for web mercator, whose metres are not the ground's, for degrees, and for rotated rasters.

    Raises:
        UnknownCrs: The place does not map onto the Earth.
    """
    a, b, c, d, e, f = transform
    cols, rows = [col - 0.5, col + 0.5, col, col], [row, row, row - 0.5, row + 0.5]
    xs = [a * i + b * j + c for i, j in zip(cols, rows, strict=True)]
    ys = [d * i + e * j + f for i, j in zip(cols, rows, strict=True)]
    lons, lats = to_degrees(crs, xs, ys)
    return _distance_m(lons[:2], lats[:2]), _distance_m(lons[2:], lats[2:])


def _distance_m(lons: list[float], lats: list[float]) -> float:
    """Distance of two near points by the local radii of curvature; exact as their distance goes to 0."""
    lat = math.radians(sum(lats) / 2)
    curvature = 1.0 - _WGS84_E2 * math.sin(lat) ** 2
    east = math.radians(lons[1] - lons[0]) * math.cos(lat) * _WGS84_A_M / math.sqrt(curvature)
    north = math.radians(lats[1] - lats[0]) * _WGS84_A_M * (1.0 - _WGS84_E2) / curvature**1.5
    return math.hypot(east, north)


def to_degrees(crs: CRS, xs: list[float], ys: list[float]) -> tuple[list[float], list[float]]:
    """Longitudes and latitudes of points.

    Raises:
        UnknownCrs: A point does not map onto the Earth.
    """
    try:
        lons, lats = transform_points(crs, CRS.from_epsg(4326), xs, ys)
    except (CRSError, RasterioError) as error:
        raise UnknownCrs(f"{_short(crs)} cannot be placed on the Earth", remedy=_SOURCE_CRS) from error
    if not all(math.isfinite(value) for value in lons) or not all(abs(lat) <= 90 for lat in lats):
        raise UnknownCrs(f"coordinates {xs[0]}, {ys[0]} lie outside {_short(crs)}", remedy=_SOURCE_CRS)
    return list(lons), list(lats)


def bounds_degrees(
    crs: CRS, transform: Transform, *, width: int, height: int
) -> tuple[float, float, float, float]:
    """Left, bottom, right, top in degrees.

    Raises:
        UnknownCrs: The raster does not map onto the Earth.
    """
    a, b, c, d, e, f = transform
    corners = [(0, 0), (width, 0), (0, height), (width, height)]
    xs = [a * i + b * j + c for i, j in corners]
    ys = [d * i + e * j + f for i, j in corners]
    try:
        bounds = transform_bounds(crs, CRS.from_epsg(4326), min(xs), min(ys), max(xs), max(ys))
    except (CRSError, RasterioError) as error:
        raise UnknownCrs(f"{_short(crs)} cannot be placed on the Earth", remedy=_SOURCE_CRS) from error
    if not all(math.isfinite(value) for value in bounds):
        raise UnknownCrs(f"bounds {min(xs)}, {min(ys)} lie outside {_short(crs)}", remedy=_SOURCE_CRS)
    return tuple(bounds)

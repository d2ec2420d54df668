"""What a user names on the command line, found and read: scenes, companions, areas."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyogrio
import shapely
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from service.errors import PreflightError
from service.planning.preflight import SceneFacts
from service.rasters.client import ReaderChild
from service.rasters.hashing import sha256_of
from service.rasters.inspect import read_facts
from service.rasters.limits import Limits
from service.rasters.refusals import require_usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.planning.preflight import ReadingOptions
    from service.rasters.facts import RasterFacts
    from service.settings import Settings

SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k")

EDGE_STEP_PX = 50.0
"""Edges of an area are bent to its new CRS at points at most this many pixels apart."""


_AREA_MAGIC = (b"SQLite format 3\x00", b"fgb\x03", b"\x00\x00\x27\x0a")
"""First bytes of GeoPackage, FlatGeobuf and Shapefile."""


class InputMissing(PreflightError):
    """A path named on the command line holds nothing to work on."""


class AreaUnreadable(PreflightError):
    """An area of interest is no polygon that can be read."""


def reader_limits(settings: Settings) -> Limits:
    """What a raster may cost on this machine."""
    return Limits(
        address_space_bytes=settings.reader_memory_bytes,
        request_s=settings.reader_timeout_s,
        gdal_cache_bytes=settings.gdal_cache_bytes,
    )


def find_rasters(paths: Sequence[Path]) -> list[Path]:
    """Files as given, folders as the GeoTIFF and JPEG 2000 files in them, at any depth, sorted by name.

    What is hidden, or lies in a hidden folder, such as the blocks of a map under way, is left out.

    Raises:
        InputMissing: A path does not exist, or a folder holds no raster.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                entry
                for entry in path.rglob("*")
                if entry.suffix.lower() in SUFFIXES
                and not any(part.startswith(".") for part in entry.relative_to(path).parts)
            )
            if not inside:
                raise InputMissing(
                    f"{path} holds no orthophoto", remedy=f"it should hold {', '.join(SUFFIXES)} files"
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputMissing(f"{path} does not exist", remedy="check the path")
    return list(dict.fromkeys(found))


def read_scenes(
    scenes: Sequence[Path],
    *,
    irc: Sequence[Path],
    heights: Sequence[Path],
    options: ReadingOptions,
    settings: Settings,
    refuses: bool = True,
) -> list[SceneFacts]:
    """Read the facts of scenes and pair each with its companions by place.

    Maps that lie in a folder of scenes, since that is where they were written, are left out.

    Args:
        scenes: Files and folders.
        irc: Files and folders of NIR, R, G twins.
        heights: Files and folders of heights above ground.
        options: What the caller said.
        settings: Limits.
        refuses: Whether a scene that no model can be run on is refused.

    Raises:
        ServiceError: Something cannot be read, or a companion belongs to no scene.
    """
    limits = reader_limits(settings)
    with ReaderChild(limits) as child:

        def read(path: Path) -> RasterFacts:
            return read_facts(path, limits=limits, source_crs=options.source_crs, child=child)

        found = [(path, read(path)) for path in find_rasters(scenes)]
        mains = [facts for path, facts in found if path in scenes or not facts.is_map]
        twins = [read(path) for path in find_rasters(irc)]
        above = [read(path) for path in find_rasters(heights)]
    if not mains:
        raise InputMissing(
            f"{', '.join(map(str, scenes))}: only maps are there", remedy="name the orthophotos themselves"
        )
    for facts in mains if refuses else ():
        require_usable(facts, nodata=options.nodata, bands_option=options.bands)
    paired = [
        SceneFacts(
            main=facts,
            irc=_companion_of(facts, twins, alone=len(mains) == 1),
            height=_companion_of(facts, above, alone=len(mains) == 1),
        )
        for facts in mains
    ]
    used = {companion.path for scene in paired for companion in scene.all[1:]}
    for facts in (*twins, *above):
        if facts.path not in used:
            raise PreflightError(
                f"{facts.path} lies over none of the scenes",
                remedy="leave it out, or name the scene it belongs to",
            )
    return paired


def _companion_of(main: RasterFacts, companions: Sequence[RasterFacts], *, alone: bool) -> RasterFacts | None:
    """The companion whose bounds are nearest to those of a scene, if they overlap at all."""
    if alone and len(companions) == 1:
        return companions[0]  # whether it fits is for preflight to say
    best: tuple[float, RasterFacts] | None = None
    for companion in companions:
        if main.bounds_wgs84 is None or companion.bounds_wgs84 is None:
            continue
        ours, theirs = shapely.box(*main.bounds_wgs84), shapely.box(*companion.bounds_wgs84)
        share = ours.intersection(theirs).area / ours.union(theirs).area
        if share > 0 and (best is None or share > best[0]):
            best = (share, companion)
    return best[1] if best else None


def digest_files(paths: Sequence[str]) -> dict[str, str]:
    """Sha256 of the content of each file, by path."""
    return {path: _digest(path, Path(path).stat().st_mtime_ns) for path in dict.fromkeys(paths)}


@cache
def _digest(path: str, _mtime_ns: int) -> str:
    """Sha256 of a file, computed once for all the models that are asked about it."""
    return sha256_of(path)


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
    if Path(text).is_file():
        geometry, source = _area_from_file(Path(text))
    elif text.lstrip().startswith("{"):
        geometry, source = _area_from_geojson(text)
    else:
        geometry, source = _area_from_bounds(text, target)
    geometry = _only_polygons(geometry, text)
    if source != target:
        # Straight edges are straight where they were drawn: bend them before they change CRS.
        left, bottom, right, top = geometry.bounds
        unit = 1.0 if not source.is_geographic or target.is_geographic else 1 / 111_320.0
        step = max(pixel_size * EDGE_STEP_PX * unit, max(right - left, top - bottom) / 2000)
        bent = shapely.segmentize(geometry, step)
        geometry = shapely.geometry.shape(transform_geom(source, target, shapely.geometry.mapping(bent)))
    if not geometry.is_valid:
        geometry = _only_polygons(shapely.make_valid(geometry), text)
    return geometry


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
        raise AreaUnreadable(f"the area is no GeoJSON: {error}", remedy="see https://geojson.org") from error
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

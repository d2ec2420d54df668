"""What a user names on the command line, found and read: scenes and their companions."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

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


class InputMissing(PreflightError):
    """A path named on the command line holds nothing to work on."""


class CompanionUnused(PreflightError):
    """An infrared or a height companion would be read with no scene."""


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

    Maps that lie in a folder of scenes, since that is where they were written, are left out; so are the
    companions that lie there.

    Args:
        scenes: Files and folders.
        irc: Files and folders of NIR, R, G twins.
        heights: Files and folders of heights above ground.
        options: What the caller said.
        settings: Limits.
        refuses: Whether a scene that no model can be run on is refused.

    Raises:
        CompanionUnused: A companion lies over no scene, or another one lies there better.
        ServiceError: Something cannot be read.
    """
    limits = reader_limits(settings)
    with ReaderChild(limits) as child:

        def read(path: Path) -> RasterFacts:
            return read_facts(path, limits=limits, source_crs=options.source_crs, child=child)

        twin_paths, height_paths = find_rasters(irc), find_rasters(heights)
        scene_paths = _without(find_rasters(scenes), [*twin_paths, *height_paths])
        found = [(path, read(path)) for path in scene_paths]
        mains = [facts for path, facts in found if path in scenes or not facts.is_map]
        twins = [read(path) for path in twin_paths]
        above = [read(path) for path in height_paths]
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
            raise _unused(facts, mains)
    return paired


def _without(scenes: Sequence[Path], companions: Sequence[Path]) -> list[Path]:
    """The scenes that are no companions.

    Raises:
        InputMissing: None is left.
    """
    taken = {path.resolve() for path in companions}
    left = [path for path in scenes if path.resolve() not in taken]
    if not left:
        raise InputMissing(
            f"every scene named, such as {scenes[0]}, is named with --irc or --height too",
            remedy="name the orthophotos themselves, and after --irc and --height only what goes with them",
        )
    return left


def _companion_of(main: RasterFacts, companions: Sequence[RasterFacts], *, alone: bool) -> RasterFacts | None:
    """The companion whose bounds are nearest to those of a scene, if they overlap at all."""
    if alone and len(companions) == 1 and None in (main.bounds_wgs84, companions[0].bounds_wgs84):
        return companions[0]  # what it lacks is for preflight to say
    best: tuple[float, RasterFacts] | None = None
    for companion in companions:
        share = _shared(main, companion)
        if share > 0 and (best is None or share > best[0]):
            best = (share, companion)
    return best[1] if best else None


def _shared(main: RasterFacts, companion: RasterFacts) -> float:
    """Area of both over the area of either; 0 where one has no place."""
    if main.bounds_wgs84 is None or companion.bounds_wgs84 is None:
        return 0.0
    ours, theirs = shapely.box(*main.bounds_wgs84), shapely.box(*companion.bounds_wgs84)
    return float(ours.intersection(theirs).area / ours.union(theirs).area)


def _unused(companion: RasterFacts, mains: Sequence[RasterFacts]) -> CompanionUnused:
    """Why a companion is read with no scene."""
    main = max(mains, key=lambda facts: _shared(facts, companion))
    if _shared(main, companion) > 0:
        return CompanionUnused(
            f"{companion.path} lies over {main.path}, of which another file covers more; one file of a kind"
            " is read beside each scene",
            remedy="leave it out, or make one of them: gdalbuildvrt all.vrt FILES, then"
            " gdal_translate all.vrt one.tif",
        )
    return CompanionUnused(
        f"{companion.path} (EPSG:{companion.epsg}) lies over none of the scenes",
        remedy="leave it out, name the scene it belongs to, or check its CRS",
    )


def digest_files(paths: Sequence[str]) -> dict[str, str]:
    """Sha256 of the content of each file, by path."""
    return {path: _digest(path, Path(path).stat().st_mtime_ns) for path in dict.fromkeys(paths)}


@cache
def _digest(path: str, _mtime_ns: int) -> str:
    """Sha256 of a file, computed once for all the models that are asked about it."""
    return sha256_of(path)

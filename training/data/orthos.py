"""Orthophotos of a territory as training takes them: windows in a network's bands, read as the service reads.

Files are opened in the service's limited child process. Axes: C bands, H and W pixels.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rasterio.crs import CRS

from models.errors import RemediedError
from service.rasters.bands import known_roles, says_irc
from service.rasters.client import ReaderChild
from service.rasters.errors import BandMismatch
from service.rasters.inspect import read_facts
from service.rasters.limits import Limits
from service.rasters.placing import NodataOption, companion_irc, own_grid, place
from service.rasters.reader import SceneReader
from service.rasters.refusals import require_usable
from service.rasters.sources import Grid
from service.rasters.transforms import shifted
from training.data.errors import FileUnexpected, LayoutUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from models.manifest import Range, Role
    from service.rasters.facts import RasterFacts, Transform
    from service.rasters.sources import Layer, SourceSpec
    from service.rasters.windows import Window

SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k")
_GSD_SLACK = 0.02
"""A ground resolution this share outside of a range still counts as inside, as for maps."""
_MOST_ENLARGED = 1.25
"""A raster is read on pixels finer than its own by this factor at most."""
_METRES_SLACK = 0.01


class OrthosUnusable(RemediedError):
    """Orthophotos are not what a network can be adapted to."""


@dataclass(frozen=True, kw_only=True)
class Ortho:
    """One orthophoto on its own pixel grid, not read yet."""

    path: Path
    facts: RasterFacts
    spec: SourceSpec
    bands: tuple[Role, ...]
    """Of the network's bands, those that it has, in the network's order."""
    grid: Grid
    """That it is read on: its own, unless another ground resolution was asked for."""
    gsd_m: float
    """Ground resolution in metres: the coarser of the two sides of a pixel."""

    @property
    def extent(self) -> Window:
        """All of its pixels."""
        return self.spec.extent

    @property
    def crs_wkt(self) -> str:
        """Its coordinate reference system."""
        return self.grid.crs_wkt

    @property
    def transform(self) -> Transform:
        """Of its north-up view."""
        return self.grid.transform

    def transform_of(self, window: Window) -> Transform:
        """The geotransform of an array that holds a window."""
        return shifted(self.transform, cols=window.col_off, rows=window.row_off)


def find_rasters(place: Path) -> list[Path]:
    """A file as given, a folder as the GeoTIFF and JPEG 2000 files in it, at any depth, sorted.

    Raises:
        LayoutUnknown: It does not exist, or holds none.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise LayoutUnknown(f"{place} does not exist", remedy="Check the path.")
    found = sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    )
    if not found:
        raise LayoutUnknown(
            f"{place} holds no orthophoto", remedy=f"It should hold {', '.join(SUFFIXES)} files."
        )
    return found


def open_orthos(
    place: Path, *, bands: Sequence[Role], gsd_m: Range, how: Reading | None = None
) -> list[Ortho]:
    """Look at the orthophotos of a territory, and refuse what a network cannot be adapted to.

    Args:
        place: A folder of rasters, or one of them.
        bands: Of the network; all but near infrared have to be there.
        gsd_m: Ground resolutions that the network was made for, in metres.
        how: They are read, where they do not say it themselves.

    Returns:
        All in one coordinate reference system, and with the same bands.

    Raises:
        RemediedError: As its subclasses name: nothing is there, or it cannot be read, or it lacks bands, or
            its pixels are too small, too large or of another reference system.
    """
    orthos = look_at(find_rasters(place), bands=bands, how=how or Reading())
    for ortho in orthos:
        _require_resolution(ortho, gsd_m)
    first = orthos[0]
    for ortho in orthos[1:]:
        if not _is_same_crs(ortho, first):
            raise OrthosUnusable(
                f"{ortho.path} is in {_crs_told(ortho)}, {first.path} in {_crs_told(first)}",
                remedy="Adapt to one reference system at a time, or gdalwarp -t_srs those of the other.",
            )
        if ortho.bands != first.bands:
            raise OrthosUnusable(
                f"{ortho.path} has {', '.join(ortho.bands)}, {first.path} {', '.join(first.bands)}",
                remedy="Adapt to images of one kind at a time, or give the missing twins with --irc.",
            )
    return orthos


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How orthophotos are read, where they do not say it themselves."""

    irc: Path | None = None
    """Their false-colour twins (near infrared, red, green), which lie on the same pixels."""
    bands_option: str = "auto"
    """Which band is which: see ``service.rasters.bands.known_roles``."""
    nodata: NodataOption = "file"
    gsd_m: float | None = None
    """Ground resolution to read them at, in metres, on pixels counted from the origin of their reference
    system; None reads them on their own pixels."""


def look_at(paths: Sequence[Path], *, bands: Sequence[Role], how: Reading) -> list[Ortho]:
    """Look at orthophotos of any reference systems, resolutions and bands.

    Args:
        paths: Of the rasters.
        bands: Wanted; all but near infrared have to be there.
        how: They are read.

    Raises:
        RemediedError: As its subclasses name: one cannot be read, lacks bands, is rotated or in degrees, or
            its pixels are much coarser than what is asked for.
    """
    with ReaderChild(Limits()) as child:
        irc = () if how.irc is None else find_rasters(how.irc)
        twins = [read_facts(path, child=child) for path in irc]
        beside = {path.resolve() for path in irc if says_irc(path)}
        own = [path for path in paths if path.resolve() not in beside]
        return [_open(read_facts(path, child=child), twins, bands, how) for path in own or paths]


@contextmanager
def reading(orthos: Sequence[Ortho], bands: Sequence[Role]) -> Iterator[Reader]:
    """One child process that reads windows of any of some orthophotos."""
    with ReaderChild(Limits()) as child:
        yield Reader(orthos, bands, child)


class Reader:
    """Reads windows; one orthophoto is open at a time, so ask for those of one together."""

    def __init__(self, orthos: Sequence[Ortho], bands: Sequence[Role], child: ReaderChild) -> None:
        self._orthos, self._bands, self._child = orthos, tuple(bands), child
        self._open: tuple[int, SceneReader] | None = None

    def read(self, index: int, window: Window) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """A window of an orthophoto.

        Returns:
            Pixels [C, H, W] in the network's bands, zero in those that are absent and where there is no data,
            and where there is data, [H, W].
        """
        ortho = self._orthos[index]
        if self._open is None or self._open[0] != index:
            self._open = index, SceneReader([ortho.spec], roles=ortho.bands, child=self._child)
        read_CHW, is_valid_HW = self._open[1].read(window)
        image_CHW = np.zeros((len(self._bands), *is_valid_HW.shape), dtype=np.uint8)
        for band, read_HW in zip(ortho.bands, read_CHW, strict=True):
            image_CHW[self._bands.index(band)] = np.where(is_valid_HW, read_HW, 0)
        return image_CHW, is_valid_HW & image_CHW.any(axis=0)


def _open(facts: RasterFacts, twins: Sequence[RasterFacts], bands: Sequence[Role], how: Reading) -> Ortho:
    path = Path(facts.path)
    require_usable(facts, nodata=how.nodata, bands_option=how.bands_option)
    if facts.crs_is_geographic or facts.is_rotated:
        raise OrthosUnusable(
            f"{path} is {'in degrees' if facts.crs_is_geographic else 'rotated'}",
            remedy="gdalwarp -t_srs EPSG:number -r cubic in.tif out.tif brings it onto north-up metres.",
        )
    assert facts.gsd_m is not None, "usable"
    grid = own_grid(facts) if how.gsd_m is None else _grid_at(how.gsd_m, facts)
    roles = known_roles(facts, how.bands_option)
    companions: tuple[Layer, ...] = ()
    if "nir" in bands and "nir" not in roles and (twin := _twin(facts, twins)) is not None:
        companions = (companion_irc(facts, twin, grid=grid),)
    have = {*roles, *(["nir"] if companions else [])}
    missing = [band for band in bands if band not in have and band != "nir"]
    if missing:
        raise FileUnexpected(
            f"{path}: {BandMismatch(expected=tuple(bands), found=tuple(sorted(have))).message}",
            remedy="Give orthophotos whose bands say what they are (gdal_edit.py -colorinterp_1 red ...), or"
            " say it with --bands; false colours, as a name with IRC says, go with --irc.",
        )
    here = tuple(band for band in bands if band in have)
    spec = place(
        facts,
        {band: roles[band] for band in here if band in roles},
        grid=grid,
        nodata=how.nodata,
        companions=companions,
    )
    return Ortho(
        path=path, facts=facts, spec=spec, bands=here, grid=grid, gsd_m=how.gsd_m or max(facts.gsd_m)
    )


def _is_same_crs(ortho: Ortho, other: Ortho) -> bool:
    """By code, or by definition where both have none."""
    codes = ortho.facts.epsg, other.facts.epsg
    if codes != (None, None):
        return codes[0] == codes[1]
    return bool(CRS.from_wkt(ortho.crs_wkt) == CRS.from_wkt(other.crs_wkt))


def _crs_told(ortho: Ortho) -> str:
    return "one without a code" if ortho.facts.epsg is None else f"EPSG:{ortho.facts.epsg}"


def _require_resolution(ortho: Ortho, gsd_m: Range) -> None:
    """Refuse pixels that a network was not made for.

    Raises:
        OrthosUnusable: They are too small or too large.
    """
    assert ortho.facts.gsd_m is not None, "usable"
    finest = min(ortho.facts.gsd_m)
    if finest < gsd_m.min * (1 - _GSD_SLACK) or ortho.gsd_m > gsd_m.max * (1 + _GSD_SLACK):
        raise OrthosUnusable(
            f"{ortho.path} has pixels of {ortho.gsd_m:.3g} m on the ground; the artefact reads"
            f" {gsd_m.min:g} to {gsd_m.max:g} m",
            remedy=f"gdalwarp -tr {gsd_m.nominal:g} {gsd_m.nominal:g} -r average in.tif out.tif if they are"
            " finer; if they are coarser, begin with another artefact.",
        )


def _grid_at(gsd_m: float, facts: RasterFacts) -> Grid:
    """A grid of a ground resolution, from the origin of the raster's reference system.

    Raises:
        OrthosUnusable: The raster is too coarse: finer pixels would be invented.
    """
    own = own_grid(facts)
    assert facts.gsd_m is not None, "usable"
    if max(facts.gsd_m) > gsd_m * _MOST_ENLARGED:
        raise OrthosUnusable(
            f"{facts.path} has pixels of {max(facts.gsd_m):.3g} m on the ground; at {gsd_m:g} m most would be"
            " invented",
            remedy=f"Ask for {max(facts.gsd_m):.2g} m or more, or leave the ground resolution away.",
        )
    units_per_m = own.transform[0] / facts.gsd_m[0]
    # Metres of Lambert-93 and of UTM are the ground's but for a thousandth; those of Mercator are not.
    side = gsd_m if abs(units_per_m - 1) < _METRES_SLACK else float(f"{gsd_m * units_per_m:.4g}")
    return Grid(crs_wkt=own.crs_wkt, transform=(side, 0.0, 0.0, 0.0, -side, 0.0))


def _twin(facts: RasterFacts, twins: Sequence[RasterFacts]) -> RasterFacts | None:
    """The twin that lies on the same ground: its corner is within a pixel of the other's."""
    for twin in twins:
        if twin.transform is not None and facts.transform is not None:
            apart = [abs(twin.transform[axis] - facts.transform[axis]) for axis in (2, 5)]
            if max(apart) < facts.transform[0]:
                return twin
    return None

"""Orthophotos of a territory as training takes them: windows in a network's bands, read as the service reads.

Files are opened in the service's limited child process. Axes: C bands, H and W pixels.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.errors import RemediedError
from service.rasters.bands import known_roles
from service.rasters.client import ReaderChild
from service.rasters.errors import BandMismatch
from service.rasters.inspect import read_facts
from service.rasters.limits import Limits
from service.rasters.placing import companion_irc, own_grid, place
from service.rasters.reader import SceneReader
from service.rasters.refusals import require_usable
from service.rasters.transforms import shifted
from service.rasters.windows import Window
from training.data.errors import FileUnexpected, LayoutUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from models.manifest import Range, Role
    from service.rasters.facts import RasterFacts, Transform
    from service.rasters.sources import Layer, SourceSpec

SUFFIXES = (".tif", ".tiff", ".jp2", ".j2k")
_GSD_SLACK = 0.02
"""A ground resolution this share outside of a range still counts as inside, as for maps."""
_ALWAYS: tuple[Role, ...] = ("red", "green", "blue")


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

    @property
    def extent(self) -> Window:
        """All of its pixels."""
        return Window(0, 0, self.facts.width, self.facts.height)

    @property
    def crs_wkt(self) -> str:
        """Its coordinate reference system."""
        assert self.facts.crs_wkt is not None, "usable"
        return self.facts.crs_wkt

    @property
    def transform(self) -> Transform:
        """Of its north-up view."""
        assert self.facts.transform is not None, "usable"
        return self.facts.transform

    @property
    def gsd_m(self) -> float:
        """Ground resolution in metres: the coarser of the two sides of a pixel."""
        assert self.facts.gsd_m is not None, "usable"
        return max(self.facts.gsd_m)

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


def open_orthos(place: Path, *, bands: Sequence[Role], gsd_m: Range, irc: Path | None = None) -> list[Ortho]:
    """Look at the orthophotos of a territory, and refuse what a network cannot be adapted to.

    Args:
        place: A folder of rasters, or one of them.
        bands: Of the network; all but near infrared have to be there.
        gsd_m: Ground resolutions that the network was made for, in metres.
        irc: Their false-colour twins (near infrared, red, green), which lie on the same pixels.

    Returns:
        All in one coordinate reference system, and with the same bands.

    Raises:
        RemediedError: As its subclasses name: nothing is there, or it cannot be read, or it lacks bands, or
            its pixels are too small, too large or of another reference system.
    """
    paths = find_rasters(place)
    with ReaderChild(Limits()) as child:
        twins = [] if irc is None else [read_facts(path, child=child) for path in find_rasters(irc)]
        orthos = [_open(read_facts(path, child=child), twins, bands, gsd_m) for path in paths]
    first = orthos[0]
    for ortho in orthos[1:]:
        if ortho.facts.epsg != first.facts.epsg:
            raise OrthosUnusable(
                f"{ortho.path} is in EPSG:{ortho.facts.epsg}, {first.path} in EPSG:{first.facts.epsg}",
                remedy="Adapt to one reference system at a time, or gdalwarp -t_srs those of the other.",
            )
        if ortho.bands != first.bands:
            raise OrthosUnusable(
                f"{ortho.path} has {', '.join(ortho.bands)}, {first.path} {', '.join(first.bands)}",
                remedy="Adapt to images of one kind at a time, or give the missing twins with --irc.",
            )
    return orthos


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


def _open(facts: RasterFacts, twins: Sequence[RasterFacts], bands: Sequence[Role], gsd_m: Range) -> Ortho:
    path = Path(facts.path)
    require_usable(facts)
    if facts.crs_is_geographic or facts.is_rotated:
        raise OrthosUnusable(
            f"{path} is {'in degrees' if facts.crs_is_geographic else 'rotated'}",
            remedy="gdalwarp -t_srs EPSG:number -r cubic in.tif out.tif brings it onto north-up metres.",
        )
    grid, roles = own_grid(facts), known_roles(facts)
    companions: tuple[Layer, ...] = ()
    if "nir" in bands and "nir" not in roles and (twin := _twin(facts, twins)) is not None:
        companions = (companion_irc(facts, twin, grid=grid),)
    have = {*roles, *(["nir"] if companions else [])}
    missing = [band for band in bands if band not in have and band != "nir"]
    if missing:
        raise FileUnexpected(
            f"{path}: {BandMismatch(expected=tuple(bands), found=tuple(sorted(have))).message}",
            remedy="Give orthophotos whose bands say what they are (gdal_edit.py -colorinterp_1 red ...).",
        )
    here = tuple(band for band in bands if band in have)
    spec = place(
        facts,
        {band: roles[band] for band in here if band in roles},
        grid=grid,
        companions=companions,
    )
    ortho = Ortho(path=path, facts=facts, spec=spec, bands=here)
    assert facts.gsd_m is not None, "usable"
    if min(facts.gsd_m) < gsd_m.min * (1 - _GSD_SLACK) or ortho.gsd_m > gsd_m.max * (1 + _GSD_SLACK):
        raise OrthosUnusable(
            f"{path} has pixels of {ortho.gsd_m:.3g} m on the ground; the artefact reads {gsd_m.min:g} to"
            f" {gsd_m.max:g} m",
            remedy=f"gdalwarp -tr {gsd_m.nominal:g} {gsd_m.nominal:g} -r average in.tif out.tif if they are"
            " finer; if they are coarser, begin with another artefact.",
        )
    return ortho


def _twin(facts: RasterFacts, twins: Sequence[RasterFacts]) -> RasterFacts | None:
    """The twin that lies on the same ground: its corner is within a pixel of the other's."""
    for twin in twins:
        if twin.transform is not None and facts.transform is not None:
            apart = [abs(twin.transform[axis] - facts.transform[axis]) for axis in (2, 5)]
            if max(apart) < facts.transform[0]:
                return twin
    return None

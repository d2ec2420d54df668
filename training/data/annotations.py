"""Labels of the ground as vectors or rasters, brought onto an orthophoto's pixels.

    D038_2021_900_6470_vecto.gpkg   CoSIA: polygons with `numero` and `classe`, in any reference system
    landcover.tif                   class values 0 to 15, 255 teaches nothing; on any grid

`classe` decides, and `numero` has to agree where published sources agree on it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyogrio
import pyproj
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import rasterize
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from models.nomenclature import COSIA
from training.data.errors import FileUnexpected, LabelUnknown, LayoutUnknown
from training.data.samples import IGNORED

if TYPE_CHECKING:
    from pathlib import Path

    from service.rasters.facts import Transform

U8 = NDArray[np.uint8]

VECTOR_SUFFIXES = (".gpkg", ".fgb", ".shp")
RASTER_SUFFIXES = (".tif", ".tiff")
_TEACHES_NOTHING = ("autre",)
"""`classe` of polygons that are no class of the nomenclature; some editions have it in the place of Coupe."""


class Annotations(Protocol):
    """Labels that can be asked for anywhere."""

    def on(self, transform: Transform, *, shape: tuple[int, int], crs_wkt: str) -> U8:
        """Class values [H, W] on the pixels of a window; 255 where there is no label."""
        ...


def open_annotations(place: Path) -> Annotations:
    """Labels of a file, or of all files of a folder.

    Raises:
        LayoutUnknown: There is nothing that labels can be read of.
        FileUnexpected: A file cannot be read, or lacks what labels are told by.
        LabelUnknown: A class is none of the nomenclature.
    """
    suffixes = (*VECTOR_SUFFIXES, *RASTER_SUFFIXES)
    if not place.exists():
        raise LayoutUnknown(f"{place} does not exist", remedy="Check the path.")
    files = [place] if place.is_file() else sorted(p for p in place.iterdir() if p.suffix.lower() in suffixes)
    layers: list[Annotations] = []
    for path in files:
        if path.suffix.lower() in VECTOR_SUFFIXES:
            layers.append(Polygons.of(path))
        elif path.suffix.lower() in RASTER_SUFFIXES:
            layers.append(ClassRaster.of(path))
    if not layers:
        raise LayoutUnknown(
            f"{place} holds no labels",
            remedy=f"Give a CoSIA GeoPackage or a class raster: {', '.join(suffixes)}.",
        )
    return Stacked(layers=tuple(layers))


@dataclass(frozen=True, kw_only=True)
class Stacked:
    """Several files; where two have a label, the first has it."""

    layers: tuple[Annotations, ...]

    def on(self, transform: Transform, *, shape: tuple[int, int], crs_wkt: str) -> U8:
        """See `Annotations`."""
        labels_HW = np.full(shape, IGNORED, dtype=np.uint8)
        for layer in self.layers:
            is_free_HW = labels_HW == IGNORED
            if not is_free_HW.any():
                break
            labels_HW[is_free_HW] = layer.on(transform, shape=shape, crs_wkt=crs_wkt)[is_free_HW]
        return labels_HW


@dataclass(frozen=True, kw_only=True)
class Polygons:
    """Polygons of CoSIA; those of a window are read when it is asked for."""

    path: Path
    crs: str

    @classmethod
    def of(cls, path: Path) -> Polygons:
        """A file that has the fields of CoSIA.

        Raises:
            FileUnexpected: It cannot be read, lacks the field `classe`, or states no reference system.
        """
        try:
            info = pyogrio.read_info(path)
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise FileUnexpected(f"{path} cannot be read: {error}", remedy="ogrinfo tells more.") from error
        fields = list(info["fields"])
        if "classe" not in fields:
            raise FileUnexpected(
                f"{path} has the fields {', '.join(fields) or 'none'}; CoSIA has numero and classe",
                remedy="Give the GeoPackage as IGN delivers it, or rename the field of the class's name:"
                ' ogr2ogr -sql "SELECT *, NAME AS classe FROM LAYER" out.gpkg in.gpkg.',
            )
        if not info["crs"]:
            raise FileUnexpected(f"{path} states no reference system", remedy="ogr2ogr -a_srs EPSG:2154.")
        return cls(path=path, crs=info["crs"])

    def on(self, transform: Transform, *, shape: tuple[int, int], crs_wkt: str) -> U8:
        """See `Annotations`.

        Raises:
            LabelUnknown: A polygon's `classe` is no class, or its `numero` is another's.
        """
        to_labels = pyproj.Transformer.from_crs(crs_wkt, self.crs, always_xy=True)
        bounds = to_labels.transform_bounds(*_bounds(transform, shape))
        meta, _, geometries, columns = pyogrio.raw.read(self.path, bbox=bounds)
        fields = list(meta["fields"])
        names = columns[fields.index("classe")]
        numbers = columns[fields.index("numero")] if "numero" in fields else [None] * len(names)
        values = [self._value(name, number) for name, number in zip(names, numbers, strict=True)]
        shapes = shapely.from_wkb(geometries) if len(names) else np.array([], dtype=object)
        to_image = pyproj.Transformer.from_crs(self.crs, crs_wkt, always_xy=True)
        shapes = shapely.transform(shapely.force_2d(shapes), to_image.transform, interleaved=False)
        drawn = [(each, value) for each, value in zip(shapes, values, strict=True) if each is not None]
        if not drawn:
            return np.full(shape, IGNORED, dtype=np.uint8)
        labels_HW: U8 = rasterize(
            drawn, out_shape=shape, transform=Affine(*transform), fill=IGNORED, dtype="uint8"
        )
        return labels_HW

    def _value(self, name: object, number: object) -> int:
        key = _plain(str(name))
        if key in _TEACHES_NOTHING:
            return IGNORED
        if key not in _CLASS_BY_NAME:
            known = ", ".join(each.cosia_name_fr for each in COSIA.classes)
            raise LabelUnknown(
                f"{self.path}: classe {name!r} is no class of CoSIA", remedy=f"Classes of CoSIA: {known}."
            )
        land_cover = _CLASS_BY_NAME[key]
        has_number = number is not None and number == number and land_cover.cosia_numero is not None  # noqa: PLR0124 - NaN
        if has_number and _whole(number) != land_cover.cosia_numero:
            raise LabelUnknown(
                f"{self.path}: classe {name!r} has numero {number}, CoSIA's is {land_cover.cosia_numero}",
                remedy="One of the two is of another edition: correct it, or drop the field numero.",
            )
        return land_cover.value


@dataclass(frozen=True, kw_only=True)
class ClassRaster:
    """A raster of class values on any grid."""

    path: Path
    nodata: float
    crs_wkt: str
    bounds: tuple[float, float, float, float]
    """Left, bottom, right, top."""

    @classmethod
    def of(cls, path: Path) -> ClassRaster:
        """A file of one byte a pixel.

        Raises:
            FileUnexpected: It cannot be read, has other bands, or does not say where it lies.
        """
        try:
            with rasterio.open(path) as file:
                if file.count != 1 or file.dtypes[0] != "uint8":
                    raise FileUnexpected(
                        f"{path} has {file.count} bands of {file.dtypes[0]}; labels are one band of uint8",
                        remedy="Give a class raster: values 0 to 15, 255 where nothing is known.",
                    )
                if file.crs is None:
                    raise FileUnexpected(f"{path} states no reference system", remedy="gdal_edit.py -a_srs.")
                return cls(
                    path=path,
                    nodata=IGNORED if file.nodata is None else file.nodata,
                    crs_wkt=file.crs.to_wkt(),
                    bounds=tuple(file.bounds),
                )
        except RasterioError as error:
            raise FileUnexpected(f"{path} cannot be read: {error}", remedy="gdalinfo tells more.") from error

    def on(self, transform: Transform, *, shape: tuple[int, int], crs_wkt: str) -> U8:
        """See `Annotations`.

        Raises:
            LabelUnknown: A value is no class.
        """
        if not self._meets(_bounds(transform, shape), crs_wkt):  # folders hold hundreds of them
            return np.full(shape, IGNORED, dtype=np.uint8)
        with (
            rasterio.open(self.path) as file,
            WarpedVRT(
                file,
                crs=crs_wkt,
                transform=Affine(*transform),
                height=shape[0],
                width=shape[1],
                resampling=Resampling.nearest,
                src_nodata=self.nodata,
                nodata=IGNORED,
            ) as warped,
        ):
            labels_HW: U8 = warped.read(1)
        unknown = np.setdiff1d(np.unique(labels_HW), [*range(len(COSIA.classes)), IGNORED])
        if len(unknown):
            raise LabelUnknown(
                f"{self.path} holds {', '.join(str(value) for value in unknown)}, which are no classes",
                remedy=f"Classes are 0 to {len(COSIA.classes) - 1}, building to clear cut; 255 is no label.",
            )
        return labels_HW

    def _meets(self, bounds: tuple[float, float, float, float], crs_wkt: str) -> bool:
        to_here = pyproj.Transformer.from_crs(crs_wkt, self.crs_wkt, always_xy=True)
        left, bottom, right, top = to_here.transform_bounds(*bounds)
        if not np.isfinite([left, bottom, right, top]).all():
            return True  # it cannot be told
        is_apart = left > self.bounds[2] or right < self.bounds[0]
        return not (is_apart or bottom > self.bounds[3] or top < self.bounds[1])


def _bounds(transform: Transform, shape: tuple[int, int]) -> tuple[float, float, float, float]:
    a, _, c, _, e, f = transform
    return c, f + e * shape[0], c + a * shape[1], f


def _whole(number: object) -> int | None:
    """A number of a field of whatever type; None where it is none."""
    try:
        return int(str(number).strip().removesuffix(".0"))
    except ValueError:
        return None


def _plain(name: str) -> str:
    """Lower case without accents: editions differ in both."""
    split = unicodedata.normalize("NFKD", name.strip().lower())
    return "".join(letter for letter in split if not unicodedata.combining(letter))


_CLASS_BY_NAME = {_plain(land_cover.cosia_name_fr): land_cover for land_cover in COSIA.classes}

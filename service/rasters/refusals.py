"""What an image must be to be segmented, told from its facts; pure."""

from service.rasters.errors import (
    CollarWithoutNodata,
    MissingCrs,
    NotGeoreferenced,
    PalettedRaster,
    SuspectAlpha,
    UnsupportedDtype,
)
from service.rasters.facts import RasterFacts
from service.rasters.placing import NodataOption

_NEARBLACK = "; a rim blurred by compression is masked best by nearblack -setmask -o out.tif in.tif"
_TOP = {"uint16": 65535, "int16": 32767}


def require_usable(facts: RasterFacts, *, nodata: NodataOption = "file", bands_option: str = "auto") -> None:
    """Refuse an image that cannot be segmented rightly, with the remedy.

    Args:
        facts: The image (not a height companion, which may be floating point).
        nodata: The caller's word on nodata; anything but "file" settles a blank rim.
        bands_option: The caller's word on bands; anything but "auto" settles a suspect alpha.

    Raises:
        RasterError: A subclass named after what is wrong.
    """
    _require_bytes(facts)
    _require_place(facts)
    suspect = [band.index for band in facts.bands if band.colour == "alpha" and band.alpha_is_binary is False]
    if facts.collar_value is not None and nodata == "file":
        alpha = f"alpha (band {suspect[0]} is more than 0 and 255)" if suspect else "alpha"
        raise CollarWithoutNodata(
            f"{facts.path} states no nodata, mask or {alpha}, yet {facts.collar}",
            remedy=f"--nodata {facts.collar_value} if that is no data, --nodata none if it is image"
            + (_NEARBLACK if facts.is_lossy else ""),
        )
    if suspect and bands_option.strip().lower() == "auto":
        raise SuspectAlpha(
            f"{facts.path}: band {suspect[0]} is tagged alpha but holds more than 0 and 255",
            remedy="say what the bands are: --bands RGBI, --bands I,R,G,B, or --bands R,G,B to leave it out",
        )


def _require_bytes(facts: RasterFacts) -> None:
    if any(band.colour == "palette" for band in facts.bands):
        raise PalettedRaster(
            f"{facts.path} is paletted: its pixels are indices, not colours",
            remedy="gdal_translate -expand rgb in.tif out.tif",
        )
    dtype = next((band.dtype for band in facts.bands if band.dtype != "uint8"), None)
    if dtype is not None:
        top = _TOP.get(dtype, 1 if dtype.startswith("float") else 255)
        raise UnsupportedDtype(
            f"{facts.path} is {dtype}; images are read as uint8",
            remedy=f"gdal_translate -ot Byte -scale 0 {top} 0 255 in.tif out.tif, with the range that the"
            f" image really uses in place of 0 {top} (gdalinfo -mm tells it)",
        )


def _require_place(facts: RasterFacts) -> None:
    if facts.transform is None:
        points = "ground control points" if facts.has_gcps else "RPCs" if facts.has_rpcs else None
        but = f"{points} but " if points else ""
        raise NotGeoreferenced(
            f"{facts.path} has {but}no transform: nothing says where its pixels lie",
            remedy="gdalwarp in.tif out.tif resolves them"
            if points
            else "gdal_translate -a_ullr LEFT TOP RIGHT BOTTOM -a_srs EPSG:number in.tif out.tif",
        )
    if facts.crs_wkt is None:
        raise MissingCrs(
            f"{facts.path} has no coordinate reference system",
            remedy="state it: --source-crs EPSG:2154 (or whichever it is)",
        )

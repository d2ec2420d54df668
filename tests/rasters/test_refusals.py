import numpy as np
import pytest

from service.rasters.errors import (
    CollarWithoutNodata,
    MissingCrs,
    NotGeoreferenced,
    PalettedRaster,
    SuspectAlpha,
    UnsupportedDtype,
)
from service.rasters.refusals import require_usable

CASES = {
    "sixteen bits": (UnsupportedDtype, "gdal_translate -ot Byte -scale 0 65535", {"dtype": "uint16"}),
    "floats": (UnsupportedDtype, "-scale", {"dtype": "float32"}),
    "palette": (
        PalettedRaster,
        "-expand rgb",
        {"shape": (1, 20, 20), "palette": {i: (i, 0, 0, 255) for i in range(256)}},
    ),
    "no crs": (MissingCrs, "--source-crs", {"crs": None}),
    "no transform": (NotGeoreferenced, "-a_ullr", {"origin": None}),
    "black rim": (CollarWithoutNodata, "--nodata 0", {"pixels": np.zeros((3, 50, 50), np.uint8)}),
    "white rim": (CollarWithoutNodata, "--nodata 255", {"pixels": np.full((3, 50, 50), 255, np.uint8)}),
    "near infrared tagged alpha": (
        SuspectAlpha,
        "--bands I,R,G,B",
        {"shape": (4, 50, 50), "colours": ["red", "green", "blue", "alpha"]},
    ),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_what_cannot_be_segmented_rightly_is_refused_with_the_remedy(make_raster, facts_of, case):
    error, remedy, options = CASES[case]
    with pytest.raises(error) as caught:
        require_usable(facts_of(make_raster(**options)))
    assert remedy in caught.value.remedy
    assert "ortho.tif" in caught.value.message


def test_a_sound_image_passes(make_raster, facts_of):
    require_usable(facts_of(make_raster()))


@pytest.mark.parametrize("nodata", [0, None])
def test_the_callers_word_settles_a_blank_rim(make_raster, facts_of, nodata):
    require_usable(facts_of(make_raster(pixels=np.zeros((3, 50, 50), np.uint8))), nodata=nodata)


def test_the_callers_word_settles_a_suspect_alpha(make_raster, facts_of):
    path = make_raster(shape=(4, 50, 50), colours=["red", "green", "blue", "alpha"])
    require_usable(facts_of(path), bands_option="RGBI")


def test_ground_control_points_are_named(make_raster, facts_of):
    import rasterio  # noqa: PLC0415
    from rasterio.control import GroundControlPoint  # noqa: PLC0415

    path = make_raster(origin=None, crs=None)
    corners = [(0, 0, 3.0, 46.5), (0, 120, 3.1, 46.5), (100, 0, 3.0, 46.4), (100, 120, 3.1, 46.4)]
    points = [GroundControlPoint(row=r, col=c, x=x, y=y) for r, c, x, y in corners]
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path, "r+") as raster:
        raster.gcps = (points, rasterio.crs.CRS.from_epsg(4326))
    facts = facts_of(path)
    assert facts.has_gcps
    with pytest.raises(NotGeoreferenced, match="ground control points") as caught:
        require_usable(facts)
    assert "gdalwarp" in caught.value.remedy

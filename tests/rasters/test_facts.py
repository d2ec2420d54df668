import math

import numpy as np
import pytest
from rasterio.transform import Affine

from service.rasters.errors import CrsConflict, UnknownCrs
from service.rasters.facts import fits


def test_a_plain_ortho(facts_of, make_raster):
    facts = facts_of(
        make_raster(shape=(3, 100, 120), tiled=True, blockxsize=64, blockysize=32, compress="deflate")
    )
    assert (facts.width, facts.height, facts.epsg, facts.driver) == (120, 100, 2154, "GTiff")
    assert facts.transform == (0.2, 0.0, 700_000.0, 0.0, -0.2, 6_600_000.0)
    assert [band.colour for band in facts.bands] == ["red", "green", "blue"]
    assert (facts.internal_tile, facts.is_tiled, facts.compression) == ((32, 64), True, "deflate")
    assert (facts.mask_kind, facts.collar, facts.is_rotated, facts.is_south_up) == (
        "none",
        "none",
        False,
        False,
    )
    left, bottom, right, top = facts.bounds_wgs84
    assert 2.99 < left < right < 3.01
    assert 46.49 < bottom < top < 46.51


def test_a_striped_raster_is_not_tiled(facts_of, make_raster):
    assert not facts_of(make_raster(tiled=False)).is_tiled


def test_ground_size_of_web_mercator_is_the_grounds(facts_of, make_raster):
    origin = (261_600.0, 6_250_000.0)  # Paris
    facts = facts_of(make_raster(crs="EPSG:3857", gsd=0.3, origin=origin))
    latitude = (facts.bounds_wgs84[1] + facts.bounds_wgs84[3]) / 2
    assert facts.gsd_m == pytest.approx((0.3 * math.cos(math.radians(latitude)),) * 2, rel=4e-3)
    assert facts.gsd_m[0] < 0.2


def test_ground_size_of_degrees(facts_of, make_raster):
    facts = facts_of(make_raster(crs="EPSG:4326", gsd=1e-5, origin=(3.0, 60.0)))
    assert facts.crs_is_geographic
    assert facts.gsd_m == pytest.approx((0.5580, 1.1141), abs=2e-4)


def test_ground_size_of_a_rotated_raster_and_the_flag(facts_of, make_raster):
    facts = facts_of(make_raster(rotation_deg=30, gsd=0.2))
    assert facts.is_rotated
    assert facts.gsd_m == pytest.approx((0.2, 0.2), rel=1e-3)


def test_south_up_is_described_as_north_up(facts_of, make_raster):
    facts = facts_of(make_raster(south_up=True))
    assert facts.is_south_up
    assert not facts.is_rotated
    assert facts.transform == pytest.approx((0.2, 0.0, 700_000.0, 0.0, -0.2, 6_600_000.0))


def test_mirrored_counts_as_rotated(facts_of, make_raster):
    facts = facts_of(make_raster(transform=Affine(-0.2, 0, 700_024.0, 0, -0.2, 6_600_000.0)))
    assert facts.is_rotated


def test_lambert_93_of_another_realisation_is_2154(facts_of, make_raster):
    assert facts_of(make_raster(crs="EPSG:9794")).epsg == 2154


def test_no_crs_and_the_callers(facts_of, make_raster):
    path = make_raster(crs=None)
    bare = facts_of(path)
    assert (bare.crs_wkt, bare.gsd_m, bare.bounds_wgs84) == (None, None, None)
    assert facts_of(path, source_crs="EPSG:9794").epsg == 2154


def test_the_callers_crs_must_not_contradict_the_files(facts_of, make_raster):
    path = make_raster()
    assert facts_of(path, source_crs="EPSG:9794").epsg == 2154
    with pytest.raises(CrsConflict, match=r"EPSG:2154.*EPSG:32631"):
        facts_of(path, source_crs="EPSG:32631")


LAMBERT_93_WITHOUT_CODE = (
    'PROJCS["unnamed",GEOGCS["unknown",DATUM["unnamed",SPHEROID["WGS 84",6378137,298.257223563]],'
    'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic_2SP"],'
    'PARAMETER["latitude_of_origin",46.5],PARAMETER["central_meridian",3],PARAMETER["standard_parallel_1",49],'
    'PARAMETER["standard_parallel_2",44],PARAMETER["false_easting",700000],'
    'PARAMETER["false_northing",6600000],UNIT["metre",1]]'
)


def test_the_callers_crs_may_name_what_the_file_only_describes(facts_of, make_raster):
    path = make_raster(crs=LAMBERT_93_WITHOUT_CODE)
    assert facts_of(path).epsg is None
    assert facts_of(path, source_crs="EPSG:2154").epsg == 2154


def test_a_local_crs_is_none(facts_of, make_raster):
    path = make_raster(crs='LOCAL_CS["site",UNIT["metre",1]]')
    assert facts_of(path).crs_wkt is None
    assert facts_of(path, source_crs="EPSG:2154").epsg == 2154


def test_a_crs_that_is_none(facts_of, make_raster):
    with pytest.raises(UnknownCrs):
        facts_of(make_raster(crs=None), source_crs="EPSG:0815-nonsense")


def test_coordinates_outside_their_crs(facts_of, make_raster):
    with pytest.raises(UnknownCrs):
        facts_of(make_raster(crs="EPSG:4326", gsd=0.2, origin=(700_000, 6_600_000)))


def test_no_transform(facts_of, make_raster):
    facts = facts_of(make_raster(origin=None))
    assert facts.transform is None
    assert facts.gsd_m is None


@pytest.mark.parametrize(("kind", "count"), [("alpha", 4), ("internal", 3)])
def test_masks_are_recognised(facts_of, make_raster, kind, count):
    mask = np.ones((100, 120), dtype=bool)
    mask[:20] = False
    facts = facts_of(make_raster(mask_HW=mask, mask_kind=kind))
    assert facts.mask_kind == kind
    assert len(facts.bands) == count
    if kind == "alpha":
        assert facts.bands[3].alpha_is_binary is True


def test_a_fourth_image_band_tagged_alpha_is_not_binary(facts_of, make_raster):
    facts = facts_of(make_raster(shape=(4, 50, 50), colours=["red", "green", "blue", "alpha"]))
    assert facts.bands[3].alpha_is_binary is False


@pytest.mark.parametrize(("nodata", "kind"), [(0, "nodata"), (255, "nodata"), (None, "none")])
def test_nodata(facts_of, make_raster, nodata, kind):
    facts = facts_of(make_raster(nodata=nodata))
    assert facts.mask_kind == kind
    assert facts.bands[0].nodata == nodata


@pytest.mark.parametrize(
    ("nodata", "dtype", "expected"),
    [
        (0, "uint8", True),
        (-9999, "uint8", False),
        (math.nan, "uint8", False),
        (0.5, "uint8", False),
        (math.nan, "float32", True),
        (None, "uint8", False),
    ],
)
def test_nodata_counts_only_if_pixels_can_hold_it(nodata, dtype, expected):
    assert fits(nodata, dtype) is expected


def test_pixel_is_point_keeps_the_place(facts_of, make_raster):
    area = facts_of(make_raster("area.tif"))
    point = facts_of(make_raster("point.tif", tags={"AREA_OR_POINT": "Point"}))
    assert point.pixel_is_point
    assert not area.pixel_is_point
    assert point.transform == pytest.approx(area.transform)


def test_sixteen_bits_and_palettes_are_told(facts_of, make_raster):
    assert facts_of(make_raster("a.tif", dtype="uint16")).bands[0].dtype == "uint16"
    paletted = make_raster("b.tif", shape=(1, 20, 20), palette={i: (i, 0, 0, 255) for i in range(256)})
    assert facts_of(paletted).bands[0].colour == "palette"


def test_jpeg_2000(facts_of, make_raster):
    facts = facts_of(make_raster("sheet.jp2", shape=(3, 300, 280), driver="JP2OpenJPEG"))
    assert (facts.driver, facts.width, facts.height, facts.epsg) == ("JP2OpenJPEG", 280, 300, 2154)
    assert (facts.compression, facts.is_lossy) == ("jp2", True)
    assert facts.transform == pytest.approx((0.2, 0.0, 700_000.0, 0.0, -0.2, 6_600_000.0))


def test_one_pixel(facts_of, make_raster):
    facts = facts_of(make_raster(shape=(3, 1, 1)))
    assert (facts.width, facts.height, facts.collar) == (1, 1, "none")


def test_a_bare_codestream_has_no_place(facts_of, make_raster):
    facts = facts_of(make_raster("bare.j2k", driver="JP2OpenJPEG"))
    assert (facts.driver, facts.transform, facts.crs_wkt) == ("JP2OpenJPEG", None, None)

"""Real rasters that nobody prepared: what the facts say, and that pixels come back as GDAL reads them."""

import numpy as np
import pytest
import rasterio

from service.rasters.bands import resolve_bands
from service.rasters.errors import AmbiguousBands, BandMismatch, CollarWithoutNodata, SuspectAlpha
from service.rasters.placing import companion_irc, own_grid, place
from service.rasters.reader import SceneReader
from service.rasters.refusals import require_usable

RGB = ("red", "green", "blue")

USABLE = {
    "ortho_e2e/test_tiled.tif": (28992, 0.25),
    "ortho_e2e/OSBS_029.tif": (32617, 0.1),
    "ortho_e2e/2018_SJER_3_252000_4107000_image_477.tif": (32611, 0.1),
    "ortho_e2e/5dded5bc0140b80006d2e565_23.tif": (3395, 0.0962),
    "ortho_e2e/m_3607717_sw_18_1_20160620_subset.tif": (26918, 1.0),
    "ortho_e2e/m_3607824_se_17_1_20160620_subset.tif": (26917, 1.0),
    "ign_ortho_lidar/test_data_rgb.tif": (None, 0.2),
    "ign_ortho_lidar/test_data_irc.tif": (None, 0.2),
}


@pytest.mark.parametrize("name", sorted(USABLE))
def test_usable_rasters(real_data, facts_of, name):
    facts = facts_of(real_data(name))
    epsg, gsd_m = USABLE[name]
    assert facts.epsg == epsg
    assert facts.gsd_m == pytest.approx((gsd_m, gsd_m), rel=5e-3)
    require_usable(facts)
    roles = ("nir", "red", "green") if "irc" in name else RGB
    source = place(facts, resolve_bands(facts, roles), grid=own_grid(facts))
    with SceneReader([source], roles=roles) as reader:
        image, valid = reader.read(source.extent)
    with rasterio.open(facts.path) as raster:
        assert np.array_equal(valid, raster.dataset_mask() != 0)
        assert np.array_equal(image, np.where(valid, raster.read([1, 2, 3]), 0))


def test_false_colours_are_no_red_green_blue(real_data, facts_of):
    with pytest.raises(BandMismatch, match="missing bands: blue"):
        resolve_bands(facts_of(real_data("ign_ortho_lidar/test_data_irc.tif")), RGB)


def test_web_metres_are_not_the_grounds(real_data, facts_of):
    facts = facts_of(real_data("ortho_e2e/5b90f92da0d7280005fab355_4310.tif"))
    assert facts.transform[0] == pytest.approx(0.1, rel=1e-3)
    assert facts.gsd_m[0] == pytest.approx(0.0969, abs=1e-4)


def test_a_black_collar_without_nodata_is_refused(real_data, facts_of):
    facts = facts_of(real_data("ortho_e2e/5b90f92da0d7280005fab355_4310.tif"))
    with pytest.raises(CollarWithoutNodata):
        require_usable(facts)
    require_usable(facts, nodata=0)


def test_one_band_of_naip_misses_the_others(real_data, facts_of):
    facts = facts_of(real_data("ortho_e2e/NAIP-VA-b1.tiff"))
    with pytest.raises(BandMismatch, match="red, green, blue"):
        resolve_bands(facts, RGB)


def test_naips_fourth_band_has_no_name(real_data, facts_of):
    facts = facts_of(real_data("ortho_e2e/m_3607717_sw_18_1_20160620_subset.tif"))
    assert facts.acquisition_date == "2016-06-20"
    with pytest.raises(BandMismatch, match="missing bands: nir"):
        resolve_bands(facts, (*RGB, "nir"))
    assert resolve_bands(facts, (*RGB, "nir"), "RGBI")["nir"] == 4


def test_treesat_is_near_infrared_first_and_calls_blue_alpha(real_data, facts_of):
    folder = real_data("treesatai_ts_sample/aerial")
    for path in sorted(folder.glob("*.tif")):
        facts = facts_of(path)
        assert facts.bands[3].alpha_is_binary is False
        with pytest.raises(SuspectAlpha) as caught:
            require_usable(facts)
        assert "--bands I,R,G,B" in caught.value.remedy
        require_usable(facts, bands_option="I,R,G,B")
        bands = resolve_bands(facts, (*RGB, "nir"), "I,R,G,B")
        source = place(facts, bands, grid=own_grid(facts))
        with SceneReader([source], roles=(*RGB, "nir")) as reader:
            image, valid = reader.read(source.extent)
        assert valid.all()
        with rasterio.open(path) as raster:
            assert np.array_equal(image, raster.read([2, 3, 4, 1]))


def test_ign_twins_lie_on_the_same_pixels(real_data, facts_of):
    rvb = facts_of(real_data("ign_ortho_lidar/test_data_rgb.tif"))
    irc = facts_of(real_data("ign_ortho_lidar/test_data_irc.tif"))
    grid = own_grid(rvb)
    source = place(rvb, resolve_bands(rvb, RGB), grid=grid, companions=(companion_irc(rvb, irc, grid=grid),))
    with SceneReader([source], roles=(*RGB, "nir")) as reader:
        image, valid = reader.read(source.extent)
    with rasterio.open(irc.path) as raster:
        assert np.array_equal(image[3][valid], raster.read(1)[valid])


def test_four_bands_in_four_files_are_one_raster_of_four_layers(real_data, facts_of):
    facts = [facts_of(real_data(f"ortho_e2e/NAIP-VA-b{i}.tiff")) for i in (1, 2, 3, 4)]
    grid = own_grid(facts[0])
    layers = [place(f, {role: 1}, grid=grid) for f, role in zip(facts, (*RGB, "nir"), strict=True)]
    source = layers[0].model_copy(update={"companions": tuple(layers[1:])})
    with SceneReader([source], roles=(*RGB, "nir")) as reader:
        image, valid = reader.read(source.extent)
    for i, fact in enumerate(facts):
        with rasterio.open(fact.path) as raster:
            assert np.array_equal(image[i][valid], raster.read(1)[valid])


def test_a_class_raster_in_degrees_is_no_ortho(real_data, facts_of):
    facts = facts_of(real_data("ortho_e2e/m_3607_box.tif"))
    assert facts.crs_is_geographic
    with pytest.raises((AmbiguousBands, BandMismatch)):
        resolve_bands(facts, RGB)

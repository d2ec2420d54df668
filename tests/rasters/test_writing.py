import os

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from service.rasters.windows import Window
from service.rasters.writing import (
    MosaicWriter,
    RasterInfo,
    bound_gdal_cache,
    overview_levels,
    write_block,
    write_cog,
)

PALETTE = {0: (206, 112, 121, 255), 1: (166, 170, 183, 255), 15: (1, 2, 3, 255)}
INFO = RasterInfo(
    crs_wkt=CRS.from_epsg(2154).to_wkt(),
    transform=(0.2, 0.0, 700_000.0, 0.0, -0.2, 6_600_000.0),
    palette=PALETTE,
    tags={"ORTHOSCAPE_MODEL": "m@1", "ORTHOSCAPE_INPUT": "abc"},
)


def classes(height, width):
    return np.random.default_rng(0).integers(0, 16, (height, width)).astype(np.uint8)


def test_a_block_reads_back(tmp_path):
    values, confidence = classes(1100, 700), classes(1100, 700) * np.uint8(6)
    values[:50] = 255
    write_block(tmp_path / "b.tif", values, confidence, info=INFO, token="lease-1")  # noqa: S106 - a lease
    with rasterio.open(tmp_path / "b.tif") as block:
        assert np.array_equal(block.read(), np.stack([values, confidence]))
        assert (block.nodata, block.crs, tuple(block.transform)[:6]) == (
            255,
            CRS.from_epsg(2154),
            INFO.transform,
        )
        assert block.descriptions == ("class", "confidence")
        assert block.overviews(1) == block.overviews(2) == []  # they lie beside it, if any do
        assert block.tags()["ORTHOSCAPE_MODEL"] == "m@1"
        assert block.block_shapes[0] == (512, 512)
    assert [path.name for path in tmp_path.iterdir()] == ["b.tif"]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="shape"):
        write_block(tmp_path / "b.tif", classes(10, 10), classes(9, 10), info=INFO)
    assert not list(tmp_path.iterdir())


def test_a_block_replaces_an_earlier_one(tmp_path):
    for value in (1, 2):
        plane = np.full((20, 20), value, np.uint8)
        write_block(tmp_path / "b.tif", plane, plane, info=INFO)
    with rasterio.open(tmp_path / "b.tif") as block:
        assert (block.read() == 2).all()


def test_what_is_not_written_is_nodata_never_class_0(tmp_path):
    with MosaicWriter(tmp_path / "m.tif", width=1500, height=1300, info=INFO) as mosaic:
        mosaic.write(Window(600, 500, 200, 100), np.zeros((100, 200), np.uint8))
    write_cog(tmp_path / "m.tif", tmp_path / "map.tif", info=INFO)
    with rasterio.open(tmp_path / "map.tif") as raster:
        values = raster.read(1)
    assert (values[500:600, 600:800] == 0).all()
    values[500:600, 600:800] = 255
    assert (values == 255).all()


def test_a_cog_reads_back_with_everything(tmp_path):
    values = classes(1300, 1500)
    values[:, :40] = 255
    with MosaicWriter(tmp_path / "m.tif", width=1500, height=1300, info=INFO) as mosaic:
        for row in range(0, 1300, 500):
            for col in range(0, 1500, 700):
                part = values[row : row + 500, col : col + 700]
                mosaic.write(Window(col, row, part.shape[1], part.shape[0]), part)
    later = RasterInfo(
        crs_wkt=INFO.crs_wkt,
        transform=INFO.transform,
        palette=PALETTE,
        tags={**INFO.tags, "ORTHOSCAPE_SEAM_RATE": "1.02"},
    )
    write_cog(tmp_path / "m.tif", tmp_path / "map.tif", info=later)
    with rasterio.open(tmp_path / "map.tif") as raster:
        assert np.array_equal(raster.read(1), values)
        assert (raster.nodata, raster.crs, raster.dtypes) == (255, CRS.from_epsg(2154), ("uint8",))
        assert tuple(raster.transform)[:6] == INFO.transform
        assert raster.colorinterp == (ColorInterp.palette,)
        colours = raster.colormap(1)
        assert {value: colours[value] for value in PALETTE} == PALETTE
        assert colours[255][3] == 0
        assert raster.descriptions == ("class",)
        assert raster.tags()["ORTHOSCAPE_SEAM_RATE"] == "1.02"
        assert raster.tags()["ORTHOSCAPE_MODEL"] == "m@1"
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
        assert raster.tags(ns="IMAGE_STRUCTURE").get("OVERVIEW_RESAMPLING", "MODE") == "MODE"
        assert raster.block_shapes == [(512, 512)]
        assert raster.overviews(1) == [2, 4]
        level = raster.read(1, out_shape=(650, 750))
    assert set(np.unique(level)) <= {*range(16), 255}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.tif", "map.tif"]


def test_values_without_palette(tmp_path):
    info = RasterInfo(crs_wkt=INFO.crs_wkt, transform=INFO.transform)
    with MosaicWriter(tmp_path / "m.tif", width=60, height=50, info=info, description="confidence") as mosaic:
        mosaic.write(Window(0, 0, 60, 50), np.full((50, 60), 87, np.uint8))
    write_cog(tmp_path / "m.tif", tmp_path / "c.tif", info=info, overviews="AVERAGE", threads=1)
    with rasterio.open(tmp_path / "c.tif") as raster:
        assert raster.descriptions == ("confidence",)
        assert (raster.read(1) == 87).all()


def test_a_one_pixel_map(tmp_path):
    with MosaicWriter(tmp_path / "m.tif", width=1, height=1, info=INFO) as mosaic:
        mosaic.write(Window(0, 0, 1, 1), np.zeros((1, 1), np.uint8))
    write_cog(tmp_path / "m.tif", tmp_path / "map.tif", info=INFO)
    with rasterio.open(tmp_path / "map.tif") as raster:
        assert raster.read(1).tolist() == [[0]]


def test_the_cache_is_bounded_at_the_door(monkeypatch):
    monkeypatch.setenv("GDAL_CACHEMAX", "")
    bound_gdal_cache(300 * 2**20)
    assert os.environ["GDAL_CACHEMAX"] == "300MB"


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(1, 1, []), (512, 512, []), (513, 1, [2]), (2048, 100, [2, 4]), (2049, 100, [2, 4, 8])],
)
def test_overview_levels(width, height, expected):
    assert overview_levels(width, height) == expected

"""Overviews of classes are votes of four pixels, and the COG carries them."""

import math
from collections import Counter

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS

from service.rasters.overviews import halve, halve_mean, overviews_beside
from service.rasters.windows import Window
from service.rasters.writing import MosaicWriter, RasterInfo, write_cog

INFO = RasterInfo(
    crs_wkt=CRS.from_epsg(2154).to_wkt(), transform=(0.2, 0.0, 700_000.0, 0.0, -0.2, 6_600_000.0)
)


def vote(values):
    """Counter keeps the order of insertion, so the first of equals wins."""
    counts = Counter(int(value) for value in values if value != 255)
    return counts.most_common(1)[0][0] if counts else 255


@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 1), (1, 4), (3, 2)])
@pytest.mark.parametrize("palette", [(0, 1), (0, 1, 255), (0, 1, 2, 3), tuple(range(16)), (254, 255)])
def test_the_most_frequent_of_four_wins_and_nodata_has_no_voice(shape, palette):
    for seed in range(20):
        values = np.random.default_rng(seed).choice(palette, shape).astype(np.uint8)
        padded = np.pad(values, [(0, side % 2) for side in shape], constant_values=255)
        wanted = [
            [vote(padded[row : row + 2, col : col + 2].ravel()) for col in range(0, padded.shape[1], 2)]
            for row in range(0, padded.shape[0], 2)
        ]
        assert halve(values).tolist() == wanted


@pytest.mark.parametrize(("height", "width"), [(2100, 1300), (1027, 2051)])
def test_the_cog_carries_every_level(tmp_path, height, width):
    values = np.random.default_rng(3).integers(0, 4, (height, width)).astype(np.uint8)
    values[:700, :90] = 255
    with MosaicWriter(tmp_path / "m.tif", width=width, height=height, info=INFO) as mosaic:
        mosaic.write(Window(0, 0, width, height), values)
    write_cog(tmp_path / "m.tif", tmp_path / "map.tif", info=INFO)
    with rasterio.open(tmp_path / "map.tif") as raster:
        factors = raster.overviews(1)
    assert len(factors) >= 2
    wanted = values
    for level in range(len(factors)):
        wanted = halve(wanted)
        with rasterio.open(tmp_path / "map.tif", overview_level=level) as raster:
            assert np.array_equal(raster.read(1), wanted)
            assert raster.nodata == 255
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.tif", "map.tif"]


@pytest.mark.parametrize("shape", [(6, 8), (5, 7), (1, 1), (1, 4), (3, 2)])
@pytest.mark.parametrize("palette", [(0, 1), (0, 3, 255), tuple(range(101)), (254, 255)])
def test_the_mean_of_four_rounds_up_and_nodata_has_no_voice(shape, palette):
    for seed in range(20):
        values = np.random.default_rng(seed).choice(palette, shape).astype(np.uint8)
        padded = np.pad(values, [(0, side % 2) for side in shape], constant_values=255)
        wanted = [
            [mean(padded[row : row + 2, col : col + 2].ravel()) for col in range(0, padded.shape[1], 2)]
            for row in range(0, padded.shape[0], 2)
        ]
        assert halve_mean(values).tolist() == wanted


def mean(values):
    known = [int(value) for value in values if value != 255]
    return math.floor(sum(known) / len(known) + 0.5) if known else 255


def test_overviews_go_also_after_an_error(tmp_path):
    with MosaicWriter(tmp_path / "m.tif", width=600, height=600, info=INFO):
        pass
    beside = []

    def fail_amid():
        with overviews_beside(tmp_path / "m.tif", num_levels=2, halver=halve):
            beside.extend(sorted(path.name for path in tmp_path.iterdir()))
            raise KeyError

    with pytest.raises(KeyError):
        fail_amid()
    assert beside == ["m.tif", "m.tif.ovr", "m.tif.ovr.ovr"]
    assert [path.name for path in tmp_path.iterdir()] == ["m.tif"]

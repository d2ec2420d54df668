import os

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from service.rasters.copying import copy_windows
from service.rasters.errors import UnreadableRaster
from service.rasters.hashing import sha256_of
from service.rasters.placing import own_grid, place
from service.rasters.reader import SceneReader
from service.rasters.staging import StagingCache, needs_staging, stage
from service.rasters.windows import Window

RGB = ("red", "green", "blue")
BANDS = {"red": 1, "green": 2, "blue": 3}


@pytest.fixture
def cache(tmp_path):
    return StagingCache(folder=tmp_path / "cache", max_bytes=2**30)


@pytest.fixture
def source_of(facts_of):
    def source(path, bands=None, **options):
        facts = facts_of(path)
        return place(facts, bands or BANDS, grid=own_grid(facts), **options)

    return source


def read(source, roles=RGB, window=None):
    with SceneReader([source], roles=roles) as reader:
        return reader.read(window or source.extent)


CASES = {
    "striped": {},
    "jp2": {"driver": "JP2OpenJPEG"},
    "jp2 tiled": {"driver": "JP2OpenJPEG", "BLOCKXSIZE": 256, "BLOCKYSIZE": 128},
    "south-up": {"south_up": True},
    "alpha": {"mask": True, "mask_kind": "alpha"},
    "internal": {"mask": True, "mask_kind": "internal"},
    "nodata": {"mask": True, "mask_kind": "nodata", "nodata": 0},
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_a_copy_reads_as_its_source(make_raster, source_of, cache, case):
    options = dict(CASES[case])
    shape = (3, 700, 650)
    if options.pop("mask", False):
        options["mask_HW"] = np.random.default_rng(4).random(shape[1:]) > 0.2
    source = source_of(make_raster("a.jp2" if "jp2" in case else "a.tif", shape=shape, **options))
    shares = []
    copy = stage(source, cache, progress=shares.append)
    assert shares[-1] == 1.0
    assert (copy.col_off, copy.row_off, copy.extent) == (source.col_off, source.row_off, source.extent)
    for expected, found in zip(read(source), read(copy), strict=True):
        assert np.array_equal(expected, found)
    with pytest.warns(NotGeoreferencedWarning):
        raster = rasterio.open(copy.path)
    assert raster.profile["tiled"]
    assert raster.block_shapes[0] == (512, 512)
    raster.close()


def test_heights_are_staged_as_levels(make_raster, facts_of, cache):
    from service.rasters.placing import companion_height  # noqa: PLC0415

    rvb = facts_of(make_raster())
    metres = np.random.default_rng(1).random((1, 100, 120)).astype(np.float32) * 60
    grid = own_grid(rvb)
    layer = companion_height(facts_of(make_raster("h.tif", pixels=metres)), grid=grid)
    before = read(place(rvb, BANDS, grid=grid, companions=(layer,)), ("height",))
    after = read(place(rvb, BANDS, grid=grid, companions=(stage(layer, cache),)), ("height",))
    assert np.array_equal(before[0], after[0])


def test_a_copy_is_made_once_per_content_and_bands(make_raster, source_of, cache):
    path = make_raster()
    first = stage(source_of(path), cache)
    shares = []
    assert stage(source_of(path), cache, progress=shares.append).path == first.path
    assert not shares
    assert stage(source_of(path, {"red": 3, "green": 2, "blue": 1}), cache).path != first.path
    assert stage(source_of(path, nodata=5), cache).path != first.path
    assert stage(source_of(make_raster(seed=7)), cache).path != first.path


def test_the_longest_unused_copies_make_room(make_raster, source_of, cache):
    copies = [stage(source_of(make_raster(f"{i}.tif", seed=i)), cache) for i in range(3)]
    for age, copy in enumerate(copies):
        os.utime(copy.path, (1_000 + age, 1_000 + age))
    small = StagingCache(folder=cache.folder, max_bytes=int(2.5 * os.path.getsize(copies[0].path)))  # noqa: PTH202
    stage(source_of(make_raster("3.tif", seed=3)), small, in_use=[copies[0].path])
    assert [os.path.exists(copy.path) for copy in copies] == [True, False, False]  # noqa: PTH110


def test_a_copy_of_a_damaged_file_leaves_nothing(make_raster, source_of, cache):
    path = make_raster(shape=(3, 600, 600), compress="deflate")
    source = source_of(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(bytes(data))
    with pytest.raises(UnreadableRaster):
        stage(source, cache)
    assert not list(cache.folder.iterdir())


@pytest.mark.parametrize("block", [(1, 1000), (256, 256), (1024, 1024), (7, 33), (1000, 1000)])
def test_copy_windows_cover_each_pixel_once(block):
    visits = np.zeros((700, 1000), dtype=np.uint8)
    for window in copy_windows(1000, 700, block):
        visits[window.row_off : window.row_end, window.col_off : window.col_end] += 1
    assert (visits == 1).all()


@pytest.mark.parametrize("block", [(1, 100_000), (512, 512), (1024, 1024)])
def test_copy_windows_are_bounded(block):
    largest = max(w.width * w.height for w in copy_windows(100_000, 30_000, block))
    assert largest <= 9 * 2**20


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"shape": (3, 5000, 5000), "sparse_ok": True}, True),
        ({"shape": (3, 5000, 5000), "tiled": True, "compress": "lzw"}, False),
    ],
)
def test_large_striped_rasters_need_staging(make_raster, facts_of, options, expected):
    shape = options.pop("shape", (3, 100, 100))
    path = make_raster(pixels=np.full(shape, 9, np.uint8), **options)
    assert needs_staging(facts_of(path)) is expected


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_window_reads_of_a_copy_decode_little(make_raster, source_of, cache):
    source = stage(source_of(make_raster(shape=(3, 1200, 1200))), cache)
    with SceneReader([source], roles=RGB) as reader:
        reader.read(Window(0, 0, 512, 512))
        assert reader.decoded_pixels == 512 * 512

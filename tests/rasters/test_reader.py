import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.rasters.errors import UnreadableRaster
from service.rasters.placing import own_grid, place
from service.rasters.reader import SceneReader
from service.rasters.sources import Grid
from service.rasters.windows import Window

RGB = ("red", "green", "blue")
BANDS = {"red": 1, "green": 2, "blue": 3}
WHOLE = Window(0, 0, 120, 100)


def noise(count=3, height=100, width=120, seed=0):
    return np.random.default_rng(seed).integers(1, 255, size=(count, height, width)).astype(np.uint8)


def cut(image_CHW, window):
    """The window out of an array, 0 and invalid outside."""
    out = np.zeros((len(image_CHW), window.height, window.width), dtype=np.uint8)
    valid = np.zeros((window.height, window.width), dtype=bool)
    part = window.intersection(Window(0, 0, image_CHW.shape[2], image_CHW.shape[1]))
    if part:
        rows, cols = part.slices_in(window)
        out[:, rows, cols] = image_CHW[:, part.row_off : part.row_end, part.col_off : part.col_end]
        valid[rows, cols] = True
    return out, valid


@pytest.fixture(scope="session")
def source_of(facts_of):
    def source(path, bands=None, **options):
        facts = facts_of(path)
        return place(facts, bands or BANDS, grid=own_grid(facts), **options)

    return source


@pytest.fixture(scope="session")
def read_all(source_of):
    def read(path, bands=None, window=WHOLE, **options):
        bands = bands or BANDS
        with SceneReader([source_of(path, bands, **options)], roles=tuple(bands)) as reader:
            return reader.read(window)

    return read


@pytest.fixture(scope="module", params=["tiled", "striped", "south_up", "jp2", "big_endian"])
def open_reader(source_of, request, tmp_path_factory, write_raster):
    options = {
        "tiled": {"tiled": True, "blockxsize": 32, "blockysize": 16, "compress": "deflate"},
        "striped": {},
        "south_up": {"south_up": True},
        "jp2": {"driver": "JP2OpenJPEG"},
        "big_endian": {"endianness": "BIG", "interleave": "band"},
    }[request.param]
    path = write_raster(tmp_path_factory.mktemp("reader") / "a.jp2", pixels=noise(), **options)
    with SceneReader([source_of(path)], roles=RGB) as reader:
        yield reader


@settings(max_examples=25, deadline=None)
@given(
    col=st.integers(-40, 130),
    row=st.integers(-40, 110),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
)
def test_any_window_is_the_files_pixels_and_nothing_outside(open_reader, col, row, width, height):
    window = Window(col, row, width, height)
    image, valid = open_reader.read(window)
    expected, expected_valid = cut(noise(), window)
    assert np.array_equal(image, expected)
    assert np.array_equal(valid, expected_valid)


def test_bands_come_in_the_order_of_the_roles(source_of, make_raster):
    pixels = noise(4)
    path = make_raster(pixels=pixels)
    bands = {"red": 2, "green": 3, "blue": 4, "nir": 1}
    with SceneReader([source_of(path, bands)], roles=("nir", "blue", "red")) as reader:
        image, _ = reader.read(WHOLE)
    assert np.array_equal(image, pixels[[0, 3, 1]])


def test_a_source_without_a_role_is_an_error_at_once(source_of, make_raster):
    with pytest.raises(ValueError, match="nir"):
        SceneReader([source_of(make_raster())], roles=(*RGB, "nir"))


@pytest.mark.parametrize("nodata", [0, 255, 7])
def test_nodata_needs_all_bands_to_say_so(read_all, make_raster, nodata):
    pixels = np.clip(noise(), 20, 200)
    pixels[:, :10] = nodata
    pixels[0, 50] = nodata  # one band alone is data: near infrared over water is 0
    _, valid = read_all(make_raster(pixels=pixels, nodata=nodata))
    expected = np.ones((100, 120), dtype=bool)
    expected[:10] = False
    assert np.array_equal(valid, expected)


def test_bands_that_are_not_read_still_speak_for_data(read_all, make_raster):
    pixels = noise(4)
    pixels[:3, :10] = 0
    pixels[:, 20:30] = 0
    _, valid = read_all(make_raster(pixels=pixels, nodata=0))
    assert valid[:10].all()
    assert not valid[20:30].any()


@pytest.mark.parametrize("kind", ["alpha", "internal", "nodata"])
@pytest.mark.parametrize("south_up", [False, True])
def test_every_kind_of_mask_is_kept(read_all, make_raster, kind, south_up):
    mask = np.random.default_rng(5).random((100, 120)) > 0.3
    pixels = np.clip(noise(), 1, 254)
    nodata = 0 if kind == "nodata" else None
    path = make_raster(pixels=pixels, mask_HW=mask, mask_kind=kind, nodata=nodata, south_up=south_up)
    image, valid = read_all(path)
    assert np.array_equal(valid, mask)
    assert np.array_equal(image, np.where(mask, pixels, 0))


def test_the_callers_word_on_nodata_overrides_the_files(read_all, make_raster):
    pixels = noise()
    pixels[:, :10] = 0
    path = make_raster(pixels=pixels, nodata=0)
    assert read_all(path, nodata=None)[1].all()
    assert read_all(path, nodata="file")[1].sum() == 90 * 120
    pixels[:, :20] = 9
    assert read_all(make_raster("b.tif", pixels=pixels), nodata=9)[1].sum() == 80 * 120


@pytest.mark.parametrize("nodata", [-9999, float("nan")])
def test_nodata_that_bytes_cannot_hold_hides_nothing(facts_of, read_all, make_raster, nodata):
    pixels = noise()
    path = make_raster(pixels=pixels.astype(np.float32), nodata=nodata)
    assert facts_of(path).usable_nodata is not None
    path = make_raster("b.tif", pixels=pixels)
    assert place(facts_of(path), BANDS, grid=own_grid(facts_of(path))).nodata is None
    assert read_all(path)[1].all()


def test_alpha_that_plays_near_infrared_hides_nothing(read_all, make_raster):
    pixels = noise(4)
    pixels[3, :50] = 0
    path = make_raster(pixels=pixels, colours=["red", "green", "blue", "alpha"])
    image, valid = read_all(path, {**BANDS, "nir": 4})
    assert valid.all()
    assert np.array_equal(image, pixels)


def test_a_scene_cut_into_files_reads_as_the_scene(facts_of, source_of, make_raster):
    pixels = noise()
    make = make_raster
    whole = source_of(make("whole.tif", pixels=pixels))
    grid = own_grid(facts_of(whole.path))
    parts = []
    for name, rows, cols in [
        ("a", (0, 37), (0, 120)),
        ("b", (37, 100), (0, 51)),
        ("c", (37, 100), (51, 120)),
    ]:
        part = pixels[:, rows[0] : rows[1], cols[0] : cols[1]]
        origin = (700_000.0 + 0.2 * cols[0], 6_600_000.0 - 0.2 * rows[0])
        facts = facts_of(make(f"{name}.tif", pixels=part, origin=origin))
        parts.append(place(facts, BANDS, grid=grid))
    with SceneReader([whole], roles=RGB) as one, SceneReader(parts, roles=RGB) as many:
        for window in (WHOLE, Window(40, 30, 20, 20), Window(-5, 90, 130, 30)):
            for expected, found in zip(one.read(window), many.read(window), strict=True):
                assert np.array_equal(expected, found)


def test_the_first_valid_source_wins(source_of, make_raster):
    first, second = noise(seed=1), noise(seed=2)
    first[:, :40] = 0
    sources = [
        source_of(make_raster("first.tif", pixels=first, nodata=0)),
        source_of(make_raster("second.tif", pixels=second)),
    ]
    with SceneReader(sources, roles=RGB) as reader:
        image, valid = reader.read(WHOLE)
    assert valid.all()
    assert np.array_equal(image[:, :40], second[:, :40])
    assert np.array_equal(image[:, 40:], first[:, 40:])


def test_more_sources_than_open_files(facts_of, make_raster):
    strips = [noise(height=4, seed=i) for i in range(12)]
    grid = None
    sources = []
    for i, strip in enumerate(strips):
        origin = (700_000.0, 6_600_000.0 - 0.2 * 4 * i)
        facts = facts_of(make_raster(f"{i}.tif", pixels=strip, origin=origin))
        grid = grid or own_grid(facts)
        sources.append(place(facts, BANDS, grid=grid))
    with SceneReader(sources, roles=RGB) as reader:
        for _ in range(2):
            assert np.array_equal(reader.read(Window(0, 0, 120, 48))[0], np.concatenate(strips, axis=1))


def test_the_grid_may_begin_anywhere(facts_of, make_raster):
    pixels = noise()
    facts = facts_of(make_raster(pixels=pixels))
    anchored = Grid(crs_wkt=facts.crs_wkt, transform=(0.2, 0.0, 0.0, 0.0, -0.2, 0.0))
    source = place(facts, BANDS, grid=anchored)
    assert source.warp is None
    assert (source.col_off, source.row_off) == (3_500_000, -33_000_000)
    with SceneReader([source], roles=RGB) as reader:
        assert np.array_equal(reader.read(source.extent)[0], pixels)


def test_windows_may_be_asked_for_by_many_threads(source_of, make_raster):
    pixels = noise()
    wrong = []
    with SceneReader([source_of(make_raster(pixels=pixels))], roles=RGB) as reader:

        def work(seed):
            random = np.random.default_rng(seed)
            for _ in range(20):
                window = Window(
                    *(int(v) for v in random.integers(-20, 100, 2)),
                    *(int(v) for v in random.integers(1, 90, 2)),
                )
                if not np.array_equal(reader.read(window)[0], cut(pixels, window)[0]):
                    wrong.append(window)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_file_that_changes_under_the_reader_is_noticed(source_of, make_raster):
    source = source_of(make_raster())
    make_raster(shape=(3, 50, 60))
    with SceneReader([source], roles=RGB) as reader, pytest.raises(UnreadableRaster, match="changed"):
        reader.read(WHOLE)


def test_decoded_pixels_are_counted_by_internal_tile(source_of, make_raster):
    path = make_raster(shape=(3, 128, 128), tiled=True, blockxsize=64, blockysize=64)
    with SceneReader([source_of(path)], roles=RGB) as reader:
        reader.read(Window(0, 0, 10, 10))
        assert reader.decoded_pixels == 64 * 64
        reader.read(Window(0, 0, 128, 128))
        assert reader.decoded_pixels == 128 * 128  # the first is still in the cache


def test_nothing_is_left_behind(read_all, make_raster):
    shared = Path("/dev/shm")  # noqa: S108 - where pixels are handed over
    if not shared.is_dir():
        pytest.skip("no /dev/shm here")
    before = set(shared.glob("orthoscape-*"))
    read_all(make_raster())
    assert not set(shared.glob("orthoscape-*")) - before


def test_a_child_that_runs_already_is_used_and_left_running(child, source_of, make_raster):
    path = make_raster()
    for _ in range(2):
        with SceneReader([source_of(path)], roles=tuple(BANDS), child=child) as reader:
            image_CHW, valid_HW = reader.read(WHOLE)
        with SceneReader([source_of(path)], roles=tuple(BANDS)) as reader:
            wanted_CHW, wanted_valid_HW = reader.read(WHOLE)
        assert np.array_equal(image_CHW, wanted_CHW)
        assert np.array_equal(valid_HW, wanted_valid_HW)

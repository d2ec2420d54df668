"""Palettes, PNGs, handles, points and pictures: the parts that tiles are made of."""

import io
import threading
import time
from dataclasses import replace

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.errors import NomenclatureUnknown
from models.nomenclature import COSIA
from service.rasters.windows import Window
from service.tiles.drawing import draw_tile
from service.tiles.errors import PieceGone, TileStyleInvalid
from service.tiles.handles import Handles
from service.tiles.palette import TileStyle, colour_table
from service.tiles.png import encode_png
from service.tiles.points import query_point
from tests.tiles.maps import (
    Pieces,
    addresses,
    blocks_of,
    confidences,
    finished,
    grid_at,
    landscape,
    rgba_of,
)


@given(
    values=st.lists(st.integers(0, 255), min_size=1, max_size=40, unique=True),
    shape=st.tuples(st.integers(1, 20), st.integers(1, 40)),
    style=st.sampled_from(
        [TileStyle(), TileStyle(palette_style="cvd", grouping="cover"), TileStyle(product="confidence")]
    ),
)
def test_any_reader_sees_the_colours_of_the_style(values, shape, style):
    table = colour_table(style, COSIA)
    values_HW = np.random.default_rng(0).choice(values, shape).astype(np.uint8)
    found = rgba_of(encode_png(values_HW, table))
    numbers_HW = table.number_of_256[values_HW]
    assert np.array_equal(found[..., :3][numbers_HW > 0], table.colours_N3[numbers_HW][numbers_HW > 0])
    assert np.array_equal(found[..., 3], np.where(numbers_HW > 0, 255, 0))


@pytest.mark.parametrize(("num_classes", "depth"), [(1, 1), (2, 1), (4, 2), (16, 4)])
def test_few_colours_take_few_bits(num_classes, depth):
    values_HW = (np.arange(256 * 256) % num_classes).astype(np.uint8).reshape(256, 256)
    png = encode_png(values_HW, colour_table(TileStyle(), COSIA))
    assert png[24] == depth


def test_styles_that_cannot_be():
    with pytest.raises(TileStyleInvalid, match="101"):
        TileStyle(min_confidence=101)
    with pytest.raises(TileStyleInvalid, match="class 16"):
        colour_table(TileStyle(classes=frozenset({3, 16})), COSIA)
    with pytest.raises(NomenclatureUnknown):
        colour_table(TileStyle(grouping="none"), COSIA)


@pytest.fixture
def index(tmp_path):
    grid, col_off, row_off = grid_at(2154, 700_000.0, 6_600_000.0)
    window = Window(col_off, row_off, 600, 520)
    classes_HW = landscape(520, 600)
    piece = finished(tmp_path / "s", classes_HW, grid, window, confidence_HW=confidences(classes_HW))
    return Pieces(grid, window, (piece,))


def address_of(index, z=18):
    return (z, *addresses(index, "WebMercatorQuad", z, count=0)[0])


def test_classes_and_confidence_can_be_asked_for(index):
    address = address_of(index)
    whole = rgba_of(draw_tile(index, *address, nomenclature=COSIA).png)
    water = rgba_of(
        draw_tile(index, *address, nomenclature=COSIA, style=TileStyle(classes=frozenset({6}))).png
    )
    is_water = (whole == COSIA.palette()[6]).all(axis=-1)
    assert np.array_equal(water[..., 3] > 0, is_water)
    sure = rgba_of(draw_tile(index, *address, nomenclature=COSIA, style=TileStyle(min_confidence=70)).png)
    is_sure = sure[..., 3] > 0
    assert 0 < is_sure.sum() < (whole[..., 3] > 0).sum()
    assert np.array_equal(sure[is_sure], whole[is_sure])


def test_a_piece_that_goes_is_looked_up_again(index, tmp_path):
    address = address_of(index)
    wanted = draw_tile(index, *address, nomenclature=COSIA)
    block = replace(index.all_pieces[0], kind="block", path=tmp_path / "gone.tif")

    class Before(Pieces):
        def refreshed(self):
            return index

    before = Before(index.grid, index.window, (block,), is_final=False)
    assert draw_tile(before, *address, nomenclature=COSIA) == wanted
    with pytest.raises(PieceGone):
        draw_tile(replace(index, all_pieces=(block,)), *address, nomenclature=COSIA)


def test_points(index, tmp_path):
    x, y = index.grid.bounds_of(Window(index.window.col_off + 300, index.window.row_off + 301, 1, 1))[::3]
    lon, lat = pyproj.Transformer.from_crs(2154, 4326, always_xy=True).transform(x + 0.1, y - 0.1)
    classes_HW = landscape(520, 600)
    confidence_HW = confidences(classes_HW)
    answer = query_point(index, lon, lat)
    assert (answer.class_value, answer.confidence) == (classes_HW[301, 300], confidence_HW[301, 300])
    pieces = blocks_of(
        tmp_path / "b", classes_HW, index.grid, index.window, block_px=256, confidence_HW=confidence_HW
    )
    live = query_point(replace(index, all_pieces=tuple(pieces), is_final=False), lon, lat)
    assert (live.class_value, live.confidence, live.is_final) == (
        answer.class_value,
        answer.confidence,
        False,
    )
    for place in ((lon + 1, lat), (0.0, -89.0), (180.0, 90.0)):
        assert query_point(index, *place).class_value is None


def test_handles_are_bounded_and_notice_what_was_replaced(make_raster):
    paths = [make_raster(f"{number}.tif", pixels=np.full((1, 9, 9), number)) for number in range(5)]
    handles = Handles(max_idle=3)
    for path in paths:
        with handles.borrowed(path) as dataset, handles.borrowed(path) as other:
            assert dataset is not other
    assert handles.num_idle == 3
    fresh = make_raster("fresh.tif", pixels=np.full((1, 9, 9), 77))
    fresh.replace(paths[4])
    with handles.borrowed(paths[4]) as dataset:
        assert (dataset.read() == 77).all()
    paths[4].unlink()
    with pytest.raises(PieceGone), handles.borrowed(paths[4]):
        pass
    handles.close()
    assert handles.num_idle == 0


def test_threads_draw_the_same_tiles(index):
    address = address_of(index)
    wanted = draw_tile(index, *address, nomenclature=COSIA)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(draw_tile(index, *address, nomenclature=COSIA)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 8


def test_an_empty_tile_is_small(index):
    drawn = draw_tile(index, 10, 0, 0, nomenclature=COSIA)
    assert drawn.is_empty
    assert len(drawn.png) < 200
    assert Image.open(io.BytesIO(drawn.png)).size == (256, 256)


def test_what_nobody_asks_for_any_more_is_closed_after_its_time(make_raster):
    """A deleted file keeps its disk for as long as somebody has it open."""
    path = make_raster("a.tif", pixels=np.zeros((1, 9, 9)))
    handles = Handles(max_idle=9, idle_s=0.1)
    with handles.borrowed(path) as first, handles.borrowed(path) as second:
        pass
    until_s = time.monotonic() + 20
    while handles.num_idle and time.monotonic() < until_s:
        time.sleep(0.01)
    assert (handles.num_idle, first.closed, second.closed) == (0, True, True)


def test_of_a_folder_that_is_to_go_nothing_stays_open(make_raster):
    path = make_raster("a.tif", pixels=np.zeros((1, 9, 9)))
    handles = Handles(max_idle=9)
    with handles.borrowed(path) as dataset:
        pass
    handles.drop(path.parent / "another")
    assert not dataset.closed
    handles.drop(path.parent)
    assert (handles.num_idle, dataset.closed) == (0, True)

"""The tiles of a map under way are those of the finished map, where it is finished."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.nomenclature import COSIA
from service.rasters.levels import num_levels_of
from service.rasters.overviews import halve, halve_mean
from service.rasters.windows import Window
from service.tiles.drawing import draw_tile
from service.tiles.handles import HANDLES
from service.tiles.palette import TileStyle
from service.tiles.views import LiveSheet
from tests.tiles.maps import (
    Pieces,
    blocks_of,
    confidences,
    finished,
    grid_at,
    landscape,
    rgba_of,
    tiles_over,
    under_way,
)
from tests.tiles.oracle import PLACES

VEIL_COLOUR = (214, 217, 222, 255)
LEFT, TOP = 700_000.0, 6_600_000.0


def levels_of(values_HW, halver, num_levels):
    levels = [values_HW]
    for _ in range(num_levels):
        levels.append(halver(levels[-1]))
    return levels


def reach_of(missing_HW, level):
    """Cells of a level that hold a missing pixel."""
    side = 1 << level
    height, width = missing_HW.shape
    padded = np.pad(missing_HW, ((0, -height % side), (0, -width % side)))
    return padded.reshape(padded.shape[0] // side, side, -1, side).any(axis=(1, 3))


square = st.tuples(st.integers(500, 700), st.integers(400, 1100))
flat = st.tuples(st.integers(1, 70), st.integers(4000, 20_000))
tall = st.tuples(st.integers(9000, 20_000), st.integers(1, 70))


@settings(max_examples=4)
@given(
    phase=st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)),
    size=st.one_of(square, flat, tall),  # long ones have many levels and few pixels
    block_px=st.sampled_from([160, 250, 1024]),
    seed=st.integers(0, 100),
)
def test_every_level_of_blocks_is_that_of_the_sheet(tmp_path_factory, phase, size, block_px, seed):
    folder = tmp_path_factory.mktemp("sheet")
    grid, col_off, row_off = grid_at(2154, LEFT, TOP)
    sheet = Window(col_off + phase[0], row_off + phase[1], size[1], size[0])
    rng = np.random.default_rng(seed)
    classes_HW = rng.choice([0, 1, 2, 3, 255], (sheet.height, sheet.width)).astype(np.uint8)
    confidence_HW = confidences(classes_HW, seed=seed)
    pieces = blocks_of(folder, classes_HW, grid, sheet, block_px=block_px, confidence_HW=confidence_HW)
    wanted = {
        "classes": levels_of(classes_HW, halve, num_levels_of(sheet)),
        "confidence": levels_of(confidence_HW, halve_mean, num_levels_of(sheet)),
    }
    num_done = int(rng.integers(1, len(pieces) + 1))
    rng.shuffle(pieces)
    missing_HW = np.zeros(classes_HW.shape, dtype=bool)
    for piece in pieces[num_done:]:
        missing_HW[piece.window.slices_in(sheet)] = True
    for done, missing in ((pieces[:num_done], missing_HW), (pieces, np.zeros_like(missing_HW))):
        view = LiveSheet(sheet, done, HANDLES)
        for product, levels in wanted.items():
            for level, level_HW in enumerate(levels):
                top, left = (int(rng.integers(0, side)) for side in level_HW.shape)
                cells = Window(left, top, level_HW.shape[1] - left, level_HW.shape[0] - top)
                found_HW = view.read(level, cells, product)
                known_HW = ~reach_of(missing, level)[top:, left:]
                assert np.array_equal(found_HW[known_HW], level_HW[top:, left:][known_HW]), (product, level)


@pytest.mark.parametrize(
    ("place", "tms"),
    [
        ("Lambert-93", "WebMercatorQuad"),
        ("web mercator", "WebMercatorQuad"),
        pytest.param("Lambert-93", "2154_10cm", marks=pytest.mark.slow),
        pytest.param("UTM 31N, west of its middle", "WebMercatorQuad", marks=pytest.mark.slow),
        pytest.param("UTM 40S, Réunion", "WebMercatorQuad", marks=pytest.mark.slow),
    ],
)
def test_tiles_of_blocks_are_those_of_the_sheet_at_every_zoom(tmp_path, place, tms):
    epsg, left, top, res = PLACES[place]
    grid, col_off, row_off = grid_at(epsg, left, top, res=res)
    window = Window(col_off + 37, row_off + 11, 1900, 1501)
    classes_HW = landscape(window.height, window.width)
    confidence_HW = confidences(classes_HW)
    sheet = finished(tmp_path / "sheet", classes_HW, grid, window, confidence_HW=confidence_HW)
    final = Pieces(grid, window, (sheet,))
    pieces = blocks_of(
        tmp_path / "blocks", classes_HW, grid, window, block_px=256, confidence_HW=confidence_HW
    )
    live = under_way(final, pieces)
    styles = [TileStyle(), TileStyle(product="confidence"), TileStyle(min_confidence=60)]
    num_shown = 0
    for z in (13, 15, 16, 17, 18, 19, 20):
        for address in tiles_over(final, tms, z)[:3]:
            for style in styles:
                drawn = draw_tile(live, *address, tms=tms, style=style, nomenclature=COSIA)
                wanted = draw_tile(final, *address, tms=tms, style=style, nomenclature=COSIA)
                assert drawn.png == wanted.png
                assert not drawn.is_final
                assert wanted.is_final
                num_shown += not wanted.is_empty
    assert num_shown > 20


def test_a_tile_of_too_many_blocks_shows_which_are_done(tmp_path, monkeypatch):
    grid, col_off, row_off = grid_at(2154, LEFT, TOP)
    sheets = [Window(col_off + start, row_off, 600, 700) for start in (0, 600)]
    classes_HW = landscape(700, 600)
    index = Pieces(grid, Window(col_off, row_off, 1200, 700), ())
    blocks = blocks_of(tmp_path / "blocks", classes_HW, grid, sheets[1], block_px=128)
    pieces = [finished(tmp_path / "sheet", classes_HW, grid, sheets[0]), *blocks[: len(blocks) // 2]]
    index = under_way(index, pieces)
    (address,) = tiles_over(index, "2154_10cm", 14)[:1]
    options = {"tms": "2154_10cm", "nomenclature": COSIA, "size_px": 1024}
    whole = rgba_of(draw_tile(index, *address, **options).png)
    monkeypatch.setattr("service.tiles.drawing.MAX_BLOCKS", 3)
    found = rgba_of(draw_tile(index, *address, **options).png)
    is_veiled = (found == VEIL_COLOUR).all(axis=-1)
    assert not (whole == VEIL_COLOUR).all(axis=-1).any()
    assert is_veiled.any()
    rows, cols = np.nonzero(is_veiled)
    is_shown = (found[..., 3] > 0) & ~is_veiled
    assert np.array_equal(found[is_shown], whole[is_shown])  # the finished sheet, as ever
    assert cols.min() >= np.nonzero(is_shown)[1].max()  # the veil lies over the other one
    assert rows.max() < np.nonzero(is_shown)[0].max()  # where its first blocks are

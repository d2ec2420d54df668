"""Where rio-tiler, as it comes, does not agree with itself: how far it is off, why, and what we show there.

Each reason is GDAL's or rasterio's own, found with GDAL 3.10, rasterio 1.4 and rio-tiler 9.4. A test that
fails after an upgrade tells of one that is gone. See docs/decisions/0009.
"""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterioWindow

from service.rasters.overviews import halve
from service.rasters.windows import Window
from tests.tiles.maps import Pieces, finished, grid_at, landscape, tiles_over
from tests.tiles.oracle import (
    COLOURS,
    EXACTLY,
    drawn_tile,
    equal_share,
    lies_within,
    map_at,
    oracle_tile,
)

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
WEB, LAMBERT = "WebMercatorQuad", "2154_10cm"
PLACE = 2154, 700_000.0, 6_600_000.0


def one_sheet(folder, grid, window):
    """A finished map of one sheet, and its classes."""
    classes_HW = landscape(window.height, window.width)
    return Pieces(grid, window, (finished(folder, classes_HW, grid, window),)), classes_HW


def is_any_neighbour(found, wanted):
    """Whether each pixel is that of the other picture there, or one of the eight around it."""
    height, width = found.shape[:2]
    around = np.pad(wanted, ((1, 1), (1, 1), (0, 0)))
    return np.any(
        [
            (around[row : row + height, col : col + width] == found).all(axis=-1)
            for row in range(3)
            for col in range(3)
        ],
        axis=0,
    )


def test_at_the_rim_of_a_file_a_plain_read_is_off_by_up_to_a_pixel(tmp_path):
    index = map_at(tmp_path, "web mercator")
    for z in range(20, 13, -1):
        tiles = tiles_over(index, WEB, z)
        tiles = tiles[:: len(tiles) // 6 + 1]
        ours, plain = ([draw(index, WEB, *tile) for tile in tiles] for draw in (drawn_tile, oracle_tile))
        for tile, our, their in zip(tiles, ours, plain, strict=True):
            assert not lies_within(index, WEB, *tile) or (our == their).all()
            if z >= 17:  # below, cells are less than a pixel
                assert is_any_neighbour(their, our).all()
        # measured over all tiles: 0.999, 0.9996, 0.93, 0.995, 0.99, 0.985, 0.74; from z17 on all are rim
        assert equal_share(ours, plain) >= (0.9 if z > 14 else 0.7), z


def test_at_the_rim_of_a_file_a_plain_read_shows_what_lies_beyond(tmp_path):
    # beyond a file rasterio reads through a VRT, which places its sources by whole pixels of the tile, their
    # end rounded up: this file ends between two of them, but for the rounding of coordinates
    grid, col_off, row_off = grid_at(*PLACE)
    index, _ = one_sheet(tmp_path, grid, Window(col_off, row_off, 1024, 1024))
    z, x, y = 19, (col_off + 1024) // 512, row_off // 512 + 1
    end = (col_off + 1024 - 512 * x) // 2
    plain, ours = oracle_tile(index, LAMBERT, z, x, y), drawn_tile(index, LAMBERT, z, x, y)
    assert np.array_equal(plain[:, :end], ours[:, :end])
    assert (plain[:, end, 3] > 0).all()
    assert not ours[:, end:].any()
    assert np.array_equal(oracle_tile(index, LAMBERT, z, x, y, **EXACTLY), ours)


def test_where_cells_meet_we_take_the_right_and_lower_one_and_rio_tiler_any(tmp_path):
    # a tile of z17 shows 2048 px in 256, the coarsest level of this sheet has cells of 4: the middle of each
    # pixel is a corner of four cells. GDAL adds 1e-10 to it; rio-tiler's window is off by more
    grid, col_off, row_off = grid_at(*PLACE)
    answers = set()
    for number, (col, row) in enumerate(((0, 0), (0, 1), (-7, 2), (40, -31), (-60, -90))):
        x, y = col_off // 2048 + col, row_off // 2048 + row
        index, classes_HW = one_sheet(tmp_path / f"{number}", grid, Window(x * 2048, y * 2048, 2048, 2048))
        corners_HW = COLOURS[halve(halve(classes_HW))]
        right_lower = corners_HW[1::2, 1::2]
        assert np.array_equal(drawn_tile(index, LAMBERT, 17, x, y), right_lower)
        with rasterio.open(index.all_pieces[0].path) as dataset:
            whole = dataset.read(1, window=RasterioWindow(0, 0, 2048, 2048), out_shape=(256, 256))
        assert np.array_equal(COLOURS[whole], right_lower)
        plain = oracle_tile(index, LAMBERT, 17, x, y)
        of_four = [corners_HW[top::2, left::2] for top in range(2) for left in range(2)]
        is_same = [(plain == corner).all(axis=-1) for corner in of_four]
        assert np.any(is_same, axis=0).all()
        answers.add(int(np.argmax([same.mean() for same in is_same])))
    assert len(answers) > 1


def test_where_sheets_meet_amid_a_pixel_the_right_one_is_shown_and_never_none(tmp_path):
    grid, col_off, row_off = grid_at(*PLACE)
    left, top = col_off // 512 * 512, row_off // 512 * 512
    border = 301  # the middle of a tile's 151st pixel
    windows = Window(left, top, border, 700), Window(left + border, top, 700 - border, 700)
    pieces = tuple(
        finished(tmp_path / f"{value}", np.full((700, window.width), value, np.uint8), grid, window)
        for value, window in enumerate(windows)
    )
    index = Pieces(grid, Window(left, top, 700, 700), pieces)
    expected = COLOURS[np.where(np.arange(256) < border // 2, 0, 1)]
    found = drawn_tile(index, LAMBERT, 19, left // 512, top // 512)
    assert (found == expected).all()


@pytest.mark.parametrize("off_px", [1, 3])
def test_on_odd_pixels_of_lambert_93_half_resolution_is_such_corners(tmp_path, off_px):
    grid, col_off, row_off = grid_at(*PLACE)
    window = Window(col_off // 512 * 512 + off_px, row_off // 512 * 512 + off_px, 1200, 1200)
    index, classes_HW = one_sheet(tmp_path, grid, window)
    cells_HW = COLOURS[halve(classes_HW)]
    z, x, y = 19, window.col_off // 512 + 1, window.row_off // 512 + 1
    first = (512 + 1 - off_px) // 2
    here, before = slice(first, first + 256), slice(first - 1, first + 255)
    assert np.array_equal(drawn_tile(index, LAMBERT, z, x, y), cells_HW[here, here])
    for options in ({}, EXACTLY):
        found = oracle_tile(index, LAMBERT, z, x, y, **options)
        of_four = [cells_HW[rows, cols] for rows in (before, here) for cols in (before, here)]
        assert np.any([(found == corner).all(axis=-1) for corner in of_four], axis=0).all()
        assert not np.array_equal(found, of_four[-1])


def test_gdal_stretches_overviews_that_reach_beyond_their_file(tmp_path):
    # 2101 px are 525 cells of 4 px and a quarter: GDAL takes the 526 for cells of 2101 / 526 px
    grid, col_off, row_off = grid_at(*PLACE)
    window = Window(col_off // 1024 * 1024, row_off // 1024 * 1024, 2101, 1801)
    index, classes_HW = one_sheet(tmp_path, grid, window)
    cells_HW = COLOURS[halve(halve(classes_HW))]
    z, x, y = 18, window.col_off // 1024 + 1, window.row_off // 1024
    assert cells_HW.shape[:2] == (451, 526)
    assert np.array_equal(drawn_tile(index, LAMBERT, z, x, y), cells_HW[:256, 256:512])
    rows, cols = ((np.arange(512) + 0.5) * 4 * cells / size for cells, size in ((451, 1801), (526, 2101)))
    stretched = cells_HW[np.ix_(rows[:256].astype(int), cols[256:].astype(int))]
    for options in ({}, EXACTLY):
        found = oracle_tile(index, LAMBERT, z, x, y, **options)
        assert np.array_equal(found, stretched)
        assert not np.array_equal(found, cells_HW[:256, 256:512])

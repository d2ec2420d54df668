"""Tiles are those of rio-tiler, the oracle, over seven zooms.

It is asked in two ways. Warping, and transforming each pixel exactly, it has one rule for all maps: by that,
tiles are equal to the pixel. As it comes it departs from that rule in ways of its own, which
`test_oracle_limits` measures apart; what those leave alone is equal here, too.
"""

import pytest

from models.nomenclature import COSIA
from service.rasters.overviews import halve
from service.rasters.windows import Window
from service.tiles.drawing import draw_tile
from service.tiles.zooms import zoom_range
from tests.tiles.maps import Pieces, addresses, finished, grid_at, landscape, rgba_of, tiles_over
from tests.tiles.oracle import (
    AS_IT_COMES,
    COLOURS,
    EXACTLY,
    PLACES,
    drawn_tile,
    equal_share,
    lies_within,
    map_at,
    oracle_tile,
)

# rio-tiler multiplies transforms in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
slow = pytest.mark.slow
WEB, LAMBERT = "WebMercatorQuad", "2154_10cm"
PARALLEL = [
    ("web mercator", WEB, 256),
    ("Lambert-93, between pixels", LAMBERT, 256),
    ("web mercator", WEB, 512),
]
"""Whose axes are those of the tiles. No pixel's middle lies on a border between cells: there rio-tiler shows
either, see `test_oracle_limits`."""
WARPED = [
    ("Lambert-93", WEB, 256),
    ("UTM 40S, Réunion", WEB, 256),
    ("UTM 31N, west of its middle", WEB, 256),
    ("Lambert-93", WEB, 512),
    ("UTM 31N, west of its middle", WEB, 512),
]
NUM_ZOOMS = 7
"""From one beyond full resolution to a sixty-fourth of that."""


@pytest.fixture(scope="module")
def index_of(tmp_path_factory):
    """``index_of("Lambert-93")``: a finished map of two sheets, side by side."""
    made = {}

    def make(place):
        if place not in made:
            made[place] = map_at(tmp_path_factory.mktemp("map"), place)
        return made[place]

    return make


def tiles_by_zoom(index, tms):
    """Zooms from the closest on, with some addresses of each."""
    closest = zoom_range(index, tms)[1] + 1
    return [(z, addresses(index, tms, z, count=1)) for z in range(closest, closest - NUM_ZOOMS, -1)]


@pytest.mark.parametrize(
    ("place", "tms", "size_px"),
    [*PARALLEL[:2], *WARPED[:2], *(pytest.param(*kind, marks=slow) for kind in PARALLEL[2:] + WARPED[2:])],
)
def test_tiles_are_those_of_rio_tiler_to_the_pixel(index_of, place, tms, size_px):
    index = index_of(place)
    for z, tiles in tiles_by_zoom(index, tms):
        found = [drawn_tile(index, tms, z, *tile, size_px) for tile in tiles]
        wanted = [oracle_tile(index, tms, z, *tile, size_px, **EXACTLY) for tile in tiles]
        share = equal_share(found, wanted)
        if (place, tms, size_px) in PARALLEL or z >= zoom_range(index, tms)[1]:
            assert share == 1, z
        assert share >= 0.9998, z  # we interpolate the transformation


@pytest.mark.parametrize(
    ("place", "tms", "size_px"), [*WARPED[:2], *(pytest.param(*kind, marks=slow) for kind in WARPED[2:])]
)
def test_reprojected_tiles_are_those_of_rio_tiler_as_it_comes(index_of, place, tms, size_px):
    index = index_of(place)
    for number, (z, tiles) in enumerate(tiles_by_zoom(index, tms)):
        found = [drawn_tile(index, tms, z, *tile, size_px) for tile in tiles]
        share = equal_share(found, [oracle_tile(index, tms, z, *tile, size_px) for tile in tiles])
        # at the last zoom a tile's pixel is eight cells of these small maps' coarsest level, and the eighth
        # of a pixel that GDAL may be off is one of them: to its exact tiles ours are equal there, too
        assert share >= (0.9999, 0.9999, 0.98, 0.98, 0.98, 0.98, 0.95)[number], z


@pytest.mark.parametrize(("place", "tms"), [("web mercator", WEB), ("Lambert-93, between pixels", LAMBERT)])
def test_tiles_within_a_file_are_plain_reads_of_rio_tiler(tmp_path, place, tms):
    # in tiles of 64 px, which show as much ground to a pixel as those of 256 px two zooms out do, and need
    # a sixteenth of the file
    index = map_at(tmp_path, place, size=(4096, 4096), middle=None)
    closest = zoom_range(index, tms)[1] + 1
    for z in range(closest + 2, closest + 2 - NUM_ZOOMS, -1):
        within = [address for address in tiles_over(index, tms, z) if lies_within(index, tms, *address)]
        tiles = within[:: len(within) // 9 + 1]
        found = [drawn_tile(index, tms, *tile, 64) for tile in tiles]
        wanted = [oracle_tile(index, tms, *tile, 64, **AS_IT_COMES) for tile in tiles]
        assert equal_share(found, wanted) == 1, z


@pytest.mark.parametrize("place", PLACES)
def test_tiles_outside_are_empty(index_of, place):
    index = index_of(place)
    z = zoom_range(index)[1]
    x, y = addresses(index, WEB, z, count=0)[0]
    for address in ((z, x - 40, y), (z, x, y + 40), (z, 0, 0), (3, 7, 7)):
        drawn = draw_tile(index, *address, nomenclature=COSIA)
        assert drawn.is_empty
        assert not rgba_of(drawn.png).any()


@pytest.mark.parametrize("place", PLACES)
def test_the_whole_earth_shows_a_map_as_a_dot_or_not_at_all(index_of, place):
    for z in range(6):
        index = index_of(place)
        x, y = addresses(index, WEB, z, count=0)[0]
        shown = drawn_tile(index, WEB, z, x, y)[..., 3] > 0
        assert shown.sum() <= 4


@pytest.mark.parametrize("level", [0, 1, 2])
@pytest.mark.parametrize("size", [(2048, 2048), (1801, 2047)])
def test_aligned_lambert_maps_are_plain_reads(tmp_path, level, size):
    grid, col_off, row_off = grid_at(2154, 700_000.0, 6_600_000.0)
    window = Window(col_off // 1024 * 1024, row_off // 1024 * 1024, size[1], size[0])
    classes_HW = landscape(*size)
    index = Pieces(grid, window, (finished(tmp_path, classes_HW, grid, window),))
    level_HW = classes_HW
    for _ in range(level):
        level_HW = halve(level_HW)
    for row, col in ((0, 0), (1, 0), (1, 1)):
        x, y = (offset // (256 << level) for offset in (window.col_off, window.row_off))
        part = COLOURS[level_HW[256 * row : 256 * (row + 1), 256 * col : 256 * (col + 1)]]
        found = drawn_tile(index, LAMBERT, 20 - level, x + col, y + row)[: len(part), : part.shape[1]]
        inside = found[: (size[0] >> level) - 256 * row, : (size[1] >> level) - 256 * col]
        assert (inside == part[: inside.shape[0], : inside.shape[1]]).all()
    assert zoom_range(index, LAMBERT)[1] == 20

"""Tiles are those of rio-tiler, the oracle: to the pixel near full resolution, nearly so below."""

import numpy as np
import pytest
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.mosaic import mosaic_reader

from models.nomenclature import COSIA
from service.rasters.overviews import halve
from service.rasters.windows import Window
from service.tiles.drawing import draw_tile
from service.tiles.matrices import tile_matrix_sets
from service.tiles.zooms import zoom_range
from tests.tiles.maps import Pieces, addresses, finished, grid_at, landscape, rgba_of

# rio-tiler multiplies transforms in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

# EPSG, left, top, pixel size in its units
PLACES = {
    "web mercator": (3857, 300_000.0, 5_900_000.0, 0.2985821417389697),
    "Lambert-93": (2154, 700_000.0, 6_600_000.0, 0.2),
    "UTM 31N, west of its middle": (32631, 250_000.4, 5_100_000.2, 0.2),
    "UTM 40S, Réunion": (32740, 340_000.0, 7_660_000.0, 0.2),
}
SIZE = 1800, 2100
COLOURS = np.zeros((256, 4), dtype=np.uint8)
for class_value, colour in COSIA.palette().items():
    COLOURS[class_value] = colour


@pytest.fixture(scope="module")
def index_of(tmp_path_factory):
    """``index_of("Lambert-93")``: a finished map of two sheets, side by side."""
    made = {}

    def make(place):
        if place not in made:
            epsg, left, top, res = PLACES[place]
            grid, col_off, row_off = grid_at(epsg, left, top, res=res)
            classes_HW = landscape(*SIZE, seed=len(place))
            folder, middle = tmp_path_factory.mktemp("map"), 1024  # where overviews of both sheets meet
            pieces = tuple(
                finished(
                    folder / f"{start}",
                    classes_HW[:, start:end],
                    grid,
                    Window(col_off + start, row_off, end - start, SIZE[0]),
                )
                for start, end in ((0, middle), (middle, SIZE[1]))
            )
            made[place] = Pieces(grid, Window(col_off, row_off, SIZE[1], SIZE[0]), pieces)
        return made[place]

    return make


def oracle_tile(index, tms, z, x, y, size_px):
    """What rio-tiler draws from the same files, as RGBA."""

    def read(path, *address, **options):
        with Reader(path, tms=tile_matrix_sets()[tms]) as reader:
            return reader.tile(*address, **options)

    paths = [str(piece.path) for piece in index.all_pieces]
    image, _ = mosaic_reader(
        paths, read, x, y, z, tilesize=size_px, threads=0, allowed_exceptions=(TileOutsideBounds,)
    )
    values_HW = np.where(np.ma.getmaskarray(image.array)[0], 255, image.array.data[0])
    return COLOURS[values_HW]


WARPED, PARALLEL = 0.98, 0.95
"""Least share of equal pixels below full resolution. Where axes are parallel, rio-tiler rounds the part of a
tile at the rim of a file to whole pixels: there the test of aligned maps below is the stricter one."""
slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("place", "tms", "size_px", "num_zooms", "least"),
    [
        ("web mercator", "WebMercatorQuad", 256, 3, PARALLEL),
        ("Lambert-93", "WebMercatorQuad", 256, 7, WARPED),
        ("Lambert-93", "2154_10cm", 256, 4, PARALLEL),
        pytest.param("web mercator", "WebMercatorQuad", 512, 2, PARALLEL, marks=slow),
        pytest.param("Lambert-93", "WebMercatorQuad", 512, 7, WARPED, marks=slow),
        pytest.param("UTM 31N, west of its middle", "WebMercatorQuad", 256, 7, WARPED, marks=slow),
        pytest.param("UTM 31N, west of its middle", "WebMercatorQuad", 512, 7, WARPED, marks=slow),
        pytest.param("UTM 40S, Réunion", "WebMercatorQuad", 256, 7, WARPED, marks=slow),
    ],
)
def test_tiles_are_those_of_rio_tiler(index_of, place, tms, size_px, num_zooms, least):
    index = index_of(place)
    maxzoom = zoom_range(index, tms)[1]
    for z in range(maxzoom + 1, maxzoom + 1 - num_zooms, -1):
        num_px = num_same = num_shown = 0
        for x, y in addresses(index, tms, z, count=1):
            drawn = draw_tile(index, z, x, y, tms=tms, size_px=size_px, nomenclature=COSIA)
            found, wanted = rgba_of(drawn.png), oracle_tile(index, tms, z, x, y, size_px)
            num_px, num_shown = num_px + found.size // 4, num_shown + (found[..., 3] > 0).sum()
            num_same += (found == wanted).all(axis=-1).sum()
        assert num_shown
        assert num_same / num_px >= (0.9999 if z >= maxzoom else least), z


@pytest.mark.parametrize("place", PLACES)
def test_tiles_outside_are_empty(index_of, place):
    index = index_of(place)
    z = zoom_range(index)[1]
    x, y = addresses(index, "WebMercatorQuad", z, count=0)[0]
    for address in ((z, x - 40, y), (z, x, y + 40), (z, 0, 0), (3, 7, 7)):
        drawn = draw_tile(index, *address, nomenclature=COSIA)
        assert drawn.is_empty
        assert not rgba_of(drawn.png).any()


@pytest.mark.parametrize("place", PLACES)
def test_the_whole_earth_shows_a_map_as_a_dot_or_not_at_all(index_of, place):
    for z in range(6):
        index = index_of(place)
        x, y = addresses(index, "WebMercatorQuad", z, count=0)[0]
        shown = rgba_of(draw_tile(index, z, x, y, nomenclature=COSIA).png)[..., 3] > 0
        assert shown.sum() <= 4


@pytest.mark.parametrize("level", [0, 1, 2])
def test_aligned_lambert_maps_are_plain_reads(tmp_path, level):
    grid, col_off, row_off = grid_at(2154, 700_000.0, 6_600_000.0)
    window = Window(col_off // 1024 * 1024, row_off // 1024 * 1024, 2048, 2048)
    classes_HW = landscape(2048, 2048)
    index = Pieces(grid, window, (finished(tmp_path, classes_HW, grid, window),))
    level_HW = classes_HW
    for _ in range(level):
        level_HW = halve(level_HW)
    for row, col in ((0, 0), (1, 0), (1, 1)):
        x, y = (offset // (256 << level) for offset in (window.col_off, window.row_off))
        drawn = draw_tile(index, 20 - level, x + col, y + row, tms="2154_10cm", nomenclature=COSIA)
        part = level_HW[256 * row : 256 * (row + 1), 256 * col : 256 * (col + 1)]
        assert np.array_equal(rgba_of(drawn.png), COLOURS[part])
    assert zoom_range(index, "2154_10cm")[1] == 20

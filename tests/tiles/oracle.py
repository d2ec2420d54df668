"""rio-tiler, the oracle that tiles are compared with, and the maps on which they are."""

import numpy as np
from rio_tiler.errors import EmptyMosaicError, TileOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.mosaic import mosaic_reader

from models.nomenclature import COSIA
from service.rasters.windows import Window
from service.tiles.drawing import draw_tile
from service.tiles.matrices import tile_matrix_sets
from tests.tiles.maps import Pieces, finished, grid_at, landscape, rgba_of

# EPSG, left, top, pixel size in its units
PLACES = {
    "web mercator": (3857, 300_000.0, 5_900_000.0, 0.2985821417389697),
    "Lambert-93": (2154, 700_000.0, 6_600_000.0, 0.2),
    "Lambert-93, between pixels": (2154, 700_000.06, 6_600_000.07, 0.2),
    "UTM 31N, west of its middle": (32631, 250_000.4, 5_100_000.2, 0.2),
    "UTM 40S, Réunion": (32740, 340_000.0, 7_660_000.0, 0.2),
}
SIZE = 1800, 2100
"""Whole cells of every level that its sheets have: GDAL stretches others, see `test_oracle_limits`."""
COLOURS = np.zeros((256, 4), dtype=np.uint8)
for class_value, colour in COSIA.palette().items():
    COLOURS[class_value] = colour
AS_IT_COMES = {}
"""rio-tiler with its defaults: a plain read where the CRS of map and tile are one, else a warped one whose
transformation is interpolated, to an eighth of a pixel."""
EXACTLY = {"vrt_options": {"tolerance": 1e-6}}
"""rio-tiler that always warps, and transforms each pixel."""


def map_at(folder, place, *, size=SIZE, middle=1024):
    """A finished map of two sheets side by side, or of one.

    Args:
        folder: Where its files go.
        place: One of `PLACES`.
        size: Rows and columns.
        middle: Column where the second sheet begins; None for one sheet.
    """
    epsg, left, top, res = PLACES[place]
    grid, col_off, row_off = grid_at(epsg, left, top, res=res)
    classes_HW = landscape(*size, seed=len(place))
    spans = ((0, size[1]),) if middle is None else ((0, middle), (middle, size[1]))
    pieces = tuple(
        finished(
            folder / f"{start}",
            classes_HW[:, start:end],
            grid,
            Window(col_off + start, row_off, end - start, size[0]),
        )
        for start, end in spans
    )
    return Pieces(grid, Window(col_off, row_off, size[1], size[0]), pieces)


def oracle_tile(index, tms, z, x, y, size_px=256, **options):
    """What rio-tiler draws from the same files, as RGBA."""

    def read(path, *address, **given):
        with Reader(path, tms=tile_matrix_sets()[tms]) as reader:
            return reader.tile(*address, **given, **options)

    paths = [str(piece.path) for piece in index.all_pieces]
    try:
        image, _ = mosaic_reader(
            paths, read, x, y, z, tilesize=size_px, threads=0, allowed_exceptions=(TileOutsideBounds,)
        )
    except EmptyMosaicError:
        return np.zeros((size_px, size_px, 4), dtype=np.uint8)
    values_HW = np.where(np.ma.getmaskarray(image.array)[0], 255, image.array.data[0])
    return COLOURS[values_HW]


def drawn_tile(index, tms, z, x, y, size_px=256):
    """What we draw, as RGBA."""
    return rgba_of(draw_tile(index, z, x, y, tms=tms, size_px=size_px, nomenclature=COSIA).png)


def equal_share(found, wanted):
    """Of the pixels that either shows, those that are equal; weights of tiles are their pixels.

    Args:
        found: Tiles, RGBA.
        wanted: The same by another way.
    """
    is_shown = (np.stack(found)[..., 3] > 0) | (np.stack(wanted)[..., 3] > 0)
    assert is_shown.any()
    return (np.stack(found) == np.stack(wanted)).all(axis=-1)[is_shown].mean()


def lies_within(index, tms, z, x, y):
    """Whether a tile lies inside one file, and that file alone is drawn."""
    box = tile_matrix_sets()[tms].xy_bounds(x, y, z)
    bounds = [index.grid.bounds_of(piece.window) for piece in index.all_pieces]
    return any(
        left <= box.left and bottom <= box.bottom and box.right <= right and box.top <= top
        for left, bottom, right, top in bounds
    )

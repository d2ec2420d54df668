"""The tile matrix sets that maps are served in."""

import pytest

from service.tiles.errors import TileMatrixSetUnknown, TileUnknown
from service.tiles.matrices import (
    LAMBERT_93,
    cell_size,
    check_tile,
    find_tile_matrix_set,
    origin,
    tile_matrix_sets,
)


def test_igns_grid_of_lambert_93():
    tms = find_tile_matrix_set(LAMBERT_93)
    assert tms.crs.to_epsg() == 2154
    assert origin(tms) == (0.0, 12_000_000.0)
    assert cell_size(tms, 0) == pytest.approx(209_715.2, rel=1e-12)
    assert cell_size(tms, 20) == pytest.approx(0.2, rel=1e-12)
    assert cell_size(tms, 13) * 256 == pytest.approx(6553.6, rel=1e-12)
    for z in (0, 13, 20):
        matrix = tms.matrix(z)
        assert matrix.cellSize == pytest.approx(cell_size(tms, z), rel=1e-12)
        assert (matrix.matrixWidth, matrix.matrixHeight, matrix.tileWidth) == (2**z, 2**z, 256)


def test_sheets_of_product_are_tiles_of_it():
    tms = find_tile_matrix_set(LAMBERT_93)
    bounds = tms.xy_bounds(100, 830, 13)
    assert bounds.left == pytest.approx(100 * 32_768 * 0.2)
    assert bounds.top == pytest.approx(12_000_000 - 830 * 32_768 * 0.2)


def test_the_sets_go_by_their_names():
    for name, tms in tile_matrix_sets().items():
        assert tms.id == name
    with pytest.raises(TileMatrixSetUnknown, match="WorldCRS84Quad") as error:
        find_tile_matrix_set("WorldCRS84Quad")
    assert "WebMercatorQuad" in error.value.remedy


@pytest.mark.parametrize("address", [(-1, 0, 0), (25, 0, 0), (0, 1, 0), (3, 0, 8), (3, -1, 0)])
def test_tiles_that_there_are_not(address):
    with pytest.raises(TileUnknown):
        check_tile(find_tile_matrix_set("WebMercatorQuad"), *address)

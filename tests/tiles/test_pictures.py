"""The picture of a sheet's source, and its tiles."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp, MaskFlags

from service.maps.picture import channels_of, write_picture
from service.rasters.windows import Window
from service.tiles.pictures import draw_picture_tile
from tests.tiles.maps import Pieces, addresses, grid_at

# rio-tiler multiplies transforms in the old way
pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")

COLOURS = np.array([[200, 40, 60], [30, 90, 160]])
"""Of the upper and the lower half, in red, green, blue."""


class Halves:
    """A source of two colours, without data in its left fifth; nir comes first."""

    def __init__(self, window):
        self.window = window
        self.most_px = 0

    def read(self, window):
        self.most_px = max(self.most_px, window.width * window.height)
        rows = np.arange(window.row_off, window.row_end) - self.window.row_off
        cols = np.arange(window.col_off, window.col_end) - self.window.col_off
        rgb_HW3 = COLOURS[(rows >= self.window.height // 2).astype(int)][:, None].repeat(window.width, axis=1)
        nir_1HW = np.full((1, window.height, window.width), 9)
        valid_HW = np.broadcast_to(cols >= self.window.width // 5, (window.height, window.width))
        return np.concatenate([nir_1HW, np.moveaxis(rgb_HW3, 2, 0)]).astype(np.uint8), valid_HW


@pytest.fixture
def pictured(tmp_path):
    """A map of one sheet with its picture, and the source that it was written from."""
    grid, col_off, row_off = grid_at(2154, 700_000.0, 6_600_000.0)
    window = Window(col_off, row_off, 900, 1300)
    sheet = SimpleNamespace(window=window, transform=grid.transform_of(window))
    source, path, parts = Halves(window), tmp_path / "sheets" / "image.tif", []
    plan = SimpleNamespace(grid=grid, bands=("nir", "red", "green", "blue"))
    write_picture(plan, sheet, path, source=source, token="lease", on_part=lambda: parts.append(1))  # noqa: S106
    return Pieces(grid, window, (), all_pictures=(path,)), source, parts


def test_a_picture_is_a_cloud_optimized_rgb(pictured):
    index, source, parts = pictured
    (path,) = index.all_pictures
    assert [entry.name for entry in path.parent.iterdir()] == ["image.tif"]
    assert source.most_px < 1300 * 900 / 2
    assert len(parts) == 3
    with rasterio.open(path) as file:
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.colorinterp[:3] == (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        assert MaskFlags.per_dataset in file.mask_flag_enums[0]
        assert file.overviews(1)
        image_3HW, valid_HW = file.read((1, 2, 3)), file.dataset_mask() > 0
    assert np.array_equal(valid_HW, source.read(index.window)[1])
    for row, colour in ((300, COLOURS[0]), (1000, COLOURS[1])):
        assert np.abs(image_3HW[:, row, 500].astype(int) - colour).max() <= 6


@pytest.mark.parametrize("image_format", ["png", "webp", "jpg"])
def test_tiles_of_a_picture(pictured, image_format):
    index, _, _ = pictured
    x, y = addresses(index, "WebMercatorQuad", 17, count=0)[0]
    drawn = draw_picture_tile(index, 17, x, y, image_format=image_format)
    assert not drawn.is_empty
    rgba_HW4 = np.asarray(Image.open(io.BytesIO(drawn.data)).convert("RGBA")).astype(int)
    far = [np.abs(rgba_HW4[..., :3] - colour).max(axis=-1).min() for colour in COLOURS]
    assert min(far) <= 12
    if image_format != "jpg":
        assert {0, 255} <= set(np.unique(rgba_HW4[..., 3]))
    elsewhere = draw_picture_tile(index, 17, 0, 0, image_format=image_format)
    assert elsewhere.is_empty
    assert elsewhere.media_type == drawn.media_type


def test_what_is_shown_of_other_bands():
    assert channels_of(("nir", "red", "green", "blue")) == (1, 2, 3)
    assert channels_of(("nir", "red", "green")) == (0, 1, 2)
    assert channels_of(("height",)) == (0, 0, 0)

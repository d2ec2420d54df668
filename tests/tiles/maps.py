"""Small maps for tests of tiles: finished ones, and the same under way."""

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from rasterio.crs import CRS

from models.nomenclature import COSIA
from service.planning.blocks import plan_blocks
from service.planning.grid import Grid, native_grid
from service.rasters.levels import LEVELS_SUFFIX, write_levels
from service.rasters.windows import Window
from service.rasters.writing import MosaicWriter, RasterInfo, write_block, write_cog
from service.tiles.index import Piece
from service.tiles.matrices import tile_matrix_sets
from service.tiles.warping import extent_in


@dataclass(frozen=True)
class Pieces:
    """A `BlockIndex` of given pieces."""

    grid: Grid
    window: Window
    all_pieces: tuple[Piece, ...]
    is_final: bool = True
    version: str = "1"
    all_pictures: tuple[Path, ...] = ()

    def pieces(self, window):
        return [piece for piece in self.all_pieces if not piece.window.intersection(window).is_empty]

    def pictures(self, window):  # noqa: ARG002 - the protocol's
        return self.all_pictures

    def refreshed(self):
        return self


def landscape(height, width, *, seed=0, num_classes=16):
    """Classes in patches of all sizes, with noise, and nodata in a corner."""
    rng = np.random.default_rng(seed)
    relief_HW = np.zeros((height, width), dtype=np.float32)
    for side in (4, 16, 64, 256):
        coarse = Image.fromarray(rng.random((height // side + 2, width // side + 2), dtype=np.float32))
        relief_HW += np.asarray(coarse.resize((width, height), Image.Resampling.BILINEAR)) * side**0.5
    limits = np.quantile(relief_HW, np.linspace(0, 1, num_classes + 1)[1:-1])
    classes_HW = np.digitize(relief_HW, limits).astype(np.uint8)
    classes_HW[: height // 9, : width // 5] = 255
    return classes_HW


def confidences(classes_HW, *, seed=0):
    """Percent where there is a class."""
    percent_HW = np.random.default_rng(seed).integers(20, 101, classes_HW.shape).astype(np.uint8)
    return np.where(classes_HW == 255, np.uint8(255), percent_HW)


def grid_at(epsg, left, top, *, res=0.2):
    """The grid of a raster that begins there, and its first column and row on it."""
    grid = native_grid((res, 0, left, 0, -res, top), crs_wkt=CRS.from_epsg(epsg).to_wkt(), epsg=epsg)
    return grid, round((left - grid.x_origin) / res), round((grid.y_origin - top) / res)


def write_product(path, values_HW, grid, window, *, overviews="MODE"):
    """Write a finished raster by the real writer."""
    palette = COSIA.palette() if overviews == "MODE" else None
    info = RasterInfo(crs_wkt=grid.crs_wkt, transform=grid.transform_of(window), palette=palette)
    mosaic = path.with_suffix(".mosaic.tif")
    with MosaicWriter(mosaic, width=window.width, height=window.height, info=info) as writer:
        writer.write(Window(0, 0, window.width, window.height), values_HW)
    write_cog(mosaic, path, info=info, overviews=overviews)
    mosaic.unlink()


def finished(folder, classes_HW, grid, window, *, confidence_HW=None):
    """The one piece of a finished sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    write_product(folder / "landcover.tif", classes_HW, grid, window)
    if confidence_HW is not None:
        write_product(folder / "confidence.tif", confidence_HW, grid, window, overviews="AVERAGE")
    return Piece(
        kind="sheet",
        window=window,
        sheet=window,
        path=folder / "landcover.tif",
        confidence=None if confidence_HW is None else folder / "confidence.tif",
    )


def blocks_of(folder, classes_HW, grid, sheet, *, block_px, confidence_HW=None):
    """All blocks of a sheet, written as workers write them."""
    folder.mkdir(parents=True, exist_ok=True)
    confidence_HW = classes_HW if confidence_HW is None else confidence_HW
    pieces = []
    for block in plan_blocks(sheet, core_px=block_px, block_cores=1):
        path = folder / f"{block.name}.tif"
        part = block.window.slices_in(sheet)
        layers = {"classes": classes_HW[part], "confidence": confidence_HW[part]}
        write_levels(path.with_suffix(LEVELS_SUFFIX), layers, block=block.window, sheet=sheet)
        info = RasterInfo(crs_wkt=grid.crs_wkt, transform=grid.transform_of(block.window))
        write_block(path, layers["classes"], layers["confidence"], info=info)
        pieces.append(Piece(kind="block", window=block.window, sheet=sheet, path=path))
    return pieces


def under_way(index, pieces):
    """The same map of which only these pieces are there."""
    return replace(index, all_pieces=tuple(pieces), is_final=False)


def rgba_of(png):
    """Pixels of a PNG as any reader sees them."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def addresses(index, tms, z, count, seed=0):
    """Some tiles over a map: its corners and others."""
    left, bottom, right, top = extent_in(tms, index.grid, index.window)
    matrix = tile_matrix_sets()[tms].matrix(z)
    x0, y0 = matrix.pointOfOrigin
    side = matrix.cellSize * 256
    inset = min(right - left, top - bottom) / 20
    rng = np.random.default_rng(seed)
    points = [(left + inset, top - inset), (right - inset, bottom + inset)]
    points += [(rng.uniform(left, right), rng.uniform(bottom, top)) for _ in range(count)]
    return sorted({(int((px - x0) // side), int((y0 - py) // side)) for px, py in points})


def tiles_over(index, tms, z):
    """Addresses of all tiles of a zoom that meet a map."""
    left, bottom, right, top = extent_in(tms, index.grid, index.window)
    matrix = tile_matrix_sets()[tms].matrix(z)
    side = matrix.cellSize * 256
    x0, y0 = matrix.pointOfOrigin
    columns = range(int((left - x0) // side), int((right - x0) // side) + 1)
    rows = range(int((y0 - top) // side), int((y0 - bottom) // side) + 1)
    return [(z, x, y) for y in rows for x in columns]

"""Maps and addresses for the measuring of tiles."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from rasterio.crs import CRS

from models.nomenclature import COSIA
from service.planning.grid import native_grid
from service.rasters.windows import Window
from service.rasters.writing import MosaicWriter, RasterInfo, write_cog
from service.tiles.index import Piece
from service.tiles.matrices import tile_matrix_sets
from service.tiles.warping import extent_in
from service.tiles.zooms import zoom_range

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from service.planning.grid import Grid

Address = tuple[int, int, int]
SIZE_PX = 8192
NUM_ZOOMS = 5
PLACES: dict[str, tuple[int, float, float, float]] = {
    "web mercator": (3857, 300_000.0, 5_900_000.0, 0.2985821417389697),
    "Lambert-93": (2154, 700_000.0, 6_600_000.0, 0.2),
    "UTM 31N": (32631, 450_000.0, 5_100_000.0, 0.2),
}
"""EPSG code, left, top, size of a pixel."""


@dataclass(frozen=True)
class BenchMap:
    """A finished map of one sheet: a `BlockIndex`."""

    grid: Grid
    window: Window
    path: Path
    is_final: bool = True
    version: str = "1"

    def pieces(self, window: Window) -> Sequence[Piece]:
        """Its one sheet."""
        del window
        return (Piece(kind="sheet", window=self.window, sheet=self.window, path=self.path),)

    def pictures(self, window: Window) -> Sequence[Path]:
        """None."""
        del window
        return ()

    def refreshed(self) -> BenchMap:
        """Itself."""
        return self


def write_map(folder: Path, place: str) -> BenchMap:
    """Write the COG of a place as the service does, unless it is there."""
    epsg, left, top, res = PLACES[place]
    wkt = CRS.from_epsg(epsg).to_wkt()
    grid = native_grid((res, 0.0, left, 0.0, -res, top), crs_wkt=wkt, epsg=epsg)
    col_off, row_off = round((left - grid.x_origin) / res), round((grid.y_origin - top) / res)
    window = Window(col_off, row_off, SIZE_PX, SIZE_PX)
    path = folder / f"{epsg}.tif"
    if not path.exists():
        info = RasterInfo(crs_wkt=wkt, transform=grid.transform_of(window), palette=COSIA.palette())
        mosaic = path.with_suffix(".mosaic.tif")
        with MosaicWriter(mosaic, width=SIZE_PX, height=SIZE_PX, info=info) as writer:
            writer.write(Window(0, 0, SIZE_PX, SIZE_PX), _landscape())
        write_cog(mosaic, path, info=info)
        mosaic.unlink()
    return BenchMap(grid, window, path)


def addresses(bench_map: BenchMap, count: int, *, seed: int = 0) -> list[Address]:
    """Tiles at random over a map, evenly over the zooms at which it is looked at closely."""
    left, bottom, right, top = extent_in("WebMercatorQuad", bench_map.grid, bench_map.window)
    best = zoom_range(bench_map)[1]
    rng = random.Random(seed)  # noqa: S311 - addresses, no secrets
    found: list[Address] = []
    for number in range(count):
        z = best - number % NUM_ZOOMS
        matrix = tile_matrix_sets()["WebMercatorQuad"].matrix(z)
        side = matrix.cellSize * 256
        x = int((rng.uniform(left, right) - matrix.pointOfOrigin[0]) // side)
        y = int((matrix.pointOfOrigin[1] - rng.uniform(bottom, top)) // side)
        found.append((z, x, y))
    return found


def _landscape() -> np.typing.NDArray[np.uint8]:
    """Sixteen classes in patches of all sizes."""
    rng = np.random.default_rng(0)
    relief_HW = np.zeros((SIZE_PX, SIZE_PX), dtype=np.float32)
    for side in (8, 32, 128, 512):
        coarse = Image.fromarray(rng.random((SIZE_PX // side + 1,) * 2, dtype=np.float32))
        resized = coarse.resize((SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR)
        relief_HW += np.asarray(resized) * side**0.5
    limits = np.quantile(relief_HW[::8, ::8], np.linspace(0, 1, 17)[1:-1])
    return np.digitize(relief_HW, limits).astype(np.uint8)

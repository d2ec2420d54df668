"""Big orthophotos to measure on, made once.

A scene is a mosaic of four generated landscapes of 1024 x 1024 px at 0.2 m, each laid in one of its eight
flips and turns, drawn at random. The generator's texture and sensor noise are kept, so the pixels compress
as badly as an orthophoto's; DEFLATE cannot see from one landscape to its next copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.transform import Affine
from rasterio.windows import Window

from service.planning.grid import anchor_of
from training.data.landscapes import LandscapeSpec, generate_landscape

BENCH_FOLDER = Path(__file__).resolve().parents[1] / ".bench"
"""Where scenes, models and maps of the benchmarks live; not kept in the repository."""

GSD_M = 0.2
NUM_BANDS = 4
LANDSCAPE_PX = 1024
_SEEDS = (11, 12, 13, 14)
_TILE_PX = 512
_STRIP_PX = 1024

_EPSG = 2154
_ORIGIN_PX = (3424 * 1024, 25344 * 1024)
"""Column and row, from the CRS's anchor, of a corner of the lattices of cores, blocks and runs."""
_OFF_LATTICE_PX = (313, 457)
"""What an unaligned scene is moved by."""

U8 = np.typing.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class SceneSpec:
    """A scene to make; equal specs give equal pixels."""

    side_px: int
    """Of the square, in pixels."""
    is_aligned: bool = True
    """Whether its corner is one of the lattice of cores."""

    @property
    def name(self) -> str:
        """Of its file."""
        return f"scene-{self.side_px}-{'aligned' if self.is_aligned else 'unaligned'}"

    @property
    def transform(self) -> Affine:
        """Of the scene, in Lambert-93."""
        off_x, off_y = (0, 0) if self.is_aligned else _OFF_LATTICE_PX
        col, row = _ORIGIN_PX
        anchor_x, anchor_y = anchor_of(_EPSG)
        return Affine(
            GSD_M, 0.0, anchor_x + (col + off_x) * GSD_M, 0.0, -GSD_M, anchor_y - (row + off_y) * GSD_M
        )


def make_scene(spec: SceneSpec, folder: Path = BENCH_FOLDER / "scenes") -> Path:
    """The file of a scene, written if it is not there: tiled GeoTIFF, DEFLATE with predictor 2."""
    path = folder / f"{spec.name}.tif"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    landscapes = _landscapes(folder)
    part = path.with_suffix(".part.tif")
    profile = {
        "driver": "GTiff",
        "width": spec.side_px,
        "height": spec.side_px,
        "count": NUM_BANDS,
        "dtype": "uint8",
        "crs": CRS.from_epsg(_EPSG),
        "transform": spec.transform,
        "tiled": True,
        "blockxsize": _TILE_PX,
        "blockysize": _TILE_PX,
        "interleave": "pixel",
        "compress": "DEFLATE",
        "predictor": 2,
        "zlevel": 6,
        "photometric": "RGB",
        "bigtiff": "IF_SAFER",
        "num_threads": "ALL_CPUS",
    }
    rng = np.random.default_rng(spec.side_px)
    with rasterio.open(part, "w", **profile) as file:
        file.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined]
        file.set_band_description(4, "nir")
        for row in range(0, spec.side_px, _STRIP_PX):
            height = min(_STRIP_PX, spec.side_px - row)
            strip_CHW = _strip(landscapes, spec.side_px, rng)[:, :height]
            file.write(strip_CHW, window=Window(0, row, spec.side_px, height))
    part.replace(path)
    return path


def _strip(landscapes: list[U8], width: int, rng: np.random.Generator) -> U8:
    """One row of landscapes (C, H, W), each flipped and turned at random."""
    cells = []
    for _ in range(-(-width // LANDSCAPE_PX)):
        cell_CHW = np.rot90(landscapes[rng.integers(len(landscapes))], int(rng.integers(4)), axes=(1, 2))
        cells.append(cell_CHW[:, :, ::-1] if rng.integers(2) else cell_CHW)
    return np.concatenate(cells, axis=2)[:, :, :width]


def _landscapes(folder: Path) -> list[U8]:
    path = folder / "landscapes.npy"
    if not path.exists():
        drawn = [
            generate_landscape(
                LandscapeSpec(seed=seed, side_px=LANDSCAPE_PX, gsd_m=GSD_M, defects="none")
            ).image_CHW[:NUM_BANDS]
            for seed in _SEEDS
        ]
        np.save(path, np.stack(drawn))
    return list(np.load(path))


def read_corner(path: Path, *, height: int, width: int) -> U8:
    """The upper left pixels (C, H, W) of a scene, repeated where it is smaller."""
    with rasterio.open(path) as file:
        image_CHW: U8 = file.read(window=Window(0, 0, min(width, file.width), min(height, file.height)))
    repeats = (1, -(-height // image_CHW.shape[1]), -(-width // image_CHW.shape[2]))
    return np.ascontiguousarray(np.tile(image_CHW, repeats)[:, :height, :width])

"""Maps of the labelled rasters, read back on the rasters' own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from click.testing import CliRunner

from service.cli import main as orthoscape

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.point_rasters import LabelledRaster

_TOLD = ("model ", "note ")
"""Lines of the command that belong beside its result."""


class Refused(Exception):
    """A raster was not mapped; the message is the command's own."""


@dataclass(frozen=True, kw_only=True)
class MadeMap:
    """A map and what was said of it."""

    classes_HW: NDArray[np.uint8]
    """On the pixels of the raster, whatever the model's own are; nodata 255."""
    notes: tuple[str, ...]


def make_map(raster: LabelledRaster, folder: Path, scratch: Path, *, model: str | None) -> MadeMap:
    """Run ``orthoscape predict`` on a raster.

    Args:
        raster: To be mapped.
        folder: Of the real data.
        scratch: Folder of the map's files.
        model: Its id; the packaged model that fits the bands when None.

    Raises:
        Refused: The command ended with an error.
    """
    words = raster.arguments(folder, scratch)
    output = scratch / f"{raster.stem}-map.tif"
    chosen = [] if model is None else ["--model", model]
    result = CliRunner().invoke(orthoscape, ["predict", *words, *chosen, "-o", str(output), "--quiet"])
    if result.exit_code:
        if not isinstance(result.exception, SystemExit):
            raise result.exception or RuntimeError(result.output)
        raise Refused(result.output.strip())
    notes = tuple(line for line in result.output.splitlines() if line.startswith(_TOLD))
    with rasterio.open(words[0]) as source, rasterio.open(output) as landcover:
        classes_HW = on_pixels_of(source, landcover)
    return MadeMap(classes_HW=classes_HW, notes=notes)


def on_pixels_of(
    source: rasterio.io.DatasetReader, landcover: rasterio.io.DatasetReader
) -> NDArray[np.uint8]:
    """The classes at the centres of a raster's pixels (H, W): its map may have coarser or finer ones.

    Centres that fall off the map, by less than one of its pixels, take the pixel at its rim.
    """
    mapped_HW: NDArray[np.uint8] = landcover.read(1)
    rows_H, cols_W = np.arange(source.height) + 0.5, np.arange(source.width) + 0.5
    to_map = ~landcover.transform * source.transform  # north-up both: rows and columns do not mix
    cols_W, rows_H = np.floor(to_map.a * cols_W + to_map.c), np.floor(to_map.e * rows_H + to_map.f)
    rows_H = rows_H.clip(0, landcover.height - 1).astype(int)
    cols_W = cols_W.clip(0, landcover.width - 1).astype(int)
    return mapped_HW[np.ix_(rows_H, cols_W)]

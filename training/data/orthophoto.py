"""A generated orthophoto as a GeoTIFF, with its truth beside it: ``python -m training.data.orthophoto``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from training.data.landscapes import NODATA, LandscapeSpec, generate_landscape

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LEFT_M, TOP_M = 652_000.0, 6_862_000.0
"""Where the scene is put in Lambert-93 (EPSG:2154): an arbitrary place inside France."""

_ROLES = ("red", "green", "blue", "nir")
_COLOURS = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined)


def write_orthophoto(path: Path, spec: LandscapeSpec) -> Path:
    """Generate a landscape and write it like a delivered orthophoto: RGB and near infrared, Lambert-93.

    Args:
        path: Of the GeoTIFF; the truth goes into ``<stem>_truth.tif`` beside it.
        spec: What to generate.

    Returns:
        The path of the truth.
    """
    landscape = generate_landscape(spec)
    truth = path.with_name(f"{path.stem}_truth.tif")
    _write(path, landscape.image_CHW[:4], gsd_m=spec.gsd_m, nodata=None, predictor=2)
    _write(truth, landscape.classes_HW[None], gsd_m=spec.gsd_m, nodata=NODATA, predictor=1)
    return truth


def _write(
    path: Path, pixels_CHW: npt.NDArray[np.uint8], *, gsd_m: float, nodata: int | None, predictor: int
) -> None:
    num_bands, height, width = pixels_CHW.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=width,
        height=height,
        count=num_bands,
        dtype="uint8",
        crs="EPSG:2154",
        transform=from_origin(LEFT_M, TOP_M, gsd_m, gsd_m),
        nodata=nodata,
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        predictor=predictor,
    ) as file:
        if num_bands == len(_ROLES):
            file.colorinterp = _COLOURS
            for index, role in enumerate(_ROLES, start=1):
                file.set_band_description(index, role)
        file.write(pixels_CHW)


def main() -> None:
    """Write one orthophoto and say where."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--seed", type=int, default=1_000_777)
    parser.add_argument("--side-px", type=int, default=2048)
    parser.add_argument("--gsd-m", type=float, default=0.2)
    arguments = parser.parse_args()
    arguments.path.parent.mkdir(parents=True, exist_ok=True)
    truth = write_orthophoto(
        arguments.path,
        LandscapeSpec(seed=arguments.seed, side_px=arguments.side_px, gsd_m=arguments.gsd_m, defects="none"),
    )
    print(f"generated  {arguments.path} (truth: {truth})")  # noqa: T201  a command


if __name__ == "__main__":
    main()

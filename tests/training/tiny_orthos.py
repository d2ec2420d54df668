"""Orthophotos and annotations of a few hundred pixels for the tests of curation; no torch."""

import numpy as np
import pyogrio
import rasterio
import shapely
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from models.nomenclature import COSIA

LEFT_M, TOP_M, GSD_M = 652_000.0, 6_862_000.0, 0.2
SQUARE_PX = 32
COLOURS = np.random.default_rng(7).integers(30, 226, (16, 4))


def truth(*, shape=(256, 384), values=(0, 6, 12), seed=5):
    """Squares of a few classes."""
    rng = np.random.default_rng(seed)
    squares = rng.choice(values, (-(-shape[0] // SQUARE_PX), -(-shape[1] // SQUARE_PX)))
    return np.kron(squares, np.ones((SQUARE_PX, SQUARE_PX))).astype(np.uint8)[: shape[0], : shape[1]]


def write_raster(path, bands_CHW, *, left_m=LEFT_M, top_m=TOP_M, gsd_m=GSD_M, crs="EPSG:2154", **profile):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=len(bands_CHW),
        height=bands_CHW.shape[1],
        width=bands_CHW.shape[2],
        dtype="uint8",
        crs=crs,
        transform=from_origin(left_m, top_m, gsd_m, gsd_m),
        **profile,
    ) as file:
        if len(bands_CHW) == 4:
            file.colorinterp = (*file.colorinterp[:3], ColorInterp.undefined)
            for index, role in enumerate(("red", "green", "blue", "nir"), start=1):
                file.set_band_description(index, role)
        file.write(bands_CHW)
    return path


def write_ortho(path, classes_HW, *, num_bands=4, noise_seed=2, blank_rows=0, **place):
    """Colours of classes under noise: each pixel is its own."""
    rng = np.random.default_rng(noise_seed)
    noisy = COLOURS[classes_HW] + rng.normal(0, 6, (*classes_HW.shape, 4))
    image_CHW = np.clip(noisy, 1, 255).astype(np.uint8).transpose(2, 0, 1)[:num_bands].copy()
    image_CHW[:, :blank_rows] = 0
    return write_raster(path, image_CHW, photometric="RGB", nodata=0 if blank_rows else None, **place)


def write_labels(path, classes_HW, **place):
    return write_raster(path, classes_HW[None], nodata=255, **place)


def write_vector(path, shapes, fields, *, crs="EPSG:2154", driver="GPKG"):
    path.parent.mkdir(parents=True, exist_ok=True)
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object),
        field_data=[np.array(values) for values in fields.values()],
        fields=list(fields),
        geometry_type="Polygon",
        crs=crs,
        driver=driver,
    )
    return path


def write_cosia(path, classes_HW, *, left_m=LEFT_M, top_m=TOP_M, gsd_m=GSD_M):
    """One polygon a square, with the fields of CoSIA."""
    shapes, values = [], []
    for row in range(0, classes_HW.shape[0], SQUARE_PX):
        for col in range(0, classes_HW.shape[1], SQUARE_PX):
            west, north, side = left_m + col * gsd_m, top_m - row * gsd_m, SQUARE_PX * gsd_m
            shapes.append(shapely.box(west, north - side, west + side, north))
            values.append(COSIA.classes[classes_HW[row, col]])
    return write_vector(
        path,
        shapes,
        {
            "numero": np.array([each.cosia_numero or 16 for each in values], dtype=np.int32),
            "classe": np.array([each.cosia_name_fr for each in values], dtype=object),
        },
    )

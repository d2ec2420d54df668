"""A territory of a few hundred pixels: orthophotos, labels as CoSIA delivers them, and an artefact."""

import numpy as np
import onnx
import pyogrio
import rasterio
import shapely
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin
from toys import COLOURS, toy_mixture, toy_recipe, toy_scenes

from models.manifest import Training
from models.nomenclature import COSIA
from tests.artefacts import tiny_graph
from training import export
from training.export import Exported, write_artefact
from training.loop import RunLimits, fit
from training.reference import band_references
from training.scenes import load_scenes

LEFT_M, TOP_M, GSD_M = 652_000.0, 6_862_000.0, 0.2
SQUARE_PX = 32
ROLES = ("red", "green", "blue", "nir")


def without_exporter(monkeypatch):
    """Give artefacts a random graph: torch's exporter takes most of the time of tests that look at weights.

    That graphs are those of their networks is proved by the tests that leave it alone.
    """
    monkeypatch.setattr(
        export, "write_graph", lambda _, path, *, num_bands: onnx.save(tiny_graph(num_bands), path)
    )
    monkeypatch.setattr(export, "prove", lambda *_, **__: None)


def make_artefact(folder, *, model_id="toy-rgbi", num_steps=3, drift=None, **changes):
    """A toy network, exported with its weights."""
    recipe = toy_recipe(model_id="toy", **changes)
    network = fit(toy_mixture(**changes), out=folder / "run", limits=RunLimits(num_steps=num_steps)).average
    exported = Exported(
        model_id=model_id,
        title="Toy",
        bands=recipe.bands,
        temperature=1.0,
        metrics={},
        card=f"# {model_id} 0.1.0\n\nA toy.\n",
        training=Training(commit="unknown", recipe=recipe.name, seed=recipe.seed, num_steps=num_steps),
        has_weights=True,
        drift=drift,
    )
    return write_artefact(
        exported,
        network,
        recipe,
        references=band_references(toy_scenes(), recipe.bands),
        golden_NCHW=toy_scenes().image_NCHW[:1, :, :64, :96],
        folder=folder / "artefacts" / model_id,
    )


def draw_scenes(cache):
    """The generated scenes of the toy recipe, so that no test waits for a pool of processes."""
    recipe = toy_recipe()
    for spec in (recipe.train, recipe.validation):
        load_scenes(spec, bands=recipe.bands, folder=cache, num_processes=1)


def truth(*, shape=(256, 384), values=(0, 6, 12), seed=5):
    """Squares of a few classes."""
    rng = np.random.default_rng(seed)
    squares = rng.choice(values, (shape[0] // SQUARE_PX, shape[1] // SQUARE_PX))
    return np.kron(squares, np.ones((SQUARE_PX, SQUARE_PX))).astype(np.uint8)


def write_ortho(
    path, *, classes_HW, num_bands=3, gsd_m=GSD_M, left_m=LEFT_M, crs="EPSG:2154", nodata_rows=0, darker=25
):
    """An orthophoto of squares, darker than the scenes that the toy was trained on."""
    rng = np.random.default_rng(2)
    noisy = COLOURS[classes_HW] - darker + rng.normal(0, 6, (*classes_HW.shape, 4))
    image_CHW = np.clip(noisy, 1, 255).astype(np.uint8).transpose(2, 0, 1)[:num_bands].copy()
    image_CHW[:, :nodata_rows] = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=image_CHW.shape[2],
        height=image_CHW.shape[1],
        count=num_bands,
        dtype="uint8",
        crs=crs,
        transform=from_origin(left_m, TOP_M, gsd_m, gsd_m),
        nodata=0 if nodata_rows else None,
        photometric="RGB" if num_bands > 2 else "MINISBLACK",
    ) as file:
        if num_bands == 4:
            file.colorinterp = (*file.colorinterp[:3], ColorInterp.undefined)
            for index, role in enumerate(ROLES, start=1):
                file.set_band_description(index, role)
        file.write(image_CHW)
    return path


def write_class_raster(path, classes_HW, *, left_m=LEFT_M):
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=classes_HW.shape[1],
        height=classes_HW.shape[0],
        count=1,
        dtype="uint8",
        crs="EPSG:2154",
        transform=from_origin(left_m, TOP_M, GSD_M, GSD_M),
        nodata=255,
    ) as file:
        file.write(classes_HW, 1)
    return path


def write_cosia(path, classes_HW, *, names=None, numbers=None, left_m=LEFT_M, crs="EPSG:2154"):
    """One polygon a square, with the fields of CoSIA."""
    shapes, values = [], []
    for row in range(0, classes_HW.shape[0], SQUARE_PX):
        for col in range(0, classes_HW.shape[1], SQUARE_PX):
            west, north = left_m + col * GSD_M, TOP_M - row * GSD_M
            side_m = SQUARE_PX * GSD_M
            shapes.append(shapely.box(west, north - side_m, west + side_m, north))
            values.append(int(classes_HW[row, col]))
    known = COSIA.classes
    names = names or {value: known[value].cosia_name_fr for value in set(values)}
    numbers = numbers or {value: known[value].cosia_numero for value in set(values)}
    pyogrio.raw.write(
        path,
        geometry=np.array([shapely.to_wkb(shape) for shape in shapes], dtype=object),
        field_data=[
            np.array([numbers[value] or 16 for value in values], dtype=np.int32),
            np.array([names[value] for value in values], dtype=object),
        ],
        fields=["numero", "classe"],
        geometry_type="Polygon",
        crs=crs,
        driver="GPKG",
    )
    return path

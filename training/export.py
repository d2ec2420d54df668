"""Export to the contract: a graph for each band set, proved equal to the network before it is written."""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from models.artefact import MANIFEST_NAME, Artefact, describe_file, golden_name
from models.drift import DriftReference
from models.errors import RemediedError
from models.manifest import (
    BandReference,
    CoarseMetrics,
    FileSpec,
    InputSpec,
    Manifest,
    Metrics,
    OutputNames,
    Precision,
    Provenance,
    Range,
    Role,
    Training,
)
from models.subpixels import at_full_size
from training.card import lowered_section
from training.networks.compact import STRIDE_PX, SUB_PIXELS, CompactUNet
from training.networks.served import Served, fold
from training.precisions import Kept, Lowering, graph_name, lower
from training.recipes.recipe import Recipe

# Read by ONNX Runtime when it is imported; once imported, it is too late to ask for silence.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

OPSET = 20
MAX_RELATIVE_DIFFERENCE = 1e-4
"""Largest difference of logits between torch and ONNX Runtime, over their standard deviation."""
MIN_AGREEMENT = 0.9999
"""Smallest share of pixels with the same class in both."""

log = logging.getLogger(__name__)


class ParityError(RemediedError):
    """The exported graph does not compute what the network computes."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How near the graph is to the network."""

    relative_difference: float
    """Largest difference of logits over their standard deviation."""
    agreement: float
    """Share of pixels with the same class."""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """One artefact to write."""

    model_id: str
    title: str
    bands: tuple[Role, ...]
    temperature: float
    metrics: Mapping[str, Metrics]
    coarse_metrics: Mapping[str, CoarseMetrics] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    card: str
    training: Training
    has_weights: bool
    """Whether the weights and the recipe lie beside the graph."""
    drift: DriftReference | None = None
    """What imagery is compared with before it is mapped; None leaves drift unknown."""
    lowering: Lowering | None = None
    """Graphs of lower precision to try; None tries none."""
    domains: tuple[str, ...] = ("generated landscapes",)
    """Territories and campaigns that it was trained on, or adapted to."""
    licence: str = "Apache-2.0"


def write_artefact(
    exported: Exported,
    network: CompactUNet,
    recipe: Recipe,
    *,
    references: Sequence[BandReference],
    golden_NCHW: NDArray[np.uint8],
    folder: Path,
) -> Artefact:
    """Write an artefact, prove it, and only then put it in its place.

    Args:
        exported: What it is.
        network: The averaged network that was trained, over all of the recipe's bands.
        recipe: What trained it.
        references: What each of the recipe's bands looked like in training.
        golden_NCHW: Small input over all of the recipe's bands.
        folder: Its folder; one that is there is replaced.

    Raises:
        ParityError: Graph and network differ.
    """
    kept = [recipe.bands.index(band) for band in exported.bands]
    missing = [position for position in range(len(recipe.bands)) if position not in kept]
    served = Served(
        fold(network, temperature=exported.temperature, missing=missing), channels=recipe.channels
    )
    image_NCHW = np.ascontiguousarray(golden_NCHW[:, kept])
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        place = Path(scratch)
        write_graph(served.eval(), place / "model.onnx", num_bands=len(kept))
        parity = prove(
            network, place / "model.onnx", golden_NCHW, kept=kept, temperature=exported.temperature
        )
        log.info("%s: %s", exported.model_id, parity)
        lowered: Kept = {} if exported.lowering is None else lower(place, exported.lowering)
        write_golden(place, image_NCHW, lowered=tuple(lowered))
        (place / "CARD.md").write_text(exported.card + lowered_section(lowered), encoding="utf-8")
        files: dict[str, FileSpec] = {
            **{
                graph_name(precision): describe_file(
                    place / graph_name(precision), role="model", precision=precision
                )
                for precision in ("fp32", *lowered)
            },
            "golden.npz": describe_file(place / "golden.npz", role="golden"),
            "CARD.md": describe_file(place / "CARD.md", role="card"),
        }
        if exported.drift is not None:
            exported.drift.write(place / "drift.npz")
            files["drift.npz"] = describe_file(place / "drift.npz", role="drift")
        if exported.has_weights:
            state = {name: value.contiguous() for name, value in network.state_dict().items()}
            save_file(state, place / "weights.safetensors")
            (place / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n", encoding="utf-8")
            files["weights.safetensors"] = describe_file(place / "weights.safetensors", role="weights")
            files["recipe.json"] = describe_file(place / "recipe.json", role="recipe")
        manifest = _manifest(exported, recipe, references=references, kept=kept, files=files, lowered=lowered)
        return put_in_place(place, folder, manifest=manifest)


def put_in_place(place: Path, folder: Path, *, manifest: Manifest) -> Artefact:
    """Give the files of an artefact their manifest, check them, and put them where they belong.

    Args:
        place: Folder with all other files.
        folder: The artefact's own; one that is there is replaced.
        manifest: Names the files.
    """
    (place / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    Artefact.load(place).golden()
    shutil.rmtree(folder, ignore_errors=True)
    # Contents alone: scratch files are their owner's, an artefact is for everyone to read.
    folder.mkdir()
    for path in place.iterdir():
        shutil.copyfile(path, folder / path.name)
    return Artefact.load(folder)


def write_golden(place: Path, image_NCHW: NDArray[np.uint8], *, lowered: Sequence[Precision] = ()) -> None:
    """Write what the graphs beside it make of a small input."""
    classes, confidence, logits = run_graph(place / "model.onnx", image_NCHW)
    others: dict[str, Any] = {
        golden_name(each): run_graph(place / graph_name(each), image_NCHW)[0] for each in lowered
    }
    np.savez_compressed(
        place / "golden.npz",
        image_NCHW=image_NCHW,
        classes_NHW=classes,
        confidence_NHW=confidence,
        logits_NKHW=logits,
        **others,
    )


def write_graph(served: Served, path: Path, *, num_bands: int) -> None:
    """Export with any number of samples and any height and width in multiples of the stride."""
    batch, rows, columns = (torch.export.Dim(name, min=1, max=limit) for name, limit in _DIMENSIONS)
    example = torch.zeros((2, num_bands, 2 * STRIDE_PX, 3 * STRIDE_PX), dtype=torch.uint8)
    program = torch.onnx.export(
        served,
        (example,),
        dynamo=True,
        external_data=False,
        opset_version=OPSET,
        input_names=["image"],
        output_names=["classes", "confidence", "logits"],
        dynamic_shapes=({0: batch, 2: STRIDE_PX * rows, 3: STRIDE_PX * columns},),
        verbose=False,
    )
    assert program is not None
    program.save(str(path), external_data=False)
    _forget_where(path)


def _forget_where(path: Path) -> None:
    """Take out what the exporter noted of the machine: stack traces with the paths of its files."""
    model = onnx.load(path)
    graph = model.graph
    for part in (
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
        graph,
        model,
    ):
        del part.metadata_props[:]
    onnx.save(model, path)


_DIMENSIONS = (("batch", 64), ("rows", 2048), ("columns", 2048))
"""Symbol and largest value of each dynamic dimension; rows and columns count strides."""


def run_graph(
    path: Path, image_NCHW: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """Classes NHW, confidence NHW and logits NKHW of a graph, on the CPU."""
    import onnxruntime  # noqa: PLC0415 - after the variable above

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    classes, confidence, logits = session.run(["classes", "confidence", "logits"], {"image": image_NCHW})
    return classes, confidence, at_full_size(logits, factor=classes.shape[1] // logits.shape[2])


def prove(
    network: CompactUNet,
    path: Path,
    image_NCHW: NDArray[np.uint8],
    *,
    kept: Sequence[int],
    temperature: float,
) -> Parity:
    """Compare the graph with the network as it was trained: unfolded, fp32, missing bands at their means.

    Raises:
        ParityError: They differ by more than the limits of this module.
    """
    missing = [band for band in range(image_NCHW.shape[1]) if band not in kept]
    normalised_NCHW = (torch.from_numpy(image_NCHW).float() - network.mean_1C11) / network.std_1C11
    normalised_NCHW[:, missing] = 0.0
    with torch.inference_mode():
        wanted = (network.eval().logits(normalised_NCHW) / temperature).numpy()
    _, _, found = run_graph(path, np.ascontiguousarray(image_NCHW[:, list(kept)]))
    return compare(found, wanted)


def compare(
    found_NKHW: NDArray[np.float32],
    wanted_NKHW: NDArray[np.float32],
    *,
    limits: Parity | None = None,
) -> Parity:
    """How near the logits of a graph are to those of its network.

    Args:
        found_NKHW: Of the graph.
        wanted_NKHW: Of the network.
        limits: The worst that passes; None is this module's.

    Raises:
        ParityError: They differ by more, or are no numbers.
    """
    limits = limits or Parity(relative_difference=MAX_RELATIVE_DIFFERENCE, agreement=MIN_AGREEMENT)
    parity = Parity(
        relative_difference=float(np.abs(found_NKHW - wanted_NKHW).max() / wanted_NKHW.std()),
        agreement=float((found_NKHW.argmax(axis=1) == wanted_NKHW.argmax(axis=1)).mean()),
    )
    # Written so that a difference that is no number is not taken for a small one.
    is_near = parity.relative_difference <= limits.relative_difference
    if not (is_near and parity.agreement >= limits.agreement):
        raise ParityError(f"graph and network differ: {parity}")
    return parity


def _manifest(
    exported: Exported,
    recipe: Recipe,
    *,
    references: Sequence[BandReference],
    kept: Sequence[int],
    files: dict[str, FileSpec],
    lowered: Kept,
) -> Manifest:
    finest, coarsest, nominal = recipe.gsd_m
    return Manifest(
        id=exported.model_id,
        version=recipe.version,
        title=exported.title,
        inputs=(
            InputSpec(
                name="image",
                bands=exported.bands,
                dtype="uint8",
                gsd_m=Range(min=finest, max=coarsest, nominal=nominal),
                core_px=recipe.core_px,
                halo_px=recipe.halo_px,
                stride_px=STRIDE_PX,
            ),
        ),
        outputs=OutputNames(logits_factor=SUB_PIXELS),
        nomenclature=recipe.nomenclature,
        channels=recipe.channels,
        domains=exported.domains,
        reference={"image": tuple(references[position] for position in kept)},
        metrics=dict(exported.metrics),
        coarse_metrics=dict(exported.coarse_metrics),
        provenance=dict(exported.provenance),
        lowered=lowered,
        temperature=exported.temperature,
        licence=exported.licence,
        training=exported.training,
        files=files,
    )

"""An imported checkpoint as an artefact: the graph proved equal to the network that was published."""

import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn

from models.artefact import Artefact, describe_file
from models.manifest import FileRole, FileSpec, InputSpec, Manifest, Range, Role, Training
from models.nomenclature import COSIA
from training.data.landscapes import LandscapeSpec, generate_landscape
from training.export import Parity, compare, put_in_place, run_graph, write_golden, write_graph
from training.importing.cards import write_card
from training.importing.checkpoint import read_tensors
from training.importing.hub import Checkpoint
from training.importing.layouts import Weights, take_weights
from training.importing.published import (
    CORE_PX,
    GSD_M,
    HALO_PX,
    LICENCE,
    NUM_CHANNELS,
    STATISTICS,
    Published,
)
from training.networks.served import Served
from training.networks.unet_resnet34 import STRIDE_PX, RawPixels, UNetResNet34

VERSION = "1.0.0"
"""Of the conversion: raised when the same checkpoint would become another graph."""

LIMITS = Parity(relative_difference=5e-4, agreement=0.999)
"""Random weights give up to 7e-5 in fp32, from the order of sums alone; a wrong graph gives 1 and more."""

_GOLDEN_PX = (96, 128)
_GOLDEN_SEED = 1_000_012
_LANDSCAPE_BANDS: tuple[Role, ...] = ("red", "green", "blue", "nir", "height")
_ROLES: dict[str, FileRole] = {
    "golden.npz": "golden",
    "CARD.md": "card",
    "weights.safetensors": "weights",
    "recipe.json": "recipe",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What is made of a checkpoint."""

    model_id: str
    published: Published
    """Whose layout, bands and classes it has."""
    without_metadata: bool = False
    """Whether a network that was trained with metadata may be run without."""
    commit: str = "unknown"
    """Of this repository."""

    @property
    def is_published(self) -> bool:
        """Whether it goes by the published model's own name."""
        return self.model_id == self.published.name


def convert(imported: Imported, checkpoint: Checkpoint, *, into: Path) -> Artefact:
    """Write the artefact, prove it, and only then put it in its place.

    Args:
        imported: What it is.
        checkpoint: Its weights.
        into: Folder of artefact folders; an artefact of that id is replaced.

    Raises:
        ImportRefused: The checkpoint is not the one that it is said to be.
        ParityError: The graph does not compute what the network computes.
    """
    published = imported.published
    weights = take_weights(
        read_tensors(checkpoint.path), published, without_metadata=imported.without_metadata
    )
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=".import-") as scratch:
        place = Path(scratch)
        network = build_network(weights, published)
        served = Served(cut_head(network, published), channels=published.values)
        write_graph(served.eval(), place / "model.onnx", num_bands=len(published.bands))
        image_NCHW = golden_image(published.bands)
        parity = prove(network, published, graph=place / "model.onnx", image_NCHW=image_NCHW)
        log.info("%s: %s", imported.model_id, parity)
        write_golden(place, image_NCHW)
        save_file(weights.state, place / "weights.safetensors")
        _write_texts(place, imported, checkpoint, weights=weights, parity=parity)
        manifest = _manifest(imported, checkpoint, files=_describe(place))
        return put_in_place(place, into / imported.model_id, manifest=manifest)


def build_network(weights: Weights, published: Published) -> RawPixels:
    """The network as it was published, all channels of its head in place, taking raw pixels."""
    network = UNetResNet34(num_bands=len(published.bands), num_channels=NUM_CHANNELS)
    network.load_state_dict(weights.state, strict=True)
    mean, std = zip(*(STATISTICS[band] for band in published.bands), strict=True)
    return RawPixels(network, mean=mean, std=std).eval()


def cut_head(whole: RawPixels, published: Published) -> RawPixels:
    """The same network without the channels that training gave no weight.

    Nothing else keeps them from winning; and they would widen the range of an 8-bit head.
    """
    unet = whole.network
    assert isinstance(unet, UNetResNet34)
    cut = UNetResNet34(num_bands=len(published.bands), num_channels=len(published.channels))
    live = list(published.channels)
    state = dict(unet.state_dict())
    for name in ("segmentation_head.0.weight", "segmentation_head.0.bias"):
        state[name] = state[name][live]
    cut.load_state_dict(state, strict=True)
    mean_1C11, std_1C11 = whole.mean_1C11, whole.std_1C11
    return RawPixels(cut, mean=mean_1C11.ravel().tolist(), std=std_1C11.ravel().tolist()).eval()


def prove(network: nn.Module, published: Published, *, graph: Path, image_NCHW: NDArray[np.uint8]) -> Parity:
    """Compare the graph with the whole published network, its dead channels left out of the answer.

    Raises:
        ParityError: They differ.
    """
    with torch.inference_mode():
        wanted_NKHW = network(torch.from_numpy(image_NCHW))[:, list(published.channels)].numpy()
    classes_NHW, _, found_NKHW = run_graph(graph, image_NCHW)
    parity = compare(found_NKHW, wanted_NKHW, limits=LIMITS)
    assert (classes_NHW == np.array(published.values)[found_NKHW.argmax(axis=1)]).all()
    return parity


def golden_image(bands: Sequence[Role]) -> NDArray[np.uint8]:
    """A corner of a generated landscape, uint8 [1, C, H, W]: the same for every import."""
    height, width = _GOLDEN_PX
    spec = LandscapeSpec(seed=_GOLDEN_SEED, side_px=max(_GOLDEN_PX), gsd_m=GSD_M[2], defects="none")
    rows = [_LANDSCAPE_BANDS.index(band) for band in bands]
    return np.ascontiguousarray(generate_landscape(spec).image_CHW[None, rows, :height, :width])


def _write_texts(
    place: Path, imported: Imported, checkpoint: Checkpoint, *, weights: Weights, parity: Parity
) -> None:
    published = imported.published
    recipe = {
        "network": "unet-resnet34",
        "bands": published.bands,
        "num_channels": NUM_CHANNELS,
        "channels": dict(zip(map(str, published.channels), published.values, strict=True)),
        "mean": [STATISTICS[band][0] for band in published.bands],
        "std": [STATISTICS[band][1] for band in published.bands],
        "source": checkpoint.source,
        "source_sha256": checkpoint.sha256,
        "left_out": weights.left_out,
    }
    (place / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")
    card = write_card(
        imported.model_id,
        published,
        checkpoint,
        left_out=weights.left_out,
        parity=parity,
        version=VERSION,
    )
    (place / "CARD.md").write_text(card, encoding="utf-8")


def _describe(place: Path) -> dict[str, FileSpec]:
    files = {"model.onnx": describe_file(place / "model.onnx", role="model", precision="fp32")}
    return files | {name: describe_file(place / name, role=role) for name, role in _ROLES.items()}


def _manifest(imported: Imported, checkpoint: Checkpoint, *, files: dict[str, FileSpec]) -> Manifest:
    published = imported.published
    finest, coarsest, nominal = GSD_M
    whose = "IGN's" if imported.is_published else "Imported"
    bands, classes = len(published.bands), len(published.channels)
    return Manifest(
        id=imported.model_id,
        version=VERSION,
        title=f"{whose} FLAIR-INC U-Net ResNet-34, {bands} bands, {classes} classes",
        inputs=(
            InputSpec(
                name="image",
                bands=published.bands,
                dtype="uint8",
                gsd_m=Range(min=finest, max=coarsest, nominal=nominal),
                core_px=CORE_PX,
                halo_px=HALO_PX,
                stride_px=STRIDE_PX,
            ),
        ),
        nomenclature=COSIA.id,
        channels=published.values,
        domains=("BD ORTHO of metropolitan France, 75 départements and campaigns (FLAIR-INC)",),
        reference={},
        metrics={},
        licence=LICENCE,
        training=Training(
            commit=imported.commit, recipe=f"import of {checkpoint.source}", seed=None, num_steps=None
        ),
        files=files,
    )

"""Models to measure with, made once: random weights, the contract of a real artefact.

What they answer means nothing; how fast they answer does. The shipped model needs no making.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from benchmarks.scenes import BENCH_FOLDER, LANDSCAPE_PX, NUM_BANDS, U8, SceneSpec, make_scene, read_corner
from models.artefact import MANIFEST_NAME, Artefact, describe_file
from models.manifest import InputSpec, Manifest, Metrics, OutputNames, Range, Training
from models.nomenclature import COSIA
from training.export import run_graph, write_graph
from training.networks.compact import CompactSpec, CompactUNet
from training.networks.served import Served, fold, logits_factor
from training.networks.unet_resnet34 import STRIDE_PX, RawPixels, UNetResNet34, settle_norms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOME_FOLDER = BENCH_FOLDER
"""``ORTHOSCAPE_HOME`` of the benchmarks: their models lie in its ``models``."""

CORE_PX, HALO_PX = 1024, 80
RESNET34, CHEAP = "bench-resnet34", "bench-cheap"

_SEED = 20
_GOLDEN_PX = 128
_NUM_CLASSES = len(COSIA.classes)
_MEAN, _STD = 110.0, 50.0
_SKIP_GAIN = 0.05


def make_artefact(model_id: str) -> Artefact:
    """One of the artefacts of this module, written into ``.bench/models`` if it is not there."""
    folder = HOME_FOLDER / "models" / model_id
    if not folder.exists():
        part = folder.with_name(f".{model_id}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with torch.random.fork_rng():
            torch.manual_seed(_SEED)
            _write(part, model_id, _BUILDERS[model_id](_corner(LANDSCAPE_PX)))
        part.replace(folder)
    return Artefact.load(folder)


def _resnet34(image_NCHW: torch.Tensor) -> torch.nn.Module:
    """A U-Net ResNet-34, its normalisations settled on a landscape."""
    network = UNetResNet34(num_bands=NUM_BANDS, num_channels=_NUM_CLASSES)
    for step, num_skip in zip(network.decoder.blocks, (256, 128, 64, 64, 0), strict=True):
        _prefer_coarse(_first_conv(step), num_skip=num_skip)
    _blur(network.decoder, network.segmentation_head)
    settle_norms(network, (image_NCHW.float() - _MEAN) / _STD)
    return RawPixels(network, mean=(_MEAN,) * NUM_BANDS, std=(_STD,) * NUM_BANDS)


def _cheap(image_NCHW: torch.Tensor) -> torch.nn.Module:
    """The compact U-Net with few features, so that the engine's memory is small beside everything else's."""
    network = CompactUNet(
        CompactSpec(
            num_bands=NUM_BANDS,
            num_channels=_NUM_CLASSES,
            widths=(4, 4, 8, 8, 8),
            mean=(_MEAN,) * NUM_BANDS,
            std=(_STD,) * NUM_BANDS,
        )
    )
    for step in network.up:
        _prefer_coarse(_first_conv(step), num_skip=_first_conv(step).out_channels)
    _blur(network.up, network.top, network.head)
    with torch.no_grad():  # one class for the four pixels of a step
        for parameter in network.head.parameters():
            parameter.copy_(parameter[::4].repeat_interleave(4, dim=0))
    settle_norms(network, image_NCHW)
    return fold(network, temperature=1.0)


_BUILDERS: dict[str, Callable[[torch.Tensor], torch.nn.Module]] = {RESNET34: _resnet34, CHEAP: _cheap}


def _first_conv(step: torch.nn.Module) -> torch.nn.Conv2d:
    return next(module for module in step.modules() if isinstance(module, torch.nn.Conv2d))


def _prefer_coarse(conv: torch.nn.Conv2d, *, num_skip: int) -> None:
    """Turn down what a convolution takes from the encoder's skip, the last part of its input.

    With `_blur`, it gives maps of areas, as land cover has; plain random weights give noise, which would
    make writing, compressing and overviews slower than any real map does.
    """
    with torch.no_grad():
        conv.weight[:, conv.in_channels - num_skip :] *= _SKIP_GAIN


def _blur(*parts: torch.nn.Module) -> None:
    """Make every kernel of some parts constant over its window."""
    with torch.no_grad():
        for part in parts:
            for module in part.modules():
                if isinstance(module, torch.nn.Conv2d):
                    module.weight.copy_(module.weight.mean(dim=(2, 3), keepdim=True).expand_as(module.weight))


def _corner(side_px: int) -> torch.Tensor:
    """The first pixels (1, C, H, W) of a scene."""
    return torch.from_numpy(_golden(side_px))


def _golden(side_px: int) -> U8:
    return read_corner(make_scene(SceneSpec(side_px=LANDSCAPE_PX)), height=side_px, width=side_px)[None]


def _write(folder: Path, model_id: str, network: torch.nn.Module) -> None:
    # Any network from raw pixels to logits will do for the graph, whatever was trained first.
    served = Served(cast("CompactUNet", network.eval()), channels=range(_NUM_CLASSES))
    write_graph(served.eval(), folder / "model.onnx", num_bands=NUM_BANDS)
    image_NCHW = _golden(_GOLDEN_PX)
    classes_NHW, confidence_NHW, logits_NKHW = run_graph(folder / "model.onnx", image_NCHW)
    np.savez_compressed(
        folder / "golden.npz",
        image_NCHW=image_NCHW,
        classes_NHW=classes_NHW,
        confidence_NHW=confidence_NHW,
        logits_NKHW=logits_NKHW,
    )
    (folder / "CARD.md").write_text("# Random weights, to measure speed with\n", encoding="utf-8")
    manifest = Manifest(
        id=model_id,
        version="1.0.0",
        title="Random weights, to measure speed with",
        inputs=(
            InputSpec(
                name="image",
                bands=("red", "green", "blue", "nir"),
                dtype="uint8",
                gsd_m=Range(min=0.15, nominal=0.2, max=0.5),
                core_px=CORE_PX,
                halo_px=HALO_PX,
                stride_px=STRIDE_PX,
            ),
        ),
        outputs=OutputNames(logits_factor=logits_factor(network)),
        nomenclature=COSIA.id,
        channels=tuple(range(_NUM_CLASSES)),
        domains=("none",),
        reference={},
        metrics={
            "none": Metrics(
                num_scenes=1, num_pixels=1, gsd_m=(0.2, 0.2), miou=0.0, overall_accuracy=0.0, iou={}
            )
        },
        licence="Apache-2.0",
        training=Training(commit="none", recipe="random weights", seed=_SEED, num_steps=1),
        files={
            "model.onnx": describe_file(folder / "model.onnx", role="model", precision="fp32"),
            "golden.npz": describe_file(folder / "golden.npz", role="golden"),
            "CARD.md": describe_file(folder / "CARD.md", role="card"),
        },
    )
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")

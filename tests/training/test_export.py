"""An exported graph computes what the network computes, and its folder is a sound artefact."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toys import EXPORTS, toy_mixture, toy_recipe, toy_scenes

from models.artefact import Artefact
from models.manifest import Training
from training import export
from training.export import Exported, ParityError, prove, run_graph, write_artefact
from training.loop import RunLimits, fit
from training.reference import read_reference, write_reference

CHANNELS = (12, 0, 6)
pytestmark = EXPORTS


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A recipe, its run folder and its network, trained for a moment."""
    out = tmp_path_factory.mktemp("run")
    recipe = toy_recipe(channels=CHANNELS)
    write_reference(toy_scenes(), recipe.bands, out=out)
    return recipe, out, fit(toy_mixture(channels=CHANNELS), out=out, limits=RunLimits(num_steps=5)).average


@pytest.fixture(
    scope="module", params=[("red", "green", "blue", "nir"), ("red", "green", "blue")], ids=["rgbi", "rgb"]
)
def artefact(trained, request, tmp_path_factory):
    recipe, out, network = trained
    exported = Exported(
        model_id="toy",
        title="Toy",
        bands=request.param,
        temperature=1.3,
        metrics={},
        card="# Toy\n",
        training=Training(commit="unknown", recipe=recipe.name, seed=recipe.seed, num_steps=5),
        has_weights="nir" in request.param,
    )
    return write_artefact(
        exported,
        network,
        recipe,
        references=read_reference(out).bands,
        golden_NCHW=toy_scenes().image_NCHW[:1, :, :64, :96],
        folder=tmp_path_factory.mktemp("artefacts") / "toy",
    )


def test_the_folder_is_a_sound_artefact(artefact):
    again = Artefact.load(artefact.folder)
    assert again.digest == artefact.digest
    assert [band.band for band in again.manifest.reference["image"]] == list(again.manifest.inputs[0].bands)
    assert again.manifest.channels == CHANNELS
    assert ("weights.safetensors" in again.manifest.files) == ("nir" in again.manifest.inputs[0].bands)
    # Others than the exporter read it.
    assert (artefact.folder / "model.onnx").stat().st_mode & 0o044 == 0o044


def test_the_golden_sample_comes_back(artefact):
    golden = artefact.golden()
    classes_NHW, confidence_NHW, logits_NKHW = run_graph(artefact.model_path(), golden.image_NCHW)
    assert (classes_NHW == golden.classes_NHW).all()
    assert (confidence_NHW == golden.confidence_NHW).all()
    np.testing.assert_allclose(logits_NKHW, golden.logits_NKHW, atol=1e-5)


def test_any_number_and_size_in_strides(artefact):
    num_bands = len(artefact.manifest.inputs[0].bands)
    for shape in ((1, num_bands, 32, 32), (3, num_bands, 96, 64), (1, num_bands, 32, 160)):
        image_NCHW = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        classes_NHW, confidence_NHW, logits_NKHW = run_graph(artefact.model_path(), image_NCHW)
        assert classes_NHW.shape == confidence_NHW.shape == (shape[0], *shape[2:])
        assert (classes_NHW == np.array(CHANNELS)[logits_NKHW.argmax(axis=1)]).all()
        assert set(np.unique(classes_NHW)) <= set(CHANNELS)
        assert confidence_NHW.max() <= 100
        shifted = logits_NKHW - logits_NKHW.max(axis=1, keepdims=True)
        percent = 100 / np.exp(shifted).sum(axis=1)
        assert np.abs(confidence_NHW - percent).max() <= 0.5 + 1e-3


def test_a_graph_of_another_network_is_refused(trained, artefact):
    _, _, network = trained
    image_NCHW = toy_scenes().image_NCHW[:1, :, :64, :64]
    with pytest.raises(ParityError):
        prove(
            network,
            artefact.model_path(),
            image_NCHW,
            kept=range(len(artefact.manifest.inputs[0].bands)),
            temperature=2.6,
        )


def test_weights_come_back_for_adaptation(trained, artefact):
    _, _, network = trained
    if "weights.safetensors" not in artefact.manifest.files:
        pytest.skip("the weights lie beside the graph that reads all bands")
    weights = load_file(artefact.file_of("weights"))
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in weights.items())


def test_telemetry_is_off_before_the_runtime_is_imported():
    source = Path(export.__file__).read_text()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert source.index('os.environ["ORT_DISABLE_TELEMETRY"]') < source.index("import onnxruntime")

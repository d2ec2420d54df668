"""Every packaged artefact gives its golden output here, through the runtime that the service uses."""

import os

import numpy as np
import pytest

from models.registry import PACKAGED_FOLDER, Registry
from models.subpixels import at_full_size

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when the runtime is imported
onnxruntime = pytest.importorskip("onnxruntime")

REGISTRY = Registry([PACKAGED_FOLDER])


@pytest.fixture(params=REGISTRY.ids())
def artefact(request):
    return REGISTRY.get(request.param)


def run(artefact, image_NCHW):
    session = onnxruntime.InferenceSession(str(artefact.model_path()), providers=["CPUExecutionProvider"])
    names = artefact.manifest.outputs
    wanted = [names.classes, names.confidence, names.logits]
    classes, confidence, logits = session.run(wanted, {artefact.manifest.inputs[0].name: image_NCHW})
    return classes, confidence, at_full_size(logits, factor=names.logits_factor)


def test_nothing_packaged_is_damaged():
    assert not REGISTRY.unreadable()
    assert {artefact.manifest.id for artefact in REGISTRY.defaults()} <= set(REGISTRY.ids())


def test_golden_output_comes_back(artefact):
    golden = artefact.golden()
    classes_NHW, confidence_NHW, logits_NKHW = run(artefact, golden.image_NCHW)
    assert (classes_NHW == golden.classes_NHW).mean() >= 0.9999
    assert np.abs(confidence_NHW.astype(int) - golden.confidence_NHW.astype(int)).max() <= 1
    assert np.abs(logits_NKHW - golden.logits_NKHW).max() <= 1e-3 * golden.logits_NKHW.std()


def test_classes_are_the_channels_values(artefact):
    golden = artefact.golden()
    values = np.array(artefact.manifest.channels)[golden.logits_NKHW.argmax(axis=1)]
    assert (values == golden.classes_NHW).all()


def test_confidence_is_the_largest_softmax(artefact):
    golden = artefact.golden()
    shifted = golden.logits_NKHW - golden.logits_NKHW.max(axis=1, keepdims=True)
    percent = 100 / np.exp(shifted).sum(axis=1)
    assert np.abs(golden.confidence_NHW - percent).max() <= 0.51


def test_the_graph_takes_any_size_in_strides(artefact):
    spec = artefact.manifest.inputs[0]
    image_NCHW = np.zeros((2, len(spec.bands), spec.stride_px, 3 * spec.stride_px), dtype=np.uint8)
    classes_NHW, _, _ = run(artefact, image_NCHW)
    assert classes_NHW.shape == (2, spec.stride_px, 3 * spec.stride_px)


def test_the_card_says_what_was_never_seen(artefact):
    provenance = artefact.manifest.provenance
    unseen = [slug for slug, told in provenance.items() if told == "synthetic-only"]
    if len(unseen) == len(provenance):
        assert "never seen a real image" in artefact.card()
        return
    assert "never seen a real image" not in artefact.card()
    assert all(f"| {slug.replace('_', ' ')} |" in artefact.card() for slug in unseen)
    assert artefact.card().count("| synthetic-only |") == len(unseen)
    assert all(f"| {domain} |" in artefact.card() for domain in artefact.manifest.coarse_metrics)

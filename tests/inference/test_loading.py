"""An engine proves itself on what its own graph gave at export, before it is trusted with a pixel."""

import json

import numpy as np
import pytest

from models.artefact import MANIFEST_NAME, Artefact, describe_file
from models.errors import PrecisionMissing
from service.errors import EngineError
from service.inference.loading import load_engine
from service.inference.offering import offered_class
from tests.artefacts import write_tiny_artefact


@pytest.fixture
def artefact(tmp_path):
    return write_tiny_artefact(tmp_path, has_int8=True)


def with_golden(artefact, **changes):
    """The artefact with other arrays in its golden sample."""
    path = artefact.folder / "golden.npz"
    arrays = dict(np.load(path)) | changes
    np.savez_compressed(path, **arrays)
    content = json.loads((artefact.folder / MANIFEST_NAME).read_text())
    content["files"]["golden.npz"] = describe_file(path, role="golden").model_dump()
    (artefact.folder / MANIFEST_NAME).write_text(json.dumps(content))
    return Artefact.load(artefact.folder)


def test_each_precision_is_held_to_its_own_golden_classes(artefact):
    spoilt = with_golden(artefact, classes_int8_NHW=np.full_like(artefact.golden().classes_NHW, 3))
    load_engine(spoilt, name="onnxruntime", num_threads=1)
    with pytest.raises(EngineError, match=r"int8 .* of the golden input"):
        load_engine(spoilt, name="onnxruntime", num_threads=1, precision="int8")


def test_precisions_are_classes_that_never_meet(artefact):
    classes = {
        precision: load_engine(
            artefact, name="onnxruntime", num_threads=1, precision=precision
        ).profile.profile_class
        for precision in ("fp32", "int8")
    }
    assert classes["fp32"] != classes["int8"]
    assert classes == {precision: offered_class("onnxruntime", precision) for precision in classes}


def test_a_graph_that_is_not_there_is_not_replaced_by_another(tmp_path):
    with pytest.raises(PrecisionMissing):
        load_engine(write_tiny_artefact(tmp_path), name="onnxruntime", num_threads=1, precision="int8")


@pytest.mark.parametrize(("name", "precision"), [("onnxruntime", "fp16"), ("openvino", "fp16")])
def test_an_engine_offers_what_it_computes_in(artefact, name, precision):
    for ask in (
        lambda: load_engine(artefact, name=name, num_threads=1, precision=precision),
        lambda: offered_class(name, precision),
    ):
        with pytest.raises(EngineError, match="not in fp16"):
            ask()

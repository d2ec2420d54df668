"""A tiny artefact for tests: seconds become milliseconds, the contract stays the same.

Two random convolutions that see 5 px around a pixel, so that a wrong halo, seam or order of bands shows.
Written with onnx alone; it has never been trained on anything.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from models.artefact import MANIFEST_NAME, Artefact, describe_file, golden_name
from models.drift import DriftReference
from models.manifest import Faithfulness, InputSpec, Manifest, Metrics, OutputNames, Range, Training
from service.inference.onnx_engine import import_onnxruntime
from training.quantisation import write_int8

BANDS = {"tiny-rgb": ("red", "green", "blue"), "tiny-rgbi": ("red", "green", "blue", "nir")}
NEARLY = Faithfulness(num_pixels=1, agreement=0.99, metric="miou", score=0.0, fp32_score=0.0)
"""Nobody measured it."""
CORE_PX, HALO_PX, STRIDE_PX = 64, 8, 16


def write_tiny_artefact(
    folder: Path,
    model_id: str = "tiny-rgb",
    *,
    gsd_m=(0.15, 0.2, 0.5),
    seed=0,
    has_int8=False,
    drift: DriftReference | None = None,
):
    """Write the artefact into ``folder/model_id`` and load it.

    On request with an int8 graph beside fp32, or with what drift is measured against.
    """
    place = folder / model_id
    place.mkdir(parents=True)
    bands = BANDS[model_id]
    onnx.save(tiny_graph(len(bands), seed=seed), place / "model.onnx")
    rng = np.random.default_rng(seed)
    image_NCHW = rng.integers(0, 256, (1, len(bands), 96, 96), dtype=np.uint8)
    session = import_onnxruntime().InferenceSession(place / "model.onnx")
    classes_NHW, confidence_NHW, logits_NKHW = session.run(None, {"image": image_NCHW})
    lowered = _write_int8(place, image_NCHW) if has_int8 else {}
    np.savez_compressed(
        place / "golden.npz",
        **lowered,
        image_NCHW=image_NCHW,
        classes_NHW=classes_NHW,
        confidence_NHW=confidence_NHW,
        logits_NKHW=logits_NKHW,
    )
    if drift is not None:
        drift.write(place / "drift.npz")
    (place / "CARD.md").write_text("# A random network for tests\n", encoding="utf-8")
    manifest = Manifest(
        id=model_id,
        version="1.0.0",
        title="Random, for tests",
        inputs=(
            InputSpec(
                name="image",
                bands=bands,
                dtype="uint8",
                gsd_m=Range(min=gsd_m[0], nominal=gsd_m[1], max=gsd_m[2]),
                core_px=CORE_PX,
                halo_px=HALO_PX,
                stride_px=STRIDE_PX,
            ),
        ),
        outputs=OutputNames(),
        nomenclature="cosia-16",
        channels=tuple(range(16)),
        domains=("none",),
        reference={},
        metrics={
            "none": Metrics(
                num_scenes=1,
                num_pixels=1,
                gsd_m=(0.2, 0.2),
                miou=0.0,
                overall_accuracy=0.0,
                iou={"water": 0.0},
            )
        },
        lowered={"int8": {"none": NEARLY}} if has_int8 else {},
        licence="Apache-2.0",
        training=Training(commit="none", recipe="none", seed=seed, num_steps=1),
        files={
            **(
                {"model.int8.onnx": describe_file(place / "model.int8.onnx", role="model", precision="int8")}
                if has_int8
                else {}
            ),
            **({"drift.npz": describe_file(place / "drift.npz", role="drift")} if drift else {}),
            "model.onnx": describe_file(place / "model.onnx", role="model", precision="fp32"),
            "golden.npz": describe_file(place / "golden.npz", role="golden"),
            "CARD.md": describe_file(place / "CARD.md", role="card"),
        },
    )
    (place / MANIFEST_NAME).write_text(manifest.model_dump_json(), encoding="utf-8")
    return Artefact.load(place)


def _write_int8(place: Path, image_NCHW):
    """Write an int8 graph beside the other, and give its golden classes."""
    graph = place / "model.int8.onnx"
    write_int8(place / "model.onnx", graph, windows=[image_NCHW], input_name="image")
    classes_NHW, _, _ = import_onnxruntime().InferenceSession(graph).run(None, {"image": image_NCHW})
    return {golden_name("int8"): classes_NHW}


def tiny_graph(num_bands: int, *, seed: int = 0) -> onnx.ModelProto:
    """Random convolutions with the outputs of the contract, over 16 channels."""
    rng = np.random.default_rng(seed)
    weights = {
        "first": rng.normal(0, 1, (12, num_bands, 7, 7)) / 128,
        "second": rng.normal(0, 1, (16, 12, 5, 5)) / 6,
        "middle": np.array(127.5),
        "hundred": np.array(100.0),
        "channel_axis": np.array([1], dtype=np.int64),
    }
    initializers = [
        numpy_helper.from_array(value if value.dtype == np.int64 else value.astype(np.float32), name)
        for name, value in weights.items()
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["raw"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["raw", "middle"], ["centred"]),
        helper.make_node("Conv", ["centred", "first"], ["a"], pads=[3, 3, 3, 3]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "second"], ["logits"], pads=[2, 2, 2, 2]),
        helper.make_node("ArgMax", ["logits"], ["best"], axis=1, keepdims=0),
        helper.make_node("Cast", ["best"], ["classes"], to=TensorProto.UINT8),
        helper.make_node("ReduceMax", ["logits", "channel_axis"], ["top"], keepdims=1),
        helper.make_node("Sub", ["logits", "top"], ["below"]),
        helper.make_node("Exp", ["below"], ["odds"]),
        helper.make_node("ReduceSum", ["odds", "channel_axis"], ["total"], keepdims=0),
        helper.make_node("Div", ["hundred", "total"], ["percent"]),
        helper.make_node("Round", ["percent"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["confidence"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", num_bands, "h", "w"])],
        [
            helper.make_tensor_value_info("classes", TensorProto.UINT8, ["n", "h", "w"]),
            helper.make_tensor_value_info("confidence", TensorProto.UINT8, ["n", "h", "w"]),
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 16, "h", "w"]),
        ],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)

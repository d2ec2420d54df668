"""Graphs of lower precision, made from the fp32 graph of an artefact.

What is small and sensitive stays in float: normalisation, the head and everything after it, and where that
is asked for the first convolution. Whether a graph is good enough is not decided here; see
``training.precisions``.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from training.halving import halve

# Read by ONNX Runtime when it is imported; once imported, it is too late to ask for silence.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


class NothingToLower(Exception):
    """The graph has no convolution that does not stay in float."""


def write_int8(
    graph: Path,
    path: Path,
    *,
    windows: Iterable[NDArray[np.uint8]],
    input_name: str,
    first_in_float: bool = False,
) -> None:
    """Write a graph that computes in 8 bits, as static QDQ: ONNX Runtime and OpenVINO run the same file.

    Weights have a scale for each output channel and take 7 of their 8 bits: processors without VNNI add
    products in pairs, in 16 bits, which would saturate.

    Args:
        graph: In fp32.
        path: Where the new one goes.
        windows: Raw pixels uint8 [N, C, H, W] like those that the model will meet, of territories trained on
            and of those that it is for: an activation's range is its smallest and largest value over them.
        input_name: Of the graph.
        first_in_float: Whether the first convolution stays in float: all bands have to share one scale, and
            what it loses nothing mends. Costs some speed.

    Raises:
        NothingToLower: There is no convolution to quantise.
    """
    from onnxruntime.quantization import (  # noqa: PLC0415 - after the variable above
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        # Batch normalisation that is still there goes into the convolutions, and shapes become known.
        quant_pre_process(str(graph), str(prepared), skip_symbolic_shape=True)
        model = _load(prepared)
        onnx.save(model, prepared)
        lowered = _lowered(model, first_in_float=first_in_float)
        quantize_static(
            prepared,
            path,
            _Windows(windows, input_name=input_name),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=[node.name for node in model.graph.node if node.name not in lowered],
        )


def write_fp16(graph: Path, path: Path) -> None:
    """Write a graph that computes in half precision, for GPUs.

    Args:
        graph: In fp32.
        path: Where the new one goes.

    Raises:
        NothingToLower: There is no convolution to convert.
    """
    model = _load(graph)
    halve(model, _lowered(model, first_in_float=False))
    onnx.save(model, path)


def _lowered(model: onnx.ModelProto, *, first_in_float: bool) -> frozenset[str]:
    """Names of the nodes that lie from the first convolution, or after it, to the last, the head.

    Raises:
        NothingToLower: There is no convolution among them.
    """
    nodes = list(model.graph.node)
    convolutions = [index for index, node in enumerate(nodes) if node.op_type == "Conv"]
    if len(convolutions) < 2 + first_in_float:
        raise NothingToLower(f"all of its {len(convolutions)} convolutions stay in float")
    return frozenset(node.name for node in nodes[convolutions[0] + first_in_float : convolutions[-1]])


def _load(graph: Path) -> onnx.ModelProto:
    """A graph whose nodes all have a name, and whose tensors have types."""
    model = onnx.shape_inference.infer_shapes(onnx.load(graph))
    for number, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{number}"
    return model


class _Windows:
    """Windows, as ONNX Runtime's calibration asks for them."""

    def __init__(self, windows: Iterable[NDArray[np.uint8]], *, input_name: str) -> None:
        self._rest: Iterator[NDArray[np.uint8]] = iter(windows)
        self._input_name = input_name

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next window by the name of the input; None after the last."""
        window = next(self._rest, None)
        return None if window is None else {self._input_name: window}

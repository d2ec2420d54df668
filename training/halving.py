"""A part of an ONNX graph turned to half precision, with casts where it meets the rest.

ONNX Runtime has a converter too. It rounds what stays in float as well, wherever it lies between two nodes,
and the logits with it.
"""

from collections.abc import Collection

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def halve(model: onnx.ModelProto, nodes: Collection[str]) -> None:
    """Turn nodes to fp16, in place; what the graph reads and gives keeps its types.

    Args:
        model: Whose tensors have types.
        nodes: Names of the nodes that shall compute in fp16.
    """
    halving = _Halving(model)
    for node in model.graph.node:
        halving.take(node, is_half=node.name in nodes)
    for output in model.graph.output:
        halving.as_float(output.name)
    del model.graph.node[:], model.graph.value_info[:]  # types of before
    model.graph.node.extend(halving.nodes)
    used = {name for node in halving.nodes for name in node.input}
    for unused in [weight for weight in model.graph.initializer if weight.name not in used]:
        model.graph.initializer.remove(unused)
    onnx.checker.check_model(model)


class _Halving:
    """The nodes of the new graph, one after the other; a tensor ``x`` in half is called ``x_fp16``."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self._graph = model.graph
        self._weights = {weight.name: weight for weight in model.graph.initializer}
        typed = {info.name: info.type.tensor_type.elem_type for info in model.graph.value_info}
        typed |= {info.name: info.type.tensor_type.elem_type for info in model.graph.output}
        typed |= {name: weight.data_type for name, weight in self._weights.items()}
        self._floats = {name for name, kind in typed.items() if kind == TensorProto.FLOAT}
        self._made_in_half: set[str] = set()
        self._there: set[str] = set()

    def take(self, node: onnx.NodeProto, *, is_half: bool) -> None:
        """Add a node, and before it the casts that it needs."""
        if not is_half:
            for name in node.input:
                self.as_float(name)
            self.nodes.append(node)
            return
        # Regions and scales of a Resize are float by its definition.
        num_halves = 1 if node.op_type == "Resize" else len(node.input)
        for position, name in enumerate(node.input[:num_halves]):
            if name in self._floats:
                node.input[position] = self._as_half(name)
        for position, name in enumerate(node.output):
            if name in self._floats:
                node.output[position] = f"{name}_fp16"
                self._made_in_half.add(name)
                self._there.add(f"{name}_fp16")
        self.nodes.append(node)

    def as_float(self, name: str) -> None:
        """Cast a tensor back that was made in half, once."""
        if name in self._made_in_half and name not in self._there:
            self.nodes.append(_cast(f"{name}_fp16", name, to=TensorProto.FLOAT))
            self._there.add(name)

    def _as_half(self, name: str) -> str:
        """The name of a float tensor in half, made where it is first asked for."""
        half = f"{name}_fp16"
        if half not in self._there:
            if name in self._weights:
                values = numpy_helper.to_array(self._weights[name]).astype(np.float16)
                self._graph.initializer.append(numpy_helper.from_array(values, half))
            else:
                self.nodes.append(_cast(name, half, to=TensorProto.FLOAT16))
            self._there.add(half)
        return half


def _cast(source: str, target: str, *, to: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"cast_to_{target}", to=to)

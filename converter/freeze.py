"""A Keras model at inference as a graph whose variables are constants."""

from __future__ import annotations

import dataclasses
from typing import Any

from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tflbnn._keras import keras, tf


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A graph with its inputs and outputs, in the model's order."""

    nodes: GraphDef
    inputs: list[tf.Tensor]
    outputs: list[tf.Tensor]


def freeze(model: keras.Model, inputs: list[tf.TensorSpec]) -> Frozen:
    """Traces the model on inputs of these shapes."""

    def infer(*tensors: tf.Tensor) -> list[tf.Tensor]:
        fed = tensors[0] if len(tensors) == 1 else list(tensors)
        return tf.nest.flatten(model(fed, training=False))

    traced = tf.function(infer).get_concrete_function(*inputs)
    nodes = _with_constants(traced)
    if nodes is None:
        # TensorFlow's own way sees to functions and to every operation that takes a variable, but it builds a
        # function of the result, which takes longer than all the rest.
        traced = convert_variables_to_constants_v2(traced, lower_control_flow=False)
        nodes = traced.graph.as_graph_def()
    captured = {internal.op.name for _, internal in traced.graph.captures}
    return Frozen(nodes, [tensor for tensor in traced.inputs if tensor.op.name not in captured], traced.outputs)


def _with_constants(traced: Any) -> GraphDef | None:
    """The graph with what it captured as constants.

    None where it calls functions, or where anything but a plain read takes a variable.
    """
    captured = {internal.op.name: external for external, internal in traced.graph.captures}
    nodes = traced.graph.as_graph_def()
    kept = []
    for node in nodes.node:
        sources = [source.removeprefix("^").partition(":")[0] for source in node.input]
        if node.op == "ReadVariableOp" and sources[0] in captured:
            handle = captured[sources[0]]
            _make_constant(node, tf.raw_ops.ReadVariableOp(resource=handle, dtype=node.attr["dtype"].type))
        elif any(source in captured and captured[source].dtype == tf.resource for source in sources):
            return None
        if any(attribute.HasField("func") for attribute in node.attr.values()):
            return None
        if node.name not in captured:
            kept.append(node)
        elif captured[node.name].dtype != tf.resource:
            _make_constant(node, captured[node.name])
            kept.append(node)
    frozen = GraphDef(versions=nodes.versions, library=nodes.library)
    frozen.node.extend(kept)
    return frozen


def _make_constant(node: NodeDef, value: tf.Tensor) -> None:
    del node.input[:]
    node.attr.clear()
    node.op = "Const"
    node.attr["dtype"].type = value.dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))

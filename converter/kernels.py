"""Quantizes the kernels of large dense layers before LCE sees them.

LCE 0.16 ends the whole process where it is left to fold a quantizer over more than 2²⁵ weights of a dense layer;
weights that are constants already it takes.
"""

from __future__ import annotations

from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

from tflbnn._keras import tf

_MOST_WEIGHTS = 2**25


def quantize_large_kernels(nodes: GraphDef) -> None:
    """Makes constants of the computed kernels of matrix products with more weights than LCE folds, in place."""
    by_name = {node.name: node for node in nodes.node}
    for product in nodes.node:
        if product.op == "MatMul" and product.input[1] in by_name:
            kernel = by_name[product.input[1]]
            constants = _constants_behind(kernel, by_name)
            if kernel.op != "Const" and constants and max(map(_size, constants)) > _MOST_WEIGHTS:
                _fold(kernel, nodes)


def _constants_behind(node: NodeDef, by_name: dict[str, NodeDef]) -> list[NodeDef]:
    """The constants that a node is computed from; none where it is also computed from something else."""
    found, seen, pending = [], set(), [node.name]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        current = by_name.get(name)
        if current is None or current.op == "Placeholder":
            return []
        if current.op == "Const":
            found.append(current)
        pending += [source.removeprefix("^").partition(":")[0] for source in current.input]
    return found


def _size(node: NodeDef) -> int:
    return tf.TensorShape(node.attr["value"].tensor.tensor_shape).num_elements() or 0


def _fold(node: NodeDef, nodes: GraphDef) -> None:
    part = tf.compat.v1.graph_util.extract_sub_graph(nodes, [node.name])
    computed = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(part, return_elements=[node.name + ":0"]), []
    )
    (value,) = computed()
    del node.input[:]
    node.attr.clear()
    node.op = "Const"
    node.attr["dtype"].type = value.dtype.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value.numpy()))

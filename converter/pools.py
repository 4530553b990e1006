"""Keeps LCE's converter from losing a ReLU between a max pooling and a sign.

The converter makes one operator of a pooling and its ReLU, and a pooling of bits of that and a sign, without the ReLU:
where every sign is +1, it then gives the signs of what was pooled. It leaves both alone where somebody else reads what
was pooled, so that such a pooling is named among the graph's outputs while it is converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

from tflbnn._keras import tf

_POOLINGS = ("MaxPool", "MaxPoolV2")
_CLAMPS = ("Relu", "Relu6", "Maximum")
_SIGNS = ("Sign", "Greater", "GreaterEqual", "Less", "LessEqual")
_BETWEEN = ("Identity", "IdentityN", "Reshape", "ExpandDims", "Squeeze", "Minimum")
_BEFORE_A_SIGN = (*_BETWEEN, *_POOLINGS, *_CLAMPS)

Readers = Mapping[str, list[NodeDef]]


def poolings_to_keep(nodes: GraphDef) -> list[str]:
    """The names of the poolings whose ReLU, or other clamp at 0, lies before a sign."""
    readers: dict[str, list[NodeDef]] = {}
    for node in nodes.node:
        for source in node.input:
            readers.setdefault(source.partition(":")[0], []).append(node)
    # A maximum with a number below 0, as a hard tanh is made of, leaves the signs as they are.
    harmless = {reader.name for node in nodes.node if _is_below_0(node) for reader in readers.get(node.name, [])}
    kept = []
    for pooling in nodes.node:
        if pooling.op in _POOLINGS:
            behind = _reached(pooling.name, _BETWEEN, readers)
            clamps = [node.name for node in behind if node.op in _CLAMPS and node.name not in harmless]
            if any(node.op in _SIGNS for clamp in clamps for node in _reached(clamp, _BEFORE_A_SIGN, readers)):
                kept.append(pooling.name)
    return kept


def _is_below_0(node: NodeDef) -> bool:
    if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
        return False
    return bool((tf.make_ndarray(node.attr["value"].tensor) < 0).any())


def _reached(name: str, through: tuple[str, ...], readers: Readers) -> Iterator[NodeDef]:
    """The nodes that read a node's value, at once or behind operations of these kinds."""
    found = set()
    pending = [name]
    while pending:
        for node in readers.get(pending.pop(), []):
            if node.name not in found:
                found.add(node.name)
                yield node
                if node.op in through:
                    pending.append(node.name)

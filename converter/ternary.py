"""Keeps LCE's converter from taking Larq's ternary quantizer for a sign.

SteTern is sign(sign(x + t) + sign(x - t)) with sign(0) = 0 and t ≥ 0: the sign of a sum with a sign, which is how Larq
writes a sign that is never 0, so that LCE makes one bit of three values. It is spelled out as half the difference of
two signs that are never 0:

    (s(x - t) - s(-(x + t))) / 2,   s(z) = sign(sign(z) + 0.1)

which is 1 where x ≥ t, -1 where x ≤ -t, else 0: the same, as of the two signs that are summed at most one is 0 unless
both are.
"""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

from tflbnn._keras import tf

_ADDS = ("Add", "AddV2")


def spell_out_ternary(nodes: GraphDef) -> None:
    """Rewrites every such sign in place; the last node keeps its name."""
    by_name = {node.name: node for node in nodes.node}
    for node in list(nodes.node):
        if node.op != "Sign":
            continue
        inner = _sources(by_name.get(node.input[0]), _ADDS, by_name)
        if len(inner) == 2 and all(one.op == "Sign" for one in inner):
            shifted = [by_name.get(one.input[0]) for one in inner]
            above, below = (next((s for s in shifted if s and s.op in ops), None) for ops in (_ADDS, ("Sub",)))
            if above is not None and below is not None and _same_operands(above, below, by_name):
                _rewrite(nodes, node, above.name, below.name)


def _sources(node: NodeDef | None, kinds: Sequence[str], by_name: dict[str, NodeDef]) -> list[NodeDef]:
    if node is None or node.op not in kinds:
        return []
    return [by_name[name] for name in node.input if name in by_name]


def _same_operands(above: NodeDef, below: NodeDef, by_name: dict[str, NodeDef]) -> bool:
    """Whether what is added to a number is what is subtracted from it."""
    if above.input[0] != below.input[0]:
        return False
    shifts = [by_name[node.input[1]] for node in (above, below) if node.input[1] in by_name]
    if len(shifts) == 2 and all(node.op == "Const" for node in shifts):
        added, subtracted = (tf.make_ndarray(node.attr["value"].tensor) for node in shifts)
        return added.shape == subtracted.shape and bool((added == subtracted).all() and (added >= 0).all())
    return above.input[1] == below.input[1]


def _rewrite(nodes: GraphDef, node: NodeDef, above: str, below: str) -> None:
    kind = node.attr["T"].type

    def constant(name: str, value: float) -> str:
        added = nodes.node.add(name=f"{node.name}/{name}", op="Const")
        added.attr["dtype"].type = kind
        added.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, tf.as_dtype(kind)))
        return added.name

    def new(name: str, op: str, *inputs: str) -> str:
        added = nodes.node.add(name=f"{node.name}/{name}", op=op, input=inputs)
        added.attr["T"].type = kind
        return added.name

    def sign(name: str, number: str) -> str:
        shifted = new(f"{name}_shifted", "AddV2", new(f"{name}_inner", "Sign", number), constant(f"{name}_shift", 0.1))
        return new(name, "Sign", shifted)

    difference = new("difference", "Sub", sign("upper", below), sign("lower", new("turned", "Neg", above)))
    del node.input[:]
    node.op = "Mul"
    node.input.extend([difference, constant("half", 0.5)])

"""Which Keras layer an operator of the flatbuffer comes from, by the names of tensors.

LCE names a tensor by the nodes of TensorFlow's graph that it was made of, but cuts the name at 50 characters. So nodes
get short names before LCE sees them, and tensors the names of their layers afterwards.
"""

from __future__ import annotations

import collections
import string
from collections.abc import Iterator
from typing import Any

from tensorflow.core.framework.graph_pb2 import GraphDef

from tflbnn._keras import keras
from tflbnn.converter.graph import Graph
from tflbnn.runtime.flatbuffer import schema

_LONGEST_NAME = 50
_PART = " part "
# Letters only: LCE adds a number to a name that it meets twice.
_ALPHABET = string.ascii_lowercase

# Where one operator of the flatbuffer comes from several layers, the layer of one of these gives it its name. The
# calls are those of Keras's grouped convolutions.
_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv2DBackpropInput", "Conv3D")
_PRODUCTS += ("PartitionedCall", "StatefulPartitionedCall")


def shorten_names(nodes: GraphDef) -> dict[str, tuple[str, str]]:
    """Renames the nodes in place, those of functions too; the node's own name and operation by its short name.

    A node of a function is named by the node that calls it: Keras wraps grouped convolutions into functions.
    """
    names = _names()
    origins: dict[str, tuple[str, str]] = {}
    functions = {function.signature.name: function for function in nodes.library.function}
    pending: list[tuple[str, Any]] = [("", None)]
    while pending:
        caller, function = pending.pop()
        body = nodes.node if function is None else function.node_def
        short: dict[str, str] = {}
        for node in body:
            short[node.name] = next(names)
            origins[short[node.name]] = (f"{caller}{node.name}", node.op)
        for node in body:
            for attribute in node.attr.values():
                if attribute.HasField("func") and attribute.func.name in functions:
                    pending.append((f"{caller}{node.name}/", functions.pop(attribute.func.name)))
            node.name = short[node.name]
            node.attr.pop("_class", None)  # colocation by name means nothing any more
            for position, reference in enumerate(node.input):
                node.input[position] = _renamed(reference, short)
        for result in function.ret if function is not None else ():
            function.ret[result] = _renamed(function.ret[result], short)
        for result in function.control_ret if function is not None else ():
            function.control_ret[result] = _renamed(function.control_ret[result], short)
    return origins


def _renamed(reference: str, short: dict[str, str]) -> str:
    """`node`, `node:0`, `node:output:0` or `^node` by the short name; a function's argument keeps its own."""
    control = "^" if reference.startswith("^") else ""
    source, colon, output = reference.removeprefix("^").partition(":")
    return f"{control}{short.get(source, source)}{colon}{output}"


def _names() -> Iterator[str]:
    """aaa, aab, ...: three letters, and more once they are used up."""
    number = len(_ALPHABET) ** 2
    while True:
        name, rest = "", number
        while rest:
            rest, digit = divmod(rest, len(_ALPHABET))
            name = _ALPHABET[digit] + name
        yield name
        number += 1


def name_tensors(graph: Graph, model: keras.Model, nodes: GraphDef, origins: dict[str, tuple[str, str]]) -> None:
    """Names every tensor by the layers it comes from, the one that does the products first; a second tensor of the
    same name gets #2 behind it."""
    scopes = dict(_scopes(model, f"{model.name}/", ""))
    claimed: set[str] = set()
    sources = {}
    for index in range(len(graph.main.tensors)):
        ids = graph.name(index)
        known = (ids[: ids.rfind(";")] if len(ids) >= _LONGEST_NAME else ids).split(";")
        sources[index] = [name for name in (part.rstrip(string.digits) for part in known) if name in origins]
        claimed.update(sources[index])
    by_name = {node.name: node for node in nodes.node}
    multiplying = {
        int(index) for operator in graph.operators if _multiplies(graph, operator) for index in operator.outputs
    }
    used: dict[str, int] = {}
    for index, names in sources.items():
        if all(not _layer(origins[name][0], scopes) for name in names):
            names = _behind(names, by_name, claimed)  # the outputs, which tracing sets apart as nodes of their own
        if (
            index in multiplying
            and names
            and names[0] in by_name
            and not any(origins[name][1] in _PRODUCTS for name in names)
        ):
            names.append(_nearest_product(names[0], by_name))  # what the operator was made of came after its product
        names.sort(key=lambda name: origins[name][1] not in _PRODUCTS)
        layers = [_layer(origins[name][0], scopes) or origins[name][0] for name in names]
        name = ";".join(dict.fromkeys(layers)) or f"tensor_{index}"
        used[name] = used.get(name, 0) + 1
        graph.main.tensors[index].name = name if used[name] == 1 else f"{name}#{used[name]}"


def layers_of(name: str) -> list[str]:
    """The layers in a tensor's name.

    >>> layers_of("inner/conv;batch_norm#2")
    ['inner/conv', 'batch_norm']
    >>> layers_of(part_of("inner/conv;batch_norm#2", 3))
    ['inner/conv']
    """
    return name.partition("#")[0].partition(_PART)[0].split(";")


def part_of(name: str, part: int | str) -> str:
    """The name of a tensor that is one summand, or another step, of what a layer gives."""
    layer, sign, use = name.partition("#")
    return f"{layer.split(';')[0]}{_PART}{part}{sign}{use}"


def is_part(name: str) -> bool:
    """Whether a tensor is only a part of what its layer gives."""
    return _PART in name


def layer_of_node(model: keras.Model, node: str) -> str:
    """The path of the layer that a node of the traced model belongs to; the node itself where it is none's."""
    return _layer(node, dict(_scopes(model, f"{model.name}/", ""))) or node


def _scopes(model: keras.Model, scope: str, path: str) -> Iterator[tuple[str, str]]:
    """The name scope of every layer with its path, models inside the model included."""
    for layer in model.layers:
        yield f"{scope}{layer.name}/", f"{path}{layer.name}"
        if isinstance(layer, keras.Model):
            yield from _scopes(layer, f"{scope}{layer.name}/", f"{path}{layer.name}/")


def _layer(node: str, scopes: dict[str, str]) -> str | None:
    """The path of the innermost layer whose scope a node is in."""
    end = len(node)
    while (end := node.rfind("/", 0, end)) >= 0:
        if node[: end + 1] in scopes:
            return scopes[node[: end + 1]]
    return None


def _behind(names: list[str], nodes: dict[str, Any], claimed: set[str]) -> list[str]:
    """The nodes that lead to an output and belong to no other tensor, back to the nearest one with several inputs."""
    found = list(names)
    while found:
        feeding = [name.partition(":")[0] for name in nodes[found[-1]].input if not name.startswith("^")]
        computed = [
            name for name in feeding if nodes[name].op not in ("Const", "Identity") or not _is_constant(name, nodes)
        ]
        if len(computed) != 1 or computed[0] in claimed or nodes[computed[0]].op == "Placeholder":
            break
        found.append(computed[0])
    return found[1:] or names


def _multiplies(graph: Graph, operator: schema.OperatorT) -> bool:
    return graph.kind(operator) in ("LceBconv2d", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")


def _nearest_product(start: str, nodes: dict[str, Any]) -> str:
    """The nearest node behind `start` that sums products; `start` where there is none."""
    seen = {start}
    pending = collections.deque(seen)
    while pending:
        name = pending.popleft()
        if nodes[name].op in _PRODUCTS:
            return name
        feeding = [source.partition(":")[0] for source in nodes[name].input if not source.startswith("^")]
        pending += [source for source in dict.fromkeys(feeding) if source not in seen]
        seen.update(feeding)
    return start


def _is_constant(name: str, nodes: dict[str, Any]) -> bool:
    while nodes[name].op == "Identity":
        name = nodes[name].input[0].partition(":")[0]
    return nodes[name].op == "Const"

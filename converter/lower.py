"""From a Keras model to a flatbuffer with Larq Compute Engine's operators, without saving the model on the way.

`larq_compute_engine.convert_keras_model` saves and reloads the model, which takes most of its time. Here the model
is traced, its variables are frozen into constants, and the graph goes straight to LCE's converter.
"""

from __future__ import annotations

import collections
import string
from collections.abc import Iterator
from typing import Any

from larq_compute_engine.mlir._tf_tfl_flatbuffer import convert_graphdef_to_tflite_flatbuffer
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from tflbnn._keras import keras, tf
from tflbnn.converter.graph import Graph
from tflbnn.errors import UserError
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.operators import BUILTIN, CUSTOM

SIGNATURE = "serving_default"

# LCE cuts tensor names at 50 characters. Nodes are given names this short before it sees them, letters only
# (it adds a number to a name that it meets twice), and tensors are named by their layers afterwards.
_LONGEST_NAME = 50
_ALPHABET = string.ascii_lowercase

# Where one operator of the flatbuffer comes from several layers, the layer of one of these gives it its name. The
# calls are those of Keras's grouped convolutions.
_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv2DBackpropInput", "Conv3D")
_PRODUCTS += ("PartitionedCall", "StatefulPartitionedCall")


def lower(model: keras.Model) -> bytes:
    """The flatbuffer of a Keras model, as LCE converts it, batch 1 where the model leaves the batch open.

    Tensors bear the paths of the layers that they come from, such as `conv;batch_norm` or `inner/conv`; the signature
    `serving_default` has Keras's names of inputs and outputs, in the model's order.

    Raises:
        UserError: the model is not built, has open dimensions besides the batch, is not float32, or has a layer
            that TensorFlow Lite cannot express.
    """
    inputs, outputs = _interface(model)
    frozen = _freeze(model, inputs)
    nodes = frozen.graph.as_graph_def()
    origins = _shorten_names(nodes)
    short = {long: name for name, (long, _) in origins.items()}
    fed = [tensor for tensor in frozen.inputs if tensor.dtype != tf.resource]
    try:
        flatbuffer = convert_graphdef_to_tflite_flatbuffer(
            nodes.SerializeToString(),
            [short[tensor.op.name] for tensor in fed],
            [DataType.Name(tensor.dtype.as_datatype_enum) for tensor in fed],
            [tensor.shape.as_list() for tensor in fed],
            [short[tensor.op.name] for tensor in frozen.outputs],
            False,  # no quantization
            "arm",  # the only target that is no vendor's; its kernels are chosen at run time
            None,  # no ranges for quantization
        )
    except (RuntimeError, ValueError, TypeError) as error:
        raise UserError(f"LCE cannot convert the model {model.name}: {' '.join(str(error).split())}") from error
    graph = Graph(flatbuffer)
    _name_tensors(graph, model, nodes, origins)
    _require_known_operators(graph)
    for index, name in zip(graph.main.inputs, inputs, strict=True):
        graph.main.tensors[index].name = name
    graph.model.signatureDefs = [_signature(graph, list(inputs), outputs)]
    return graph.pack()


def _interface(model: keras.Model) -> tuple[dict[str, tf.TensorSpec], list[str]]:
    """Inputs by name, with batch 1 where it is open, and the names of the outputs."""
    policy = model.dtype_policy.name if hasattr(model, "dtype_policy") else "float32"
    if policy != "float32":
        raise UserError(f"A model to convert must be float32. Received: {policy}. Build it under the policy float32.")
    if not model.inputs or not model.outputs:
        raise UserError(
            f"A model to convert must know its inputs. Received: {model.name}, which does not. "
            "Call it on data once, or make it with keras.Model(inputs, outputs)."
        )
    inputs = {}
    for name, tensor in zip(model.input_names, model.inputs, strict=True):
        batch, *rest = tensor.shape.as_list() if tensor.shape.rank else [1]
        if None in rest:
            raise UserError(
                f"Only the batch of an input may be open. Received: {name} of shape {tuple(tensor.shape)}. "
                "Give keras.Input the whole shape."
            )
        inputs[name] = tf.TensorSpec([batch or 1, *rest], tensor.dtype)
    return inputs, list(model.output_names)


def _freeze(model: keras.Model, inputs: dict[str, tf.TensorSpec]) -> Any:
    """The model at inference as a graph whose variables are constants."""

    def infer(*tensors: tf.Tensor) -> list[tf.Tensor]:
        fed = tensors[0] if len(tensors) == 1 else list(tensors)
        return tf.nest.flatten(model(fed, training=False))

    traced = tf.function(infer).get_concrete_function(*inputs.values())
    return convert_variables_to_constants_v2(traced, lower_control_flow=False)


def _shorten_names(nodes: GraphDef) -> dict[str, tuple[str, str]]:
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


def _name_tensors(graph: Graph, model: keras.Model, nodes: GraphDef, origins: dict[str, tuple[str, str]]) -> None:
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
    """
    return name.partition("#")[0].split(";")


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


def _require_known_operators(graph: Graph) -> None:
    for operator in graph.operators:
        kind = graph.kind(operator)
        if kind not in BUILTIN and kind not in CUSTOM:
            layers = dict.fromkeys(layer for index in operator.outputs for layer in layers_of(graph.name(index)))
            raise UserError(
                "A layer needs an operator that TensorFlow Lite has and that cannot loop. "
                f"Received: {', '.join(layers)}, which needs {kind}. Replace that layer."
            )


def _signature(graph: Graph, inputs: list[str], outputs: list[str]) -> schema.SignatureDefT:
    signature = schema.SignatureDefT()
    signature.signatureKey = SIGNATURE
    signature.subgraphIndex = 0
    signature.inputs = [_tensor_map(name, index) for name, index in zip(inputs, graph.main.inputs, strict=True)]
    signature.outputs = [_tensor_map(name, index) for name, index in zip(outputs, graph.main.outputs, strict=True)]
    return signature


def _tensor_map(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, int(index)
    return entry

"""From a Keras model to a flatbuffer with Larq Compute Engine's operators, without saving the model on the way.

`larq_compute_engine.convert_keras_model` saves and reloads the model, which takes most of its time. Here the model
is traced, its variables are frozen into constants, and the graph goes straight to LCE's converter.
"""

from __future__ import annotations

from larq_compute_engine.mlir._tf_tfl_flatbuffer import convert_graphdef_to_tflite_flatbuffer
from tensorflow.core.framework.types_pb2 import DataType

from tflbnn._keras import keras, tf
from tflbnn.converter.freeze import Frozen, freeze
from tflbnn.converter.graph import Graph
from tflbnn.converter.kernels import quantize_large_kernels
from tflbnn.converter.naming import layer_of_node, layers_of, name_tensors, shorten_names
from tflbnn.converter.pools import poolings_to_keep
from tflbnn.converter.ternary import spell_out_ternary
from tflbnn.errors import UserError
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.operators import BUILTIN, CUSTOM

SIGNATURE = "serving_default"

# LCE may fail on these or not, by the numbers in their functions' names; no runtime here takes them either way.
_CONTROL_FLOW = {"While": "WHILE", "StatelessWhile": "WHILE", "If": "IF", "StatelessIf": "IF"}

# What LCE's converter raises.
_REFUSALS = (RuntimeError, ValueError, TypeError)


def lower(model: keras.Model) -> bytes:
    """The flatbuffer of a Keras model, as LCE converts it, batch 1 where the model leaves the batch open.

    Tensors bear the paths of the layers that they come from, such as `conv;batch_norm` or `inner/conv`; the signature
    `serving_default` has Keras's names of inputs and outputs, in the model's order.

    Raises:
        UserError: the model is not built, has open dimensions besides the batch, is not float32, or has a layer
            that TensorFlow Lite cannot express, or LCE's converter would not survive.
    """
    inputs, outputs = _interface(model)
    try:
        frozen, origins, flatbuffer = _convert(model, inputs)
    except _REFUSALS as error:
        raise UserError(f"LCE cannot convert {_culprit(model, inputs)}: {' '.join(str(error).split())}") from error
    graph = Graph(flatbuffer)
    graph.main.outputs = graph.main.outputs[: len(frozen.outputs)]  # without the poolings that were to be kept
    name_tensors(graph, model, frozen.nodes, origins)
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


def _convert(model: keras.Model, inputs: dict[str, tf.TensorSpec]) -> tuple[Frozen, dict[str, tuple[str, str]], bytes]:
    """The graph, its nodes' own names and operations by their short names, and what LCE makes of it."""
    frozen = freeze(model, list(inputs.values()))
    for node in frozen.nodes.node:
        if node.op in _CONTROL_FLOW:
            raise _unknown_operator([layer_of_node(model, node.name)], _CONTROL_FLOW[node.op])
    spell_out_ternary(frozen.nodes)
    quantize_large_kernels(frozen.nodes)
    origins = shorten_names(frozen.nodes)
    short = {long: name for name, (long, _) in origins.items()}
    flatbuffer = convert_graphdef_to_tflite_flatbuffer(
        frozen.nodes.SerializeToString(),
        [short[tensor.op.name] for tensor in frozen.inputs],
        [DataType.Name(tensor.dtype.as_datatype_enum) for tensor in frozen.inputs],
        [tensor.shape.as_list() for tensor in frozen.inputs],
        [*(short[tensor.op.name] for tensor in frozen.outputs), *poolings_to_keep(frozen.nodes)],
        False,  # no quantization
        "arm",  # the only target that is no vendor's; its kernels are chosen at run time
        None,  # no ranges for quantization
    )
    return frozen, origins, flatbuffer


def _culprit(model: keras.Model, inputs: dict[str, tf.TensorSpec]) -> str:
    """The first layer with which the model does not convert, by bisection; LCE does not say it."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    low, high = 0, len(layers)
    while low < high:
        middle = (low + high) // 2
        try:
            _convert(keras.Model(model.inputs, [layer.output for layer in layers[: middle + 1]]), inputs)
        except _REFUSALS:
            high = middle
        except AttributeError:  # layers without an output of their own: the model is no graph of layers
            return f"the model {model.name}"
        else:
            low = middle + 1
    return f"the layer {layers[low].name}" if low < len(layers) else f"the model {model.name}"


def _require_known_operators(graph: Graph) -> None:
    for operator in graph.operators:
        kind = graph.kind(operator)
        if kind not in BUILTIN and kind not in CUSTOM:
            raise _unknown_operator([name for index in operator.outputs for name in layers_of(graph.name(index))], kind)


def _unknown_operator(layers: list[str], kind: str) -> UserError:
    return UserError(
        "A layer needs an operator that TensorFlow Lite has and that cannot loop. "
        f"Received: {', '.join(dict.fromkeys(layers))}, which needs {kind}. Replace that layer."
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

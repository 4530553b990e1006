"""What a flatbuffer's operators do, in numbers that their time is nearly proportional to. Loads no TensorFlow."""

from __future__ import annotations

import math
from collections import Counter

from ai_edge_litert import schema_py_generated as schema

from tflbnn.runtime.flexmap import read_map

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
_POOLS = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "LceBMaxPool2d")
# They move or change each number once.
_ELEMENTWISE = {
    **dict.fromkeys(("ADD", "MUL", "SUB", "DIV", "MAXIMUM", "MINIMUM"), "arithmetic"),
    **dict.fromkeys(("RELU", "RELU6", "RELU_N1_TO_1", "PRELU", "ABS", "LEAKY_RELU"), "activation"),
    **dict.fromkeys(("HARD_SWISH", "LOGISTIC", "TANH", "SOFTMAX", "EXP"), "function"),
    **dict.fromkeys(("CONCATENATION", "PAD", "PADV2", "SPLIT", "TRANSPOSE", "SLICE", "STRIDED_SLICE"), "copy"),
}
_FREE = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def features(flatbuffer: bytes) -> Counter[str]:
    """How often each operation occurs in the first subgraph, and how much it has to do, for one example.

    Keys are "operation" for the number, and "operation:macs", "operation:elements" for millions of
    multiply-accumulates and thousands of numbers written. "model" is 1: what an inference costs in itself.

    Operations on 8 bits are of their own, as their kernels are: "operation int8". Convolutions are told apart as well:
    binary ones by whether they write bits, of float ones 1×1, those of few channels (an image's) and the others.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(flatbuffer, 0))
    graph = model.subgraphs[0]
    shapes = [() if t.shape is None else tuple(max(1, int(n)) for n in t.shape) for t in graph.tensors]
    found: Counter[str] = Counter({"model": 1})
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        custom = builtin == schema.BuiltinOperator.CUSTOM
        name = code.customCode.decode() if custom else _OPERATORS[builtin]
        if name in _FREE:
            continue
        output = shapes[operator.outputs[0]]
        written = math.prod(output) / 1e3
        kind, amounts = name, {"elements": written}
        if name == "LceBconv2d":
            kind, amounts = _binary(operator, graph, shapes, written)
        elif name in _CONVOLUTIONS or name == "FULLY_CONNECTED":
            weights = shapes[operator.inputs[1]]
            pixels = math.prod(output[1:-1]) if name != "FULLY_CONNECTED" else 1
            kind = _kind(name, weights, shapes[operator.inputs[0]])
            amounts["macs"] = math.prod(weights) * pixels / 1e6
        elif name in _POOLS:
            options = operator.builtinOptions
            window = (options.filterHeight, options.filterWidth) if options is not None else (2, 2)
            amounts = {"elements": written * math.prod(window)}
        elif name in ("MEAN", "REDUCE_MAX", "SUM", "LceQuantize"):
            amounts = {"elements": math.prod(shapes[operator.inputs[0]]) / 1e3}
        elif name in _ELEMENTWISE:
            kind = _ELEMENTWISE[name]
        if schema.TensorType.INT8 in (graph.tensors[operator.outputs[0]].type, graph.tensors[operator.inputs[0]].type):
            kind += " int8"
        found[kind] += 1
        for key, value in amounts.items():
            found[f"{kind}:{key}"] += value
    return found


def _binary(
    operator: schema.OperatorT, graph: schema.SubGraphT, shapes: list[tuple[int, ...]], written: float
) -> tuple[str, dict[str, float]]:
    """A binary convolution: its products are those of whole words of 32 channels."""
    filters, height, width, words = shapes[operator.inputs[1]]
    output = shapes[operator.outputs[0]]
    bits = graph.tensors[operator.outputs[0]].type == schema.TensorType.INT32
    pixels = math.prod(output[1:-1])
    options = read_map(bytes(operator.customOptions))
    window = height * width * words * 32
    kind = "binary convolution to bits" if bits else "binary convolution"
    amounts = {"macs": filters * window * pixels / 1e6, "elements": written * (32 if bits else 1)}
    # What is gathered for each pixel before its products.
    amounts["window"] = pixels * window / 1e6
    if options.get("padding") == 0 and options.get("pad_values", 0) == 0 and height * width > 1:
        amounts["border"] = 2 * (output[1] + output[2]) * filters / 1e3
    return kind, amounts


def _kind(name: str, weights: tuple[int, ...], read: tuple[int, ...]) -> str:
    if name != "CONV_2D":
        return name
    if weights[1:3] == (1, 1):
        return "CONV_2D 1×1"
    return "CONV_2D of an image" if read[-1] <= 4 else "CONV_2D"

"""What LCE's interpreter makes of a network, and why where that is not what Keras does.

A network that it computes differently is taken apart: each binary operator alone, between a quantization and the
output, with random signs as its input. What differs from the delegate's reference there is the cause.
"""

from __future__ import annotations

import copy
import operator
from typing import Any

import numpy as np

from tests.runtimes import LCE_SETTINGS, RefusedError, equal, predict_delegate, predict_lce
from tflbnn.runtime.flatbuffer import pack, schema, unpack
from tflbnn.runtime.flexmap import read_map

AGREES, DIFFERS, REFUSED = "equal", "differs", "refused"

Verdict = tuple[str, str]  # and why


def binary_operators(flatbuffer: bytes) -> list[tuple[dict[str, Any], bytes, tuple[int, ...]]]:
    """Each LceBconv2d of a model as a model of its own: its traits, the file, the shape of its float input."""
    codes = [code.customCode for code in unpack(flatbuffer).operatorCodes]
    found = []
    for position, node in enumerate(unpack(flatbuffer).subgraphs[0].operators):
        if codes[node.opcodeIndex] == b"LceBconv2d":
            found.append(_alone(unpack(flatbuffer), position))
    return found


def _alone(model: schema.ModelT, position: int) -> tuple[dict[str, Any], bytes, tuple[int, ...]]:
    graph = model.subgraphs[0]
    node = graph.operators[position]
    options = read_map(node.customOptions)
    bits, weights, output = (graph.tensors[i] for i in (*node.inputs[:2], node.outputs[0]))
    image = copy.copy(bits)
    image.type, image.buffer, image.quantization = schema.TensorType.FLOAT32, 0, None
    image.shape = [*bits.shape[:3], options["channels_in"]]
    graph.tensors.append(image)
    chain = [_convert(model, "LceQuantize", len(graph.tensors) - 1, node.inputs[0]), node]
    graph.inputs, graph.outputs = [len(graph.tensors) - 1], [node.outputs[0]]
    if output.type == schema.TensorType.INT32:
        floats = copy.copy(output)
        floats.type, floats.shape = schema.TensorType.FLOAT32, [*output.shape[:3], weights.shape[0]]
        graph.tensors.append(floats)
        chain.append(_convert(model, "LceDequantize", node.outputs[0], len(graph.tensors) - 1))
        graph.outputs = [len(graph.tensors) - 1]
    graph.operators, model.signatureDefs, model.metadata = chain, None, None
    traits = {
        **options,
        "groups": -(-options["channels_in"] // 32) // weights.shape[3],
        "extent": [
            (weights.shape[axis + 1] - 1) * options[f"dilation_{side}_factor"] + 1
            for axis, side in enumerate(("height", "width"))
        ],
        "size": list(bits.shape[1:3]),
        "bits out": output.type == schema.TensorType.INT32,
    }
    return traits, pack(model), tuple(image.shape)


def _convert(model: schema.ModelT, name: str, source: int, target: int) -> schema.OperatorT:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = name, 1
    model.operatorCodes.append(code)
    node = schema.OperatorT()
    node.opcodeIndex, node.inputs, node.outputs = len(model.operatorCodes) - 1, [source], [target]
    return node


def cause(traits: dict[str, Any]) -> str:
    """What sets an operator apart that LCE computes differently."""
    zero_padded = traits["padding"] == 0 and traits["pad_values"] == 0
    dilated = max(traits["dilation_height_factor"], traits["dilation_width_factor"]) > 1
    if zero_padded and dilated:
        return "zero padding with dilation"
    if zero_padded and any(map(operator.gt, traits["extent"], traits["size"])):
        return "zero padding, filter larger than the image"
    return "other: " + ", ".join(f"{key} {value}" for key, value in sorted(traits.items()))


def lce_verdict(flatbuffer: bytes, samples: np.ndarray, expected: list[np.ndarray], setting: str) -> Verdict:
    """What LCE does with a network, and why where that is not what Keras does."""
    try:
        if equal(predict_lce(flatbuffer, samples, **LCE_SETTINGS[setting]), expected):
            return AGREES, ""
    except RefusedError as error:
        return REFUSED, str(error)
    causes = []
    for traits, alone, shape in binary_operators(flatbuffer):
        signs = np.random.default_rng(0).choice(np.float32([-1, 1]), (4, *shape[1:]))
        reference = predict_delegate(alone, [signs], kernel="reference")
        if not equal(predict_lce(alone, signs, **LCE_SETTINGS[setting]), reference):
            causes.append(cause(traits))
    return DIFFERS, " + ".join(sorted(set(causes))) or "no binary operator by itself"

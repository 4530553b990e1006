"""An input of pixels: the model takes uint8 images as they are, and normalizes them by itself.

Where the first operator is a convolution on integers and all channels have the same normalization, x = (pixel - mean) /
std is the input's scale, 1 / std, and its zero point, the mean rounded; what rounding it changes goes into the bias.
Otherwise the pixels become floats, times 1 / std, minus mean / std.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.rest.int8 import rescale_bias
from tflbnn.converter.rest.scales import Scale
from tflbnn.runtime.flatbuffer import schema


def take_pixels(graph: Graph, mean: Sequence[float], std: Sequence[float]) -> None:
    """Makes the model's only input uint8, in place; mean and std are one number, or one a channel."""
    old = int(graph.main.inputs[0])
    name = graph.name(old)
    graph.main.tensors[old].name = f"{name} normalized"
    pixels = graph.add_tensor(name, graph.shape(old), schema.TensorType.UINT8)
    graph.main.tensors[pixels].shapeSignature = graph.main.tensors[old].shapeSignature
    graph.main.inputs = np.array([pixels], np.int32)
    for signature in graph.model.signatureDefs or []:
        for entry in signature.inputs:
            entry.tensorIndex = pixels if entry.tensorIndex == old else entry.tensorIndex
    readers = graph.consumers().get(old, [])
    uniform = len(set(mean)) == len(set(std)) == 1 and 0 <= np.rint(mean[0]) <= 255
    if uniform and len(readers) == 1 and graph.kind(readers[0]) == "QUANTIZE":
        _by_zero_point(graph, readers[0], pixels, float(mean[0]), float(std[0]))
    else:
        _by_arithmetic(graph, old, pixels, np.asarray(mean, np.float64), np.asarray(std, np.float64))


def _by_zero_point(graph: Graph, operator: schema.OperatorT, pixels: int, mean: float, std: float) -> None:
    zero = int(np.rint(mean))
    graph.main.tensors[pixels].quantization = Scale(1 / std, zero).parameters()
    integers = int(operator.outputs[0])
    rescale_bias(graph, integers, Scale(1 / std, zero - 128), shift=(zero - mean) / std)
    requantize = graph.operator("QUANTIZE", [pixels], [integers], schema.QuantizeOptionsT(), version=2)
    graph.replace(operator, [requantize])


def _by_arithmetic(graph: Graph, old: int, pixels: int, mean: np.ndarray, std: np.ndarray) -> None:
    graph.main.tensors[pixels].quantization = Scale(1.0, 0).parameters()
    floats, scaled = (graph.add_tensor(f"tensor_{old} {what}", graph.shape(old)) for what in ("floats", "scaled"))
    factor = graph.add_constant(f"tensor_{old} factor", (1 / std).astype(np.float32))
    shift = graph.add_constant(f"tensor_{old} shift", (-mean / std).astype(np.float32))
    graph.main.operators = [
        graph.operator("DEQUANTIZE", [pixels], [floats], schema.DequantizeOptionsT()),
        graph.operator("MUL", [floats, factor], [scaled], schema.MulOptionsT()),
        graph.operator("ADD", [scaled, shift], [old], schema.AddOptionsT()),
        *graph.operators,
    ]

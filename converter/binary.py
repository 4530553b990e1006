"""The binary layers of a flatbuffer against the Keras layers that they come from: weights and outputs, bit for bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.converter.exact import BinaryConvolution, unpack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import layers_of
from tflbnn.errors import VerificationError
from tflbnn.runtime.flatbuffer import schema

Layers = Mapping[str, keras.layers.Layer]


@dataclasses.dataclass(frozen=True)
class Binary:
    """An LceBconv2d with the path of the Keras layer that it comes from."""

    operator: schema.OperatorT
    convolution: BinaryConvolution
    path: str


def find(graph: Graph, layers: Layers) -> list[Binary]:
    """The binary convolutions of a graph in order.

    Raises:
        VerificationError: one of them is none of these layers.
    """
    return [
        Binary(operator, BinaryConvolution.of(graph, operator), layer_of(graph, layers, operator))
        for operator in graph.of_kind("LceBconv2d")
    ]


def layer_of(graph: Graph, layers: Layers, operator: schema.OperatorT) -> str:
    """The path of the Keras layer whose product an operator computes."""
    name = graph.name(operator.outputs[0])
    path = layers_of(name)[0]
    if path not in layers:
        raise VerificationError(
            f"Every binary layer of the flatbuffer must be one of the model's. Received: {name}, which is not. "
            "Verify the file against the model that it was made from, with tflbnn export."
        )
    return path


def with_keras_weights(binary: Binary, layers: Layers) -> BinaryConvolution:
    """The convolution with the signs of the Keras kernel in the place of the flatbuffer's filter."""
    layer, packed = layers[binary.path], binary.convolution.filter
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        raise VerificationError(
            f"{binary.path} ({type(layer).__name__}) has no kernel to compare with the flatbuffer's."
        )
    quantizer = getattr(layer, "kernel_quantizer", None)
    values = keras.backend.get_value(kernel)
    if quantizer is not None:
        values = quantizer(values).numpy()
    signs = np.moveaxis(values, -1, 0) < 0
    if signs.shape != packed.shape:
        raise VerificationError(
            f"{binary.path} differs: its kernel is {signs.shape}, the flatbuffer's filter {packed.shape}."
        )
    # Where a channel's multiplier is below 0, LCE turns the weights of a bit output around, and the threshold.
    if binary.convolution.threshold is not None:
        turned = (signs != packed).all(axis=(1, 2, 3))
        signs = np.where(turned[:, None, None, None], ~signs, signs)
    wrong = int((signs != packed).sum())
    if wrong:
        channel = int(np.argwhere(signs != packed)[0, 0])
        raise VerificationError(
            f"The flatbuffer differs from the Keras model, first at {binary.path}: {wrong} of {signs.size} weights "
            f"have the other sign, the first in output channel {channel}."
        )
    return dataclasses.replace(binary.convolution, filter=signs)


def require_exact(
    binary: Binary, convolution: BinaryConvolution, values: Mapping[int, NDArray[Any]], kernel: str
) -> None:
    """Raises VerificationError where an operator's output is not what integer arithmetic gives for its input bits."""
    bits = unpack_bits(values[int(binary.operator.inputs[0])], convolution.channels)
    expected, given = convolution.output(bits), values[int(binary.operator.outputs[0])]
    if expected.dtype == bool:
        given = unpack_bits(given, expected.shape[-1])
    equal = (expected == given) | ((expected != expected) & (given != given))
    if not equal.all():
        raise VerificationError(
            f"The kernel {kernel} differs from exact arithmetic, first at {binary.path}: "
            f"{int((~equal).sum())} of {equal.size} outputs. Report this, with the output of tflbnn doctor."
        )


def same_bits(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two arrays of 4-byte numbers are equal as bits, NaN and the sign of zero included."""
    return np.array_equal(np.ascontiguousarray(a).view(np.int32), np.ascontiguousarray(b).view(np.int32))

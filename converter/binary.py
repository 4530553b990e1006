"""The binary layers of a flatbuffer against the Keras layers that they come from: weights and outputs, bit for bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.converter.exact import BinaryConvolution, unpack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import is_part, layers_of
from tflbnn.errors import VerificationError
from tflbnn.runtime.flatbuffer import schema

Layers = Mapping[str, keras.layers.Layer]


@dataclasses.dataclass(frozen=True)
class Binary:
    """An LceBconv2d with the path of the Keras layer that it comes from.

    Attributes:
        result: the tensor of what the layer gives, to which this is only one summand where the layer's inputs or
            weights have several planes.
    """

    operator: schema.OperatorT
    convolution: BinaryConvolution
    path: str
    result: int


def find(graph: Graph, layers: Layers) -> list[Binary]:
    """The binary convolutions of a graph in order.

    Raises:
        VerificationError: one of them is none of these layers.
    """
    consumers = graph.consumers()
    found = []
    for operator in graph.of_kind("LceBconv2d"):
        result = int(operator.outputs[0])
        while is_part(graph.name(result)) and consumers.get(result):
            result = int(consumers[result][0].outputs[0])
        path = layer_of(graph, layers, operator)
        found.append(Binary(operator, BinaryConvolution.of(graph, operator), path, result))
    return found


def by_result(binaries: Sequence[Binary]) -> list[list[Binary]]:
    """The binary convolutions that make one layer's result together."""
    groups: dict[int, list[Binary]] = {}
    for binary in binaries:
        groups.setdefault(binary.result, []).append(binary)
    return list(groups.values())


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


def with_keras_weights(group: Sequence[Binary], layers: Layers) -> list[BinaryConvolution]:
    """The convolutions of one result, where it is a single one with the signs of the Keras kernel for its filter.

    Raises:
        VerificationError: the Keras kernel has other signs, or is no sum of the filters.
    """
    path = group[0].path
    layer = layers[path]
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        raise VerificationError(f"{path} ({type(layer).__name__}) has no kernel to compare with the flatbuffer's.")
    quantizer = getattr(layer, "kernel_quantizer", None)
    values = keras.backend.get_value(kernel)
    if quantizer is not None:
        values = quantizer(values).numpy()
    convolutions = [binary.convolution for binary in group]
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return [_same_phase(path, values, layer.strides[0], convolution) for convolution in convolutions]
    values = np.moveaxis(values, -1, 0)
    planes = {conv.filter.tobytes(): conv.filter for conv in convolutions if len(conv.filter) == len(values)}
    if not planes or any(plane.size != values.size for plane in planes.values()):
        shapes = ", ".join(str(conv.filter.shape) for conv in convolutions)
        raise VerificationError(f"{path} differs: its kernel is {values.shape}, the flatbuffer's filter {shapes}.")
    if len(convolutions) == 1 and (np.abs(values).min(initial=1) > 0):
        (convolution,) = convolutions
        return [dataclasses.replace(convolution, filter=_same_signs(path, values, convolution))]
    _require_sum(path, values.reshape(len(values), -1), list(planes.values()), len(planes) < len(convolutions))
    return convolutions


def _same_signs(path: str, values: NDArray[Any], convolution: BinaryConvolution) -> NDArray[np.bool_]:
    packed = convolution.filter
    signs = values.reshape(packed.shape) < 0
    # Where a channel's multiplier would be below 0, LCE turns the weights of a bit output around, and the threshold; so
    # do planes of a kernel with a BatchNorm folded into it. That the rest was turned too shows in what the layer gives.
    turned = (signs != packed).all(axis=(1, 2, 3))
    signs = np.where(turned[:, None, None, None], ~signs, signs)
    wrong = int((signs != packed).sum())
    if wrong:
        channel = int(np.argwhere(signs != packed)[0, 0])
        raise VerificationError(
            f"The flatbuffer differs from the Keras model, first at {path}: {wrong} of {signs.size} weights "
            f"have the other sign, the first in output channel {channel}."
        )
    return signs


def _same_phase(path: str, values: NDArray[Any], stride: int, convolution: BinaryConvolution) -> BinaryConvolution:
    """The convolution, if it is a phase of a transposed one with this kernel (height, width, filters, channels)."""
    phases = [
        np.moveaxis(values[first::stride, second::stride][::-1, ::-1], 2, 0)
        for first in range(stride)
        for second in range(stride)
    ]
    for phase in phases:
        if phase.shape == convolution.filter.shape:
            different = (phase < 0) != convolution.filter
            if (different.all(axis=(1, 2, 3)) | ~different.any(axis=(1, 2, 3))).all():
                return convolution
    raise VerificationError(
        f"The flatbuffer differs from the Keras model, first at {path}: a filter of {convolution.filter.shape} is no "
        "part of its kernel."
    )


def _require_sum(path: str, values: NDArray[Any], planes: list[NDArray[np.bool_]], offset: bool) -> None:
    """Raises VerificationError unless every filter (filters, products) is a sum of its planes times numbers.

    Which numbers these are the multipliers say, which are checked by what the layer gives.
    """
    signs = [np.where(plane.reshape(values.shape), -1.0, 1.0) for plane in planes]
    terms = np.stack([*signs, *([np.ones_like(signs[0])] if offset else [])], axis=1)  # (filters, terms, products)
    gram = terms @ terms.transpose(0, 2, 1)
    scales = np.linalg.pinv(gram) @ (terms @ values[..., None].astype(np.float64))
    error = np.abs((terms * scales).sum(axis=1) - values).max(axis=1)
    wrong = np.flatnonzero(error > 1e-5 * np.abs(values).max(initial=1e-30))
    if wrong.size:
        raise VerificationError(
            f"The flatbuffer differs from the Keras model, first at {path}: the weights of {wrong.size} of "
            f"{len(values)} filters are no sum of the flatbuffer's {len(planes)} planes, the first filter {wrong[0]}."
        )


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

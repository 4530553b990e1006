"""Binary convolutions in exact integer arithmetic: what every kernel must compute, bit for bit.

A sum of at most 2**24 products of signs is exact in float32, whatever the order, so NumPy's matrix product gives
the integers themselves.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.graph import Graph
from tflbnn.runtime.flatbuffer import schema

_WORD = 32
_EXACT_IN_FLOAT32 = 1 << 24
_RELU, _RELU_N1_TO_1, _RELU6 = 1, 2, 3
_SAME = 0


def unpack_bits(words: NDArray[np.int32], channels: int) -> NDArray[np.bool_]:
    """The bits of (..., words) as (..., channels); True is -1.

    >>> unpack_bits(np.array([[5]], np.int32), 4)
    array([[ True, False,  True, False]])
    """
    flat = np.ascontiguousarray(words, "<i4").view(np.uint8)
    return np.unpackbits(flat, axis=-1, bitorder="little", count=channels).astype(bool)


def pack_bits(negative: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The opposite of `unpack_bits`: (..., channels) as (..., words), what fills up the last word is +1.

    >>> pack_bits(np.array([[True, False, True, False]])).tolist()
    [[5]]
    """
    missing = -negative.shape[-1] % _WORD
    padded = np.pad(negative, [(0, 0)] * (negative.ndim - 1) + [(0, missing)])
    packed = np.packbits(padded, axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<i4")  # packbits keeps the order of axes in memory


@dataclasses.dataclass(frozen=True)
class BinaryConvolution:
    """An LceBconv2d: its constants and options.

    Attributes:
        filter: (filters, height, width, channels of a group), True where the weight is -1.
        multiplier, bias: (filters,), float32; None where the output is bits.
        threshold: (filters,), int32; None where the output is float.
    """

    filter: NDArray[np.bool_]
    multiplier: NDArray[np.float32] | None
    bias: NDArray[np.float32] | None
    threshold: NDArray[np.int32] | None
    strides: tuple[int, int]
    dilations: tuple[int, int]
    same: bool
    pad_value: int
    channels: int
    activation: int

    @classmethod
    def of(cls, graph: Graph, operator: schema.OperatorT) -> BinaryConvolution:
        options = graph.options(operator)
        words, multiplier, bias, threshold = (graph.constant(index) for index in operator.inputs[1:5])
        channels = options["channels_in"]
        # One word may hold less than 32 channels; with groups every word is full.
        groups = max(1, channels // (words.shape[3] * _WORD)) if channels % _WORD == 0 else 1
        return cls(
            filter=unpack_bits(words, channels // groups),
            multiplier=multiplier,
            bias=bias,
            threshold=threshold,
            strides=(options["stride_height"], options["stride_width"]),
            dilations=(options["dilation_height_factor"], options["dilation_width_factor"]),
            same=options["padding"] == _SAME,
            pad_value=options["pad_values"],
            channels=channels,
            activation=options["fused_activation_function"],
        )

    @property
    def products(self) -> int:
        """K: products in one sum."""
        return int(np.prod(self.filter.shape[1:]))

    def sums(self, bits: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The sums of products of (batch, height, width, channels) signs; zero padding adds nothing to a sum."""
        exact = np.float32 if self.products < _EXACT_IN_FLOAT32 else np.float64
        signs = np.where(bits, exact(-1), exact(1))
        weights = np.where(self.filter, exact(-1), exact(1))
        filters, height, width, depth = self.filter.shape
        rows = window(signs.shape[1], height, self.strides[0], self.dilations[0], self.same)
        columns = window(signs.shape[2], width, self.strides[1], self.dilations[1], self.same)
        edges = ((0, 0), rows.padding, columns.padding, (0, 0))
        signs = np.pad(signs, edges, constant_values=exact(self.pad_value))
        groups = self.channels // depth
        result = np.zeros((len(bits), rows.size, columns.size, filters), exact)
        for group in range(groups):
            inputs, outputs = (slice(group * n, (group + 1) * n) for n in (depth, filters // groups))
            for y in range(height):
                for x in range(width):
                    tap = signs[:, rows.tap(y), columns.tap(x), inputs]
                    result[..., outputs] += tap @ weights[outputs, y, x].T
        return result.astype(np.int32)

    def output(self, bits: NDArray[np.bool_]) -> NDArray[np.float32] | NDArray[np.bool_]:
        """The output for input bits: float32, or bits where there is a threshold.

        With K products in a sum s, LCE works on the doubled count of products that are -1, d = K - s. A float output is
        clamp(d) * -multiplier + (bias + K * multiplier), constants rounded once, one multiplication and one addition in
        float32; a bit is set where d > 2 * threshold.
        """
        total = self.products
        doubled = total - self.sums(bits)
        if self.threshold is not None:
            return doubled > 2 * self.threshold.astype(np.int64)
        low, high = 0, 2 * total
        if self.activation in (_RELU, _RELU6):
            high = total
        if self.activation == _RELU6:
            low = max(0, total - 6)
        if self.activation == _RELU_N1_TO_1:
            low, high = total - 1, total + 1
        multiplier = self.multiplier.astype(np.float64)
        offset = (self.bias.astype(np.float64) + total * multiplier).astype(np.float32)
        return np.clip(doubled, low, high).astype(np.float32) * -self.multiplier + offset


@dataclasses.dataclass(frozen=True)
class Window:
    """One axis of a convolution."""

    padding: tuple[int, int]
    size: int
    stride: int
    dilation: int

    def tap(self, position: int) -> slice:
        start = position * self.dilation
        return slice(start, start + (self.size - 1) * self.stride + 1, self.stride)


def window(size: int, filter_size: int, stride: int, dilation: int, same: bool) -> Window:
    """TensorFlow's padding: SAME gives ceil(size / stride) outputs, what is odd goes behind."""
    reach = (filter_size - 1) * dilation + 1
    if not same:
        return Window((0, 0), (size - reach) // stride + 1, stride, dilation)
    outputs = -(-size // stride)
    missing = max(0, (outputs - 1) * stride + reach - size)
    return Window((missing // 2, missing - missing // 2), outputs, stride, dilation)

"""A convolution of a sum of signs by weights of few values as a sum of binary convolutions, exact, borders included.

With q = o + Σ_j s_j·x_j and w = c_0 + Σ_p c_p·B_p, x and B signs, and every sum over the taps of a window,

    Σ q·w = o·Σ w + Σ_j s_j · ( Σ_p c_p · Σ x_j·B_p  +  c_0 · Σ x_j·1 )

each inner sum is an LceBconv2d, that by ones with a single filter. Beyond the border q is v: there all signs are +1
where that makes v of the sum (padding with ones), or nothing is where o = v = 0 (padding with zeros).
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from tflbnn.converter.exact import pack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.naming import part_of
from tflbnn.converter.passes.report import NoMatchError
from tflbnn.converter.planes import Planes
from tflbnn.converter.signs import Sign, Sum, Taking
from tflbnn.runtime.flatbuffer import schema

MOST_PRODUCTS = 32
_SAME, _VALID = 0, 1
_RELUS = {1: "RELU", 2: "RELU_N1_TO_1", 3: "RELU6"}


@dataclasses.dataclass(frozen=True)
class Convolution:
    """What is rewritten.

    Attributes:
        image: (height, width) of the signs, which become (batch, height, width, channels).
        channels: of the signs.
        bias: (filters,); None for none.
        padded_with: what q is beyond the border; None where nothing is looked at there.
        activation: a `schema.ActivationFunctionType` of the result.
        output: the tensor of the result; `sizes` its height and width.
    """

    image: tuple[int, int]
    channels: int
    bias: NDArray[np.float32] | None
    strides: tuple[int, int]
    dilations: tuple[int, int]
    padded_with: float | None
    activation: int
    output: int
    sizes: tuple[int, int]


def activated(graph: Graph, index: int, activation: int, output: int) -> schema.OperatorT:
    """The operator that applies a `schema.ActivationFunctionType`."""
    return graph.operator(_RELUS[activation], [index], [output])


class Products:
    """Writes the binary convolutions of one float convolution; `operators` compute its output, in order."""

    def __init__(self, graph: Graph, taking: Taking, planes: Planes, convolution: Convolution) -> None:
        self.graph, self.taking, self.planes, self.convolution = graph, taking, planes, convolution
        self.filters = len(planes.offset)
        self.name = graph.name(convolution.output)
        self.operators = taking.operators
        self.parts = 0
        self.constants: dict[bytes, int] = {}

    def write(self, q: Sum) -> list[schema.OperatorT]:
        """The operators that compute the output.

        Raises:
            NoMatchError: it takes too many binary convolutions, or the border cannot be made of signs.
        """
        used = [number for number, scale in enumerate(self.planes.scales) if scale.any()] or [0]
        by_ones = bool(self.planes.offset.any())
        products = len(q.signs) * (len(used) + by_ones)
        if not 1 <= products <= MOST_PRODUCTS:
            raise NoMatchError(f"it would take {products} binary convolutions, more than {MOST_PRODUCTS}")
        self.border = self._border(q)
        whole = self.planes.weights().reshape(self.filters, -1).sum(axis=1)
        bias = q.offset * whole + (0 if self.convolution.bias is None else self.convolution.bias.astype(np.float64))
        zero = np.zeros(self.filters)
        # Those without a factor come first: one of them takes the bias.
        factors = sorted(dict.fromkeys(sign.factor for sign in q.signs), key=lambda factor: factor is not None)
        summands: list[int] = []
        for factor in factors:
            signs = [sign for sign in q.signs if sign.factor == factor]
            found: list[int] = []
            for sign in signs:
                bits = self._bits(sign)
                for plane in used:
                    add = bias if factor is None and not summands and not found else zero
                    scale = sign.scale * self.planes.scales[plane]
                    found.append(self._bconv(bits, self.planes.negative[plane], scale, add))
            if by_ones:
                found.append(self._by_ones(signs, np.zeros((1, *self.planes.negative[0].shape[1:]), bool)))
            if factor is None:
                summands += found
            else:
                summands.append(self._combine("MUL", self._added(found), self._factor(factor)))
        if None not in factors and bias.any():
            summands.append(self.graph.add_constant(part_of(self.name, 0), bias.astype(np.float32)))
        self._finish(summands)
        return self.operators

    def _border(self, q: Sum) -> int | None:
        """What LCE pads with, 1 or 0; None without padding."""
        value = self.convolution.padded_with
        if value is None:
            return None
        ones = q.of_ones
        if ones is not None and math.isclose(ones, value, abs_tol=1e-7 * max(abs(sign.scale) for sign in q.signs)):
            return 1
        if value == 0 == q.offset:
            return 0
        raise NoMatchError(f"its inputs are surrounded with {value:g}, which their signs cannot give; pad with 'valid'")

    def _bits(self, sign: Sign) -> int:
        """The sign's bits as (batch, height, width, words)."""
        graph, (height, width), channels = self.graph, self.convolution.image, self.convolution.channels
        index = sign.bits if sign.bits is not None else sign.numbers
        shape = graph.shape(index)
        wanted = (shape[0], height, width, channels if sign.bits is None else -(-channels // 32))
        if shape == wanted:
            return index if sign.bits is not None else self.taking.quantized(index)
        batch = math.prod(graph.shape(sign.numbers)) // (height * width * channels)
        return self.taking.quantized(self._reshaped(sign.numbers, (batch, height, width, channels)))

    def _bconv(
        self, bits: int, negative: NDArray[np.bool_], scale: NDArray[np.float64], bias: NDArray[np.float64]
    ) -> int:
        convolution = self.convolution
        constants = [self._constant(value.astype(np.float32)) for value in (scale, bias)]
        options = {
            "channels_in": convolution.channels,
            "dilation_height_factor": convolution.dilations[0],
            "dilation_width_factor": convolution.dilations[1],
            "fused_activation_function": 0,
            "pad_values": self.border or 0,
            "padding": _VALID if self.border is None else _SAME,
            "stride_height": convolution.strides[0],
            "stride_width": convolution.strides[1],
        }
        batch = self.graph.shape(bits)[0]
        output = self._part((batch, *convolution.sizes, len(negative)))
        inputs = [bits, self._constant(pack_bits(negative)), *constants, -1]
        self.operators.append(self.graph.operator("LceBconv2d", inputs, [output], options))
        return output

    def _by_ones(self, signs: list[Sign], ones: NDArray[np.bool_]) -> int:
        """c_0 · Σ_j s_j · Σ x_j over the window."""
        sums = [self._bconv(self._bits(sign), ones, np.array([sign.scale]), np.zeros(1)) for sign in signs]
        return self._combine("MUL", self._added(sums), self._constant(self.planes.offset.astype(np.float32)))

    def _factor(self, factor: int) -> int:
        """A number an example, as (batch, 1, 1, 1)."""
        batch, *_ = shape = self.graph.shape(factor)
        return factor if len(shape) == 4 else self._reshaped(factor, (batch, 1, 1, 1))

    def _added(self, summands: list[int]) -> int:
        total, *others = summands
        for other in others:
            total = self._combine("ADD", total, other)
        return total

    def _combine(self, kind: str, left: int, right: int) -> int:
        options = schema.AddOptionsT() if kind == "ADD" else schema.MulOptionsT()
        shapes = [self.graph.shape(left), self.graph.shape(right)]
        output = self._part(tuple(np.broadcast_shapes(*shapes)))
        self.operators.append(self.graph.operator(kind, [left, right], [output], options))
        return output

    def _finish(self, summands: list[int]) -> None:
        """Adds the summands up, clamps the sum and gives it the shape of the output."""
        total = self._added(summands)
        last, graph, convolution = self.operators[-1], self.graph, self.convolution
        if convolution.activation:
            if graph.kind(last) == "ADD":
                last.builtinOptions.fusedActivationFunction = convolution.activation
            else:
                clamped = self._part(graph.shape(total))
                self.operators.append(activated(graph, total, convolution.activation, clamped))
                total = clamped
        if graph.shape(total) == graph.shape(convolution.output):
            self.operators[-1].outputs = np.array([convolution.output], np.int32)
        else:
            self._reshaped(total, graph.shape(convolution.output), convolution.output)

    def _reshaped(self, index: int, shape: tuple[int, ...], output: int | None = None) -> int:
        if self.graph.shape(index) == shape and output is None:
            return index
        sizes = self._constant(np.array([-1, *shape[1:]], np.int32))
        output = self._part(shape) if output is None else output
        self.operators.append(self.graph.operator("RESHAPE", [index, sizes], [output]))
        self.taking.producers[output] = self.operators[-1]
        return output

    def _part(self, shape: tuple[int, ...]) -> int:
        self.parts += 1
        return self.graph.add_tensor(part_of(self.name, self.parts), shape)

    def _constant(self, value: NDArray) -> int:
        key = str(value.dtype).encode() + str(value.shape).encode() + value.tobytes()
        if key not in self.constants:
            self.constants[key] = self.graph.add_constant(f"tensor_{len(self.graph.main.tensors)}", value)
        return self.constants[key]

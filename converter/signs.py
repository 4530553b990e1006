"""A tensor as a sum of scaled signs: what k-bit, ternary and multi-base activations are once they are taken apart.

    q = offset + Σ factor_j · scale_j · sign(x_j)

Every sign becomes bits by LceQuantize. A quantizer is followed backwards through the operators that it was converted
to, so that it does not matter which one it was:

- ROUND to whole numbers from 0 to n < 2^k (DoReFa): with u_0 = 2^(k-1) − ½ − r and u_(j+1) = u_j − 2^(k-2-j)·sign(u_j),
  r = (2^k − 1)/2 − Σ 2^(k-2-j)·sign(u_j). The u are halves of odd numbers, exact in float32 and never 0.
- SIGN (ternary): sign(z) = (z ≥ 0)/2 − (−z ≥ 0)/2 with signs of one bit; of z clamped at 0, (1 − (−z ≥ 0))/2.
- sums, differences and multiples of such (ABC-Net, HORQ), by numbers or by one factor an example.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from tflbnn.converter.graph import Graph
from tflbnn.converter.intervals import interval
from tflbnn.converter.passes.report import NoMatchError
from tflbnn.runtime.flatbuffer import schema

LARGEST_K = 4  # bits of an activation: beyond, 8-bit integers are faster than that many binary convolutions
_RELU = schema.ActivationFunctionType.RELU
_REARRANGING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")


@dataclasses.dataclass(frozen=True)
class Sign:
    """One scaled sign of the sum.

    Attributes:
        numbers: the tensor whose sign it is; where only its bits are there, the signs that they become.
        bits: the tensor of its bits, as long as it has the shape of the sum; None before it is quantized.
        scale: a number that multiplies it.
        factor: a tensor with one number an example that multiplies it too; None for none.
    """

    numbers: int
    bits: int | None
    scale: float = 1.0
    factor: int | None = None


@dataclasses.dataclass(frozen=True)
class Sum:
    signs: tuple[Sign, ...]
    offset: float = 0.0

    def times(self, scale: float) -> Sum:
        scaled = (dataclasses.replace(sign, scale=sign.scale * scale) for sign in self.signs)
        return Sum(tuple(scaled), self.offset * scale)

    def plus(self, other: Sum) -> Sum:
        return Sum(self.signs + other.signs, self.offset + other.offset)

    @property
    def of_ones(self) -> float | None:
        """What the sum is where every sign is +1; None where that differs between examples."""
        if any(sign.factor is not None for sign in self.signs):
            return None
        return self.offset + sum(sign.scale for sign in self.signs)


class Taking:
    """Takes tensors apart; `operators` are the new ones that compute the numbers of the signs, in order."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.producers = graph.producers()
        self.operators: list[schema.OperatorT] = []

    def apart(self, index: int) -> Sum:
        """The tensor as a sum of signs.

        Raises:
            NoMatchError: it is none.
        """
        operator = self.producers.get(index)
        kind = "the input" if operator is None else self.graph.kind(operator)
        if operator is not None and kind in _STEPS:
            return _STEPS[kind](self, operator)
        raise NoMatchError(f"its inputs are no sum of signs: {kind} gives '{self.graph.name(index)}'")

    def dequantize(self, operator: schema.OperatorT) -> Sum:
        bits = int(operator.inputs[0])
        source = self.producers.get(bits)
        quantizes = source is not None and self.graph.kind(source) == "LceQuantize"
        return Sum((Sign(int(source.inputs[0]) if quantizes else int(operator.outputs[0]), bits),))

    def rearrange(self, operator: schema.OperatorT) -> Sum:
        """The numbers are moved before their sign is taken; `products` gives them the shape that it needs."""
        found = self.apart(int(operator.inputs[0]))
        return Sum(tuple(dataclasses.replace(sign, bits=None) for sign in found.signs), found.offset)

    def add(self, operator: schema.OperatorT) -> Sum:
        self.require_no_activation(operator)
        total = Sum(())
        for index in map(int, operator.inputs):
            number = self.number(index)
            total = total.plus(self.apart(index) if number is None else Sum((), number))
        return total

    def subtract(self, operator: schema.OperatorT) -> Sum:
        self.require_no_activation(operator)
        left, right = (
            self.apart(index) if (number := self.number(index)) is None else Sum((), number)
            for index in map(int, operator.inputs)
        )
        return left.plus(right.times(-1))

    def negate(self, operator: schema.OperatorT) -> Sum:
        return self.apart(int(operator.inputs[0])).times(-1)

    def divide(self, operator: schema.OperatorT) -> Sum:
        self.require_no_activation(operator)
        divisor = self.number(int(operator.inputs[1]))
        if not divisor:
            raise NoMatchError("its input signs are divided by what is no constant number")
        return self.apart(int(operator.inputs[0])).times(1 / divisor)

    def multiply(self, operator: schema.OperatorT) -> Sum:
        self.require_no_activation(operator)
        left, right = map(int, operator.inputs)
        for index, factor in ((left, right), (right, left)):
            if (number := self.number(factor)) is not None:
                return self.apart(index).times(number)
            if self.graph.constant(factor) is None and set(self.graph.shape(factor)[1:]) == {1}:
                found = self.apart(index)
                if found.offset or any(sign.factor is not None for sign in found.signs):
                    raise NoMatchError("its input signs are multiplied by two factors that are computed")
                return Sum(tuple(dataclasses.replace(sign, factor=factor) for sign in found.signs))
        raise NoMatchError("its input signs are multiplied by what is neither one number nor one an example")

    def sign(self, operator: schema.OperatorT) -> Sum:
        """Three values, or two where what comes in is clamped at 0."""
        index = int(operator.inputs[0])
        source = self.producers.get(index)
        if source is not None and self.graph.kind(source) == "RELU":
            return Sum((Sign(self.negative(int(source.inputs[0])), None, -0.5),), 0.5)
        if source is not None and getattr(source.builtinOptions, "fusedActivationFunction", 0) == _RELU:
            return Sum((Sign(self.negative_of(source), None, -0.5),), 0.5)
        if interval(self.graph, self.producers, index)[0] >= 0:
            return Sum((Sign(self.negative(index), None, -0.5),), 0.5)
        return Sum((Sign(index, None, 0.5), Sign(self.negative(index), None, -0.5)))

    def round(self, operator: schema.OperatorT) -> Sum:
        rounded = int(operator.outputs[0])
        low, high = interval(self.graph, self.producers, int(operator.inputs[0]))
        if not np.isfinite([low, high]).all():
            raise NoMatchError("its inputs are rounded without bounds")
        low, high = int(np.rint(low)), int(np.rint(high))
        k = (high - low).bit_length()
        if not 1 <= k <= LARGEST_K:
            raise NoMatchError(f"its inputs have {k} bits, more than {LARGEST_K}; --rest int8 serves it better")
        middle = self.constant(2 ** (k - 1) - 0.5 + low)
        numbers = self.new("SUB", [middle, rounded], schema.SubOptionsT())
        signs = []
        for step in range(k):
            bits = self.quantized(numbers)
            scale = 2.0 ** (k - 2 - step)
            signs.append(Sign(numbers, bits, -scale))
            if step + 1 < k:
                plane = self.new("LceDequantize", [bits])
                if scale != 1:
                    plane = self.new("MUL", [plane, self.constant(scale)], schema.MulOptionsT())
                numbers = self.new("SUB", [numbers, plane], schema.SubOptionsT())
        return Sum(tuple(signs), (2**k - 1) / 2 + low)

    def negative(self, index: int) -> int:
        return self.new("NEG", [index], schema.NegOptionsT())

    def negative_of(self, operator: schema.OperatorT) -> int:
        """Minus what an operator gives before its activation."""
        graph, output = self.graph, int(operator.outputs[0])
        inputs = list(map(int, operator.inputs))
        if graph.kind(operator) == "SUB":
            return self.new("SUB", inputs[::-1], schema.SubOptionsT(), like=output)
        if graph.kind(operator) != "ADD":
            raise NoMatchError(f"its inputs are signs of a clamped {graph.kind(operator)}")
        return self.negative(self.new("ADD", inputs, schema.AddOptionsT(), like=output))

    def new(self, kind: str, inputs: list[int], options: object = None, like: int | None = None) -> int:
        """The output of a new operator, of the shape of its largest input, or of `like`."""
        graph = self.graph
        if like is None:
            like = max(inputs, key=lambda index: np.prod(graph.shape(index), dtype=np.int64))
        shape = graph.shape(like)
        if kind == "LceDequantize":
            shape = graph.shape(int(self.producers[inputs[0]].inputs[0]))
        output = graph.add_tensor(f"tensor_{len(graph.main.tensors)}", shape)
        self.operators.append(graph.operator(kind, inputs, [output], options))
        self.producers[output] = self.operators[-1]
        return output

    def quantized(self, numbers: int) -> int:
        """The bits of a tensor's signs; its own LceQuantize where it has one."""
        for operator in (*self.graph.operators, *self.operators):
            if self.graph.kind(operator) == "LceQuantize" and operator.inputs[0] == numbers:
                return int(operator.outputs[0])
        *sizes, channels = self.graph.shape(numbers)
        bits = self.graph.add_tensor(
            f"tensor_{len(self.graph.main.tensors)}", (*sizes, -(-channels // 32)), schema.TensorType.INT32
        )
        self.operators.append(self.graph.operator("LceQuantize", [numbers], [bits]))
        self.producers[bits] = self.operators[-1]
        return bits

    def constant(self, value: float) -> int:
        return self.graph.add_constant(f"tensor_{len(self.graph.main.tensors)}", np.array(value, np.float32))

    def number(self, index: int) -> float | None:
        """The one value of a constant; None of anything else."""
        value = self.graph.constant(index)
        return None if value is None or value.size != 1 or value.dtype != np.float32 else float(value.reshape(())[()])

    @staticmethod
    def require_no_activation(operator: schema.OperatorT) -> None:
        if getattr(operator.builtinOptions, "fusedActivationFunction", 0):
            raise NoMatchError("an activation lies between the signs of its inputs")


_STEPS = {
    "LceDequantize": Taking.dequantize,
    **dict.fromkeys(_REARRANGING, Taking.rearrange),
    **dict.fromkeys(("ADD", "ADD_N"), Taking.add),
    "SUB": Taking.subtract,
    "NEG": Taking.negate,
    "MUL": Taking.multiply,
    "DIV": Taking.divide,
    "SIGN": Taking.sign,
    "ROUND": Taking.round,
}

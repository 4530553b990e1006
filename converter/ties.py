"""Which bits of a flatbuffer rounding may turn: those whose own number lay next to the threshold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import tf
from tflbnn.converter.exact import BinaryConvolution, unpack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.synchronized import TIE
from tflbnn.runtime.flatbuffer import schema

# How far a turned sign's number may lie from 0 in the flatbuffer, as a share of the largest. More than TIE, as networks
# that amplify rounding, such as those with untrained gates, move it by some TIEs between Keras and the flatbuffer.
_NEAR = 16 * TIE
_SAME = 0
_REARRANGING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")


def near_zero(numbers: NDArray) -> NDArray[np.bool_]:
    """Where rounding may turn the sign of a number in the flatbuffer."""
    return np.abs(numbers) <= _NEAR * float(np.abs(numbers).max(initial=0))


class Margins:
    """How far the numbers that a flatbuffer made bits of lay from the threshold.

    Args:
        values: what its tensors have, by index.
    """

    def __init__(self, graph: Graph, values: Mapping[int, NDArray]) -> None:
        self.graph, self.values = graph, values
        self.producers = {int(index): operator for operator in graph.operators for index in operator.outputs}

    def near(self, index: int) -> NDArray[np.bool_] | None:
        """Where rounding may turn a sign of a tensor of bits, or of signs made of one; None where it is not known.

        That is at the smallest numbers before the sign, or, for a binary convolution that writes bits, at the sums on
        either side of the threshold.
        """
        found = self._of(index)
        if found is None:
            return None
        margins, slack = found
        return np.abs(margins) <= slack

    def _of(self, index: int) -> tuple[NDArray[np.float32], float] | None:
        """Numbers whose signs are the bits, and what rounding may move them by."""
        operator = self.producers.get(index)
        kind = None if operator is None else self.graph.kind(operator)
        if kind == "LceDequantize":
            return self._of(int(operator.inputs[0]))
        if kind in _REARRANGING:
            found = self._of(int(operator.inputs[0]))
            return found and (found[0].reshape((len(found[0]), *self.graph.shape(index)[1:])), found[1])
        if kind == "LceQuantize":
            if (found := self._of(int(operator.inputs[0]))) is not None:
                return found  # of signs that were bits before
            numbers = self.values.get(int(operator.inputs[0]))
            if numbers is None:
                return None
            return numbers, _NEAR * float(np.abs(numbers).max(initial=0))
        if kind == "LceBMaxPool2d":
            found = self._of(int(operator.inputs[0]))
            return found and (self._pooled(operator, found[0]), found[1])
        if kind == "LceBconv2d" and (bits := self.values.get(int(operator.inputs[0]))) is not None:
            convolution = BinaryConvolution.of(self.graph, operator)
            if convolution.threshold is None:
                return None
            sums = convolution.sums(unpack_bits(bits, convolution.channels))
            doubled = convolution.products - sums
            # Every other number comes up, two at each threshold: 1 and -1.
            return (2 * convolution.threshold.astype(np.float32) + 1 - doubled).astype(np.float32), 1.0
        return None

    def _pooled(self, operator: schema.OperatorT, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        options = self.graph.options(operator)
        window, strides = ([options[f"{what}_{axis}"] for axis in ("height", "width")] for what in ("filter", "stride"))
        padding = "SAME" if options["padding"] == _SAME else "VALID"
        return tf.nn.max_pool2d(numbers, window, strides, padding).numpy()

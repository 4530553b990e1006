"""8-bit integers for floats: value = scale · (integer - zero point)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tflbnn.runtime.flatbuffer import schema

_LEAST_RANGE = 1e-6


@dataclasses.dataclass(frozen=True)
class Scale:
    """
    Attributes:
        scale: of one step.
        zero: the integer that stands for 0.
    """

    scale: float
    zero: int

    @classmethod
    def of_range(cls, low: float, high: float) -> Scale:
        """int8 for values from low to high, 0 among them exactly.

        >>> Scale.of_range(0.0, 510.0)
        Scale(scale=2.0, zero=-128)
        """
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max(high - low, _LEAST_RANGE) / 255
        return cls(scale, int(np.clip(np.rint(-128 - low / scale), -128, 127)))

    def parameters(self) -> schema.QuantizationParametersT:
        return parameters([self.scale], [self.zero])


def parameters(scales: Sequence[float], zeros: Sequence[int], axis: int = 0) -> schema.QuantizationParametersT:
    """A tensor's quantization, with one scale or one for each index of an axis."""
    found = schema.QuantizationParametersT()
    found.scale, found.zeroPoint = np.asarray(scales, np.float32), np.asarray(zeros, np.int64)
    found.quantizedDimension = axis
    return found


def integer_weights(weights: NDArray[np.float32], by_filter: bool) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Weights (filters, ...) as integers from -127 to 127 with a zero of 0, and a scale a filter, or one for all.

    >>> integers, scales = integer_weights(np.float32([[1.27, -0.5], [0.0, 0.02]]), by_filter=True)
    >>> integers.tolist(), scales.round(6).tolist()
    ([[127, -50], [0, 127]], [0.01, 0.000157])
    """
    axes = tuple(range(1 if by_filter else 0, weights.ndim))
    largest = np.maximum(np.abs(weights).max(axis=axes, keepdims=True).astype(np.float64), _LEAST_RANGE)
    integers = np.clip(np.rint(weights / (largest / 127)), -127, 127).astype(np.int8)
    return integers, (largest / 127).reshape(-1)

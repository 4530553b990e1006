"""Float layers whose arithmetic is exact, for networks that every runtime must compute to the last bit.

One rounding can flip a sign, and everything after it. So every constant here is a multiple of a power of two, every
divisor is a power of two, and `Value` keeps account of how many bits a tensor needs: as long as they fit into
float32's 24, any order of summation gives the same bits. Zeros of both signs, the ties of a sign, come up often.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from tflbnn._keras import keras, tf

L = keras.layers

BITS = 22  # of float32's 24: the sums inside an operator need more than their results
EPSILON = 2.0**-10


def _exact_slope() -> float:
    """A number of quarters s where TensorFlow's rsqrt(1 / s²) is s itself, in vector and scalar code.

    rsqrt is approximate in vector code: of 1 it is 1 - 2**-23 with AVX-512, but of 1 / 1.25² it is 1.25.
    """
    for slope in (1.0, 1.25, 1.5, 1.75):
        roots = [tf.math.rsqrt(tf.fill((size,), np.float32(1 / slope**2))).numpy() for size in (1, 8, 129)]
        if all((root == slope).all() for root in roots):
            return slope
    raise AssertionError("rsqrt is exact nowhere here: exact BatchNorms are not possible")


SLOPE = _exact_slope()


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor whose values are multiples of 2**-fraction, at most `bound`, with a spread of about `std`."""

    tensor: Any
    fraction: int
    bound: float
    std: float

    @property
    def size(self) -> tuple[int, int]:
        return self.tensor.shape[1], self.tensor.shape[2]

    @property
    def channels(self) -> int:
        return self.tensor.shape[3]

    def fits(self) -> bool:
        return self.fraction + math.log2(max(self.bound, 1.0)) <= BITS


class Author:
    """Writes one network; every method adds layers and notes them. A layer that would not fit is left out."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.notes: list[str] = []
        # Weights are set once the model stands: layer -> arrays.
        self.weights: list[tuple[keras.layers.Layer, list[np.ndarray]]] = []

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def pick(self, choices):
        return choices[int(self.rng.integers(len(choices)))]

    def eighths(self, shape: int | tuple[int, ...], limit: float) -> np.ndarray:
        """Multiples of 1/8 within ±limit."""
        return self.rng.integers(-int(8 * limit), int(8 * limit) + 1, shape).astype(np.float32) / 8

    def float_conv(self, x: Value, filters: int, kernel: int, strides: int = 1) -> Value:
        layer = L.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=self.chance(0.5))
        y = layer(x.tensor)
        count = kernel * kernel * x.channels
        weights = [self.eighths((kernel, kernel, x.channels, filters), 0.5)]
        if layer.use_bias:
            weights.append(self.eighths(filters, 1))
        out = Value(y, x.fraction + 3, x.bound * count / 2 + 1, x.std * math.sqrt(count) / 3)
        if not out.fits():
            return x
        self.weights.append((layer, weights))
        self.notes.append(f"conv {kernel}x{kernel} s{strides} {x.channels}->{filters}")
        return out

    def batch_norm(self, x: Value) -> Value:
        exponent = max(0, round(math.log2(max(x.std, 1e-3))))
        channels = x.tensor.shape[-1]
        # Unfused: TensorFlow's fused kernel divides by a rounded square root instead.
        layer = L.BatchNormalization(epsilon=EPSILON, fused=False)
        gamma = self.eighths(channels, 2)
        gamma[gamma == 0] = 1
        gamma[self.rng.random(channels) < 0.05] = 0
        mean = np.clip(np.round(self.rng.normal(0, x.std, channels) * 8) / 8, -x.bound, x.bound)
        # Multiplies by gamma * SLOPE / 2**exponent. EPSILON is a multiple of this variance's last bit.
        variance = np.full(channels, np.float32(4.0**exponent / SLOPE**2) - np.float32(EPSILON))
        slope = SLOPE / 2**exponent
        out = Value(layer(x.tensor), max(x.fraction, 3) + 5 + exponent, 4 * x.bound * slope + 1, 1.2 * x.std * slope)
        if not out.fits():
            return x
        self.weights.append((layer, [gamma, self.eighths(channels, 1), mean, variance]))
        self.notes.append("bn")
        return out

    def relu(self, x: Value) -> Value:
        self.notes.append("relu")
        return dataclasses.replace(x, tensor=L.ReLU()(x.tensor))

    def max_pool(self, x: Value) -> Value:
        pool, strides, padding = self.pick((2, 3)), self.pick((1, 2)), self.pick(("same", "valid"))
        if padding == "valid" and min(x.size) < pool:
            padding = "same"
        self.notes.append(f"maxpool {pool}x{pool} s{strides} {padding}")
        return dataclasses.replace(x, tensor=L.MaxPool2D(pool, strides=strides, padding=padding)(x.tensor))

    def average_pool(self, x: Value) -> Value:
        out = dataclasses.replace(x, fraction=x.fraction + 2)
        if min(x.size) < 2 or not out.fits():
            return x
        self.notes.append("avgpool 2x2")
        return dataclasses.replace(out, tensor=L.AveragePooling2D(2)(x.tensor))

    def join(self, kind: str, x: Value, y: Value) -> Value:
        fraction, std = max(x.fraction, y.fraction), math.hypot(x.std, y.std)
        if kind == "add":
            out = Value(L.Add()([x.tensor, y.tensor]), fraction, x.bound + y.bound, std)
        else:
            tensors = [x.tensor, y.tensor] if self.chance(0.8) else [y.tensor, x.tensor]
            out = Value(L.Concatenate()(tensors), fraction, max(x.bound, y.bound), std)
        if not out.fits():
            return y
        self.notes.append(kind)
        return out

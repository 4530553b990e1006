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

from tflbnn._keras import keras, lq, tf

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

    def multiples(self, bits: int, shape: int | tuple[int, ...], limit: float) -> np.ndarray:
        """Multiples of 1 / 2**bits within ±limit."""
        most = int(limit * 2**bits)
        return self.rng.integers(-most, most + 1, shape).astype(np.float32) / 2**bits

    def eighths(self, shape: int | tuple[int, ...], limit: float) -> np.ndarray:
        return self.multiples(3, shape, limit)

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
        """Gamma of both signs, and zero for some channels; half of them need few bits, so that more fits behind."""
        exponent = max(0, round(math.log2(max(x.std, 1e-3))))
        channels = x.tensor.shape[-1]
        # Unfused: TensorFlow's fused kernel divides by a rounded square root instead.
        layer = L.BatchNormalization(epsilon=EPSILON, fused=False)
        bits = self.pick((0, 3))  # of gamma, beta and mean behind the point
        gamma, beta = self.multiples(bits, channels, 2), self.multiples(bits, channels, 1)
        gamma[gamma == 0] = 1
        gamma[self.rng.random(channels) < 0.05] = 0
        most = math.floor(x.bound)
        mean = np.clip(np.round(self.rng.normal(0, x.std, channels) * 2**bits) / 2**bits, -most, most)
        # Multiplies by gamma * SLOPE / 2**exponent. EPSILON is a multiple of this variance's last bit.
        variance = np.full(channels, np.float32(4.0**exponent / SLOPE**2) - np.float32(EPSILON))
        slope = SLOPE / 2**exponent
        fraction = max(x.fraction, bits) + bits + 2 + exponent
        out = Value(layer(x.tensor), fraction, 4 * x.bound * slope + 1, 1.2 * x.std * slope)
        if not out.fits():
            return x
        self.weights.append((layer, [gamma, beta, mean, variance]))
        self.notes.append("bn")
        return out

    def relu(self, x: Value) -> Value:
        limit = self.pick((None, None, 6.0))
        self.notes.append("relu6" if limit else "relu")
        return dataclasses.replace(x, tensor=L.ReLU(limit)(x.tensor))

    def prelu(self, x: Value) -> Value:
        layer = L.PReLU(shared_axes=[1, 2])
        out = Value(layer(x.tensor), x.fraction + 3, 2 * x.bound, x.std)
        if not out.fits():
            return x
        self.weights.append((layer, [self.eighths((1, 1, x.channels), 2)]))
        self.notes.append("prelu")
        return out

    def dense(self, x: Value, units: int, weight: float) -> tuple[Value, tuple[L.Layer, list[np.ndarray]]]:
        layer, count = L.Dense(units, use_bias=False), x.tensor.shape[-1]
        out = Value(layer(x.tensor), x.fraction + 3, x.bound * count * weight, x.std * math.sqrt(count) * weight / 2)
        return out, (layer, [self.eighths((count, units), weight)])

    def gate(self, x: Value, source: Value) -> Value:
        """A factor for each channel of x, from the whole of `source`: squeeze-and-excite without roundings."""
        units = self.pick((1, 2, 4))
        greatest = dataclasses.replace(source, tensor=L.GlobalMaxPooling2D()(source.tensor))
        squeezed, squeeze = self.dense(greatest, units, 0.5)
        signs = Value(lq.quantizers.SteSign()(squeezed.tensor), 0, 1.0, 1.0)
        excited, excite = self.dense(signs, x.channels, 0.5)
        factors = L.Reshape((1, 1, x.channels))(excited.tensor)
        tensors = [x.tensor, factors] if self.chance(0.8) else [factors, x.tensor]
        out = Value(L.Multiply()(tensors), x.fraction + 3, x.bound * excited.bound, x.std)
        if not squeezed.fits() or not out.fits():
            return x
        self.weights += [squeeze, excite]
        self.notes.append(f"gate of {units}")
        return out

    def blur(self, x: Value) -> Value:
        """(1 2 1) × (1 2 1) / 16 with a stride of 2."""
        layer = L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=self.chance(0.3))
        out = dataclasses.replace(x, tensor=layer(x.tensor), fraction=max(x.fraction + 4, 3), bound=x.bound + 1)
        if not out.fits():
            return x
        weights = np.outer((1, 2, 1), (1, 2, 1)).astype(np.float32) / 16
        values = [np.repeat(weights[:, :, None, None], x.channels, 2)]
        if layer.use_bias:
            values.append(self.eighths(x.channels, 1))
        self.weights.append((layer, values))
        self.notes.append("blur")
        return out

    def pad(self, x: Value) -> Value:
        """Zeros around the image."""
        (top, bottom), (left, right) = self.rng.integers(0, 3, (2, 2)).tolist()
        self.notes.append(f"pad {top}{bottom}{left}{right}")
        return dataclasses.replace(x, tensor=L.ZeroPadding2D(((top, bottom), (left, right)))(x.tensor))

    def max_pool(self, x: Value) -> Value:
        pool, strides, padding = self.pick((2, 3)), self.pick((1, 2)), self.pick(("same", "valid"))
        if padding == "valid" and min(x.size) < pool:
            padding = "same"
        self.notes.append(f"maxpool {pool}x{pool} s{strides} {padding}")
        return dataclasses.replace(x, tensor=L.MaxPool2D(pool, strides=strides, padding=padding)(x.tensor))

    def average_pool(self, x: Value, padding: str = "valid") -> Value:
        """Of 2×2, so that even at a border 1, 2 or 4 pixels count."""
        out = dataclasses.replace(x, fraction=x.fraction + 2)
        if (padding == "valid" and min(x.size) < 2) or not out.fits():
            return x
        self.notes.append(f"avgpool 2x2 {padding}")
        return dataclasses.replace(out, tensor=L.AveragePooling2D(2, padding=padding)(x.tensor))

    def add(self, x: Value, y: Value) -> Value:
        tensors = [x.tensor, y.tensor] if self.chance(0.5) else [y.tensor, x.tensor]
        std = math.hypot(x.std, y.std)
        out = Value(L.Add()(tensors), max(x.fraction, y.fraction), x.bound + y.bound, std)
        if not out.fits():
            return y
        self.notes.append("add")
        return out

    def concat(self, *values: Value) -> Value:
        """In random order."""
        tensors = [values[i].tensor for i in self.rng.permutation(len(values))]
        fraction, bound = max(v.fraction for v in values), max(v.bound for v in values)
        out = Value(L.Concatenate()(tensors), fraction, bound, max(v.std for v in values))
        if not out.fits():
            return values[-1]
        self.notes.append(f"concat of {len(values)}")
        return out

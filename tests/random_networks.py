"""Random Larq networks, by seed, whose float arithmetic is exact.

One rounding can flip a sign, and everything after it. So every constant here is a multiple of a power of two, every
divisor is a power of two, and `Value` keeps account of how many bits a tensor needs: as long as they fit into
float32's 24, any order of summation gives the same bits, and Keras, every kernel of the delegate and every setting of
LCE must agree exactly. Zeros of both signs, which are the ties of a sign, come up often.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from tflbnn._keras import keras, lq, tf

L = keras.layers

CHANNELS = (1, 3, 8, 31, 32, 33, 64, 65, 96, 130)
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


@dataclasses.dataclass(frozen=True)
class RandomNetwork:
    """A Keras model with exact weights, samples for it, and what it is made of."""

    seed: int
    model: keras.Model
    samples: np.ndarray
    layers: list[str]


class _Author:
    """Writes one network; every method adds layers and notes them."""

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

    # Layers that are always float.

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

    # Binary layers.

    def binary_conv(self, x: Value, filters: int, *, same_size: bool = False, one_padding: bool = False) -> Value:
        kernel = (self.pick((1, 2, 3, 3, 3, 4, 5)), self.pick((1, 2, 3, 3, 3, 4, 5)))
        strides = dilation = (1, 1)  # Keras has either strides or dilation
        if not same_size and self.chance(0.3):
            strides = self.pick(((2, 2), (1, 2), (2, 1), (3, 3)))
        elif self.chance(0.25):
            dilation = self.pick(((2, 2), (1, 2), (3, 3), (2, 1)))
        extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        padding = self.pick(("same-one", "same-zero", "valid"))
        if padding == "valid" and (same_size or extent[0] > x.size[0] or extent[1] > x.size[1]):
            padding = "same-one"
        if one_padding and padding == "same-zero":
            padding = "same-one"
        groups = 1
        if x.channels % 32 == 0 and x.channels > 32 and self.chance(0.4):
            groups = x.channels // 32
            filters = -(-filters // groups) * groups
            if same_size:
                filters = x.channels
        magnitude_aware, bias, relu = self.chance(0.25), self.chance(0.3), self.chance(0.2)
        layer = lq.layers.QuantConv2D(
            filters,
            kernel,
            strides=strides,
            dilation_rate=dilation,
            groups=groups,
            padding=padding.split("-")[0],
            pad_values=0.0 if padding == "same-zero" else 1.0,
            use_bias=bias,
            activation="relu" if relu else None,
            input_quantizer=self.pick(("ste_sign", "approx_sign", "swish_sign")),
            kernel_quantizer="magnitude_aware_sign" if magnitude_aware else "ste_sign",
            kernel_constraint="weight_clip",
        )
        shape = (*kernel, x.channels // groups, filters)
        latent = self.rng.choice((-0.75, -0.25, 0.5, 1.0, 0.0, -0.0), shape)
        fraction = 3 if bias else 0
        if magnitude_aware:
            # The mean of one power of two is itself, whatever the number of weights.
            exponents = self.rng.integers(0, 4, filters)
            latent = self.rng.choice((-1.0, 1.0), shape) * 2.0**-exponents
            fraction = 3
        weights = [latent.astype(np.float32)]
        if bias:
            weights.append(self.eighths(filters, 2))
        count = math.prod(shape[:3])
        self.weights.append((layer, weights))
        note = (
            f"bconv {kernel[0]}x{kernel[1]} s{strides[0]}{strides[1]} d{dilation[0]}{dilation[1]} {padding} g{groups}"
        )
        note += f" {x.size[0]}x{x.size[1]} {x.channels}->{filters}"
        note += " magnitude" * magnitude_aware + " bias" * bias + " relu" * relu
        self.notes.append(note)
        return Value(layer(x.tensor), fraction, count + 2.0, math.sqrt(count))

    # Blocks.

    def dense_block(self, x: Value) -> Value:
        for _ in range(int(self.rng.integers(1, 4))):
            y = self.binary_conv(self.batch_norm(x), self.pick((8, 24, 31, 32, 40, 64)), same_size=True)
            x = self.join("concat", x, y)
        return x

    def residual(self, x: Value) -> Value:
        y = self.binary_conv(self.batch_norm(x) if self.chance(0.5) else x, x.channels, same_size=True)
        if y.channels != x.channels:
            return y
        return self.join("add", x, self.batch_norm(y))

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

    def chain(self, x: Value) -> Value:
        """Binary convolutions in a row: where only signs are read, LCE writes bits."""
        for _ in range(int(self.rng.integers(2, 4))):
            x = self.binary_conv(x, self.pick(CHANNELS), one_padding=self.chance(0.8))
            if self.chance(0.7):
                x = self.batch_norm(x)
            if self.chance(0.25):
                x = self.max_pool(x)
        return x

    def pool(self, x: Value) -> Value:
        """Pooling before a sign, which becomes a pooling of bits, or after one."""
        if self.chance(0.5):
            x = self.batch_norm(x)
        x = self.max_pool(x) if self.chance(0.75) else self.average_pool(x)
        return self.binary_conv(x, self.pick(CHANNELS))

    def fork(self, x: Value) -> Value:
        """Two binary convolutions that read one tensor."""
        source = self.batch_norm(x)
        left = self.binary_conv(source, x.channels, same_size=True)
        right = self.binary_conv(source, x.channels, same_size=True)
        return self.join(self.pick(("concat", "add")) if left.channels == right.channels else "concat", left, right)

    def plain(self, x: Value) -> Value:
        y = self.binary_conv(x, self.pick(CHANNELS))
        y = self.batch_norm(y) if self.chance(0.7) else y
        return self.relu(y) if self.chance(0.3) else y

    def transition(self, x: Value) -> Value:
        return self.float_conv(self.batch_norm(x), self.pick((16, 32, 40, 64)), 1)


def random_network(seed: int) -> RandomNetwork:
    """The network of a seed: 1 to 4 blocks on an image of 5 to 25, or, one in six, of 1 to 4 pixels a side."""
    author = _Author(seed)
    low, high = (1, 5) if author.chance(1 / 6) else (5, 26)
    height, width = (int(size) for size in author.rng.integers(low, high, 2))
    stem = author.chance(0.6)
    channels = author.pick((1, 3)) if stem else author.pick((1, 3, 8, 31, 32, 33, 64))
    shape = (height, width, channels)
    author.notes.append(f"input {height}x{width}x{channels}")
    image = L.Input(shape)
    x = Value(image, 3, 2.0, 1.0)
    if stem:
        x = author.float_conv(x, author.pick((8, 31, 32, 33, 64)), 3)
    values = [x]
    blocks = (
        author.dense_block,
        author.residual,
        author.chain,
        author.pool,
        author.fork,
        author.plain,
        author.transition,
    )
    for _ in range(int(author.rng.integers(1, 5))):
        x = author.pick(blocks)(x)
        values.append(x)
    if not any(note.startswith("bconv") for note in author.notes):
        x = author.plain(x)
    outputs = [x.tensor]
    if author.chance(0.2) and values[-2].tensor is not image and values[-2].tensor is not x.tensor:
        # A tensor inside the binary part that somebody outside reads too.
        outputs.append(values[-2].tensor)
        author.notes.append("second output")
    model = keras.Model(image, outputs)
    kept = {id(layer) for layer in model.layers}
    for layer, weights in author.weights:
        if id(layer) in kept:
            layer.set_weights(weights)
    samples = author.eighths((author.pick((1, 3)), *shape), 2)
    return RandomNetwork(seed, model, samples, author.notes)

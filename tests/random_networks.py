"""Random Larq networks, by seed, as wide as the delegate claims, computed exactly by Keras (see exact_layers)."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tests.exact_layers import Author, Value
from tflbnn._keras import keras, lq

L = keras.layers

CHANNELS = (1, 3, 8, 31, 32, 33, 64, 65, 96, 130)
HUGE = ((7300, (3, 3)), (2650, (5, 5)))  # channels and filters of more than 65,535 weights


@dataclasses.dataclass(frozen=True)
class RandomNetwork:
    """A Keras model with exact weights, samples for it, and what it is made of."""

    seed: int
    model: keras.Model
    samples: np.ndarray
    layers: list[str]


class _BinaryAuthor(Author):
    """Adds binary layers, and blocks of layers."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        # The binary layers by the place of their note. Who is joined to nothing, as the sum would not fit, is lost.
        self.noted: dict[int, keras.layers.Layer] = {}
        self.gated_widths: list[int] = []

    def gate(self, x: Value, source: Value) -> Value:
        gated = super().gate(x, source)
        if gated is not x:
            self.gated_widths.append(x.size[1])
        return gated

    def binary_conv(
        self,
        x: Value,
        filters: int,
        *,
        kernel: tuple[int, int] | None = None,
        stride: int | None = None,
        one_padding: bool = False,
    ) -> Value:
        """`stride` says how many times smaller the image becomes, at most rounded up; None leaves it to chance."""
        kernel = kernel or (self.pick((1, 2, 3, 3, 3, 4, 5)), self.pick((1, 2, 3, 3, 3, 4, 5)))
        strides = dilation = (1, 1)  # Keras has either strides or dilation
        if stride not in (None, 1):
            strides = (stride, stride)
        elif stride is None and self.chance(0.3):
            strides = self.pick(((2, 2), (1, 2), (2, 1), (3, 3)))
        elif self.chance(0.25):
            dilation = self.pick(((2, 2), (1, 2), (3, 3), (2, 1)))
        extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        padding = self.pick(("same-one", "same-zero", "valid"))
        if padding == "valid" and (stride is not None or extent[0] > x.size[0] or extent[1] > x.size[1]):
            padding = "same-one"
        if one_padding and padding == "same-zero":
            padding = "same-one"
        groups = 1
        if x.channels % 32 == 0 and x.channels > 32 and self.chance(0.4):
            groups = self.pick([g for g in range(2, x.channels // 32 + 1) if x.channels // 32 % g == 0])
            filters = x.channels if filters == x.channels else -(-filters // groups) * groups
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
        self.noted[len(self.notes)] = layer
        self.notes.append(note)
        return Value(layer(x.tensor), fraction, count + 2.0, math.sqrt(count))

    def dense_block(self, x: Value) -> Value:
        """Each convolution reads all that came before: joined at once, or one after the other."""
        pieces = [x]
        at_once = self.chance(0.5)
        for _ in range(int(self.rng.integers(1, 4))):
            x = self.concat(*pieces) if len(pieces) > 1 else pieces[0]
            y = self.binary_conv(self.batch_norm(x), self.pick((1, 8, 24, 31, 32, 33, 40, 64)), stride=1)
            pieces = [*pieces, y] if at_once else [x, y]
        x = self.concat(*pieces)
        return self.max_pool(x) if self.chance(0.2) else x

    def residual(self, x: Value) -> Value:
        """A convolution, what is done to its result, and a shortcut, of half the size now and then."""
        stride = 2 if self.chance(0.25) else 1
        source = self.batch_norm(x) if self.chance(0.5) else x
        channels = x.channels if stride == 1 else self.pick((x.channels, 33, 64))
        y = self.binary_conv(source, channels, stride=stride)
        for what in self.rng.permutation(4)[: self.rng.integers(0, 4)]:
            y = (self.batch_norm, self.prelu, self.relu, lambda y: self.gate(y, self.pick((source, y))))[what](y)
        shortcut = x
        if stride == 2:
            shortcut = self.average_pool(x, "same")
            if channels != x.channels or self.chance(0.3):
                shortcut = self.float_conv(shortcut, channels, 1)
        if shortcut.tensor.shape != y.tensor.shape:
            return y
        x = self.add(shortcut, y)
        if self.chance(0.4):
            x = self.pick((self.relu, self.relu, self.prelu, self.batch_norm))(x)
        return x

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
        x = self.relu(x) if self.chance(0.2) else x
        return self.binary_conv(x, self.pick(CHANNELS))

    def blurred(self, x: Value) -> Value:
        """What QuickNet does between its stages, and something that reads it."""
        y = self.binary_conv(x, self.pick((x.channels, *CHANNELS)), stride=1)
        y = self.add(x, y) if x.channels == y.channels and self.chance(0.7) else y
        y = self.relu(y) if self.chance(0.6) else y
        if min(y.size) < 2:
            return y
        pooled = dataclasses.replace(y, tensor=L.MaxPool2D(2, strides=1)(y.tensor))
        self.notes.append("maxpool 2x2 s1 valid")
        y = self.blur(pooled)
        if pooled.tensor.shape == y.tensor.shape and self.chance(0.3):
            return self.add(pooled, y)
        return self.batch_norm(y) if self.chance(0.5) else self.binary_conv(y, self.pick(CHANNELS))

    def fork(self, x: Value) -> Value:
        """Several that read one tensor: through one BatchNorm, through one for each, or also the numbers themselves."""
        shared = self.batch_norm(x)
        branches = []
        for _ in range(int(self.rng.integers(2, 5))):
            source = shared if self.chance(0.6) else self.batch_norm(x)
            branch = self.binary_conv(source, self.pick((x.channels, x.channels, 33)), stride=1)
            branches.append(self.batch_norm(branch) if self.chance(0.5) else branch)
        if self.chance(0.4):
            branches.append(self.pick((shared, x)))
        if any(branch.channels != x.channels for branch in branches) or self.chance(0.5):
            return self.concat(*branches)
        total = branches[0]
        for branch in branches[1:]:
            total = self.add(branch, total)
        return total

    def plain(self, x: Value) -> Value:
        x = self.pad(x) if self.chance(0.3) else x
        y = self.binary_conv(x, self.pick(CHANNELS))
        y = self.batch_norm(y) if self.chance(0.7) else y
        y = self.prelu(y) if self.chance(0.2) else y
        return self.relu(y) if self.chance(0.3) else y

    def transition(self, x: Value) -> Value:
        """To other channels, or none."""
        x = self.batch_norm(x)
        pooled = self.relu(self.max_pool(x)) if self.chance(0.4) else x
        y = self.float_conv(pooled, self.pick((16, 32, 40, 64)), 1)
        return x if y is pooled else y

    def huge(self, x: Value) -> Value:
        """Sums of more than 65,535 products."""
        if math.prod(x.size) > 100:
            return self.plain(x)
        channels, kernel = self.pick(HUGE)
        x = self.binary_conv(x, channels, kernel=(1, 1))
        return self.binary_conv(x, self.pick((1, 3)), kernel=kernel, stride=1)


def random_network(seed: int) -> RandomNetwork:
    """The network of a seed: 1 to 4 blocks on an image of 5 to 25, or, one in six, of 1 to 4 pixels a side."""
    author = _BinaryAuthor(seed)
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
        author.residual,
        author.chain,
        author.pool,
        author.blurred,
        author.fork,
        author.plain,
        author.transition,
    )
    for _ in range(int(author.rng.integers(1, 5))):
        x = author.huge(x) if author.chance(0.01) else author.pick(blocks)(x)
        values.append(x)
    if not any(note.startswith("bconv") for note in author.notes):
        x = author.plain(x)
    outputs = [x.tensor]
    if author.chance(0.2) and values[-2].tensor is not image and values[-2].tensor is not x.tensor:
        # A tensor inside the binary part that somebody outside reads too.
        outputs.append(values[-2].tensor)
        author.notes.append("second output")
    if author.chance(0.1):
        outputs.append(lq.quantizers.SteSign()(x.tensor))
        author.notes.append("sign output")
    model = keras.Model(image, outputs)
    kept = {id(layer) for layer in model.layers}
    for layer, weights in author.weights:
        if id(layer) in kept:
            layer.set_weights(weights)
    # As many samples as a gated image is wide, now and then: its factors must not go to its columns.
    samples = author.eighths((author.pick((1, 3, *author.gated_widths)), *shape), 2)
    lost = {place for place, layer in author.noted.items() if id(layer) not in kept}
    notes = [note for place, note in enumerate(author.notes) if place not in lost]
    return RandomNetwork(seed, model, samples, notes)

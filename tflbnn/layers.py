"""Layers built from a `Binarization`. Networks take theirs from here and name no quantizer."""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable
from typing import Any

from tflbnn import quantizers, regularizers
from tflbnn._keras import keras, lq, tf
from tflbnn.binarization import QUANTIZERS, Binarization
from tflbnn.errors import UserError
from tflbnn.scaling import MagnitudeMap, TrainedScaleConv2D, TrainedScaleDense

# "A Gaussian distribution according to Glorot and Bengio" (BDN section 5); for float weights as well.
INITIALIZER = "glorot_normal"

Layer = Callable[[tf.Tensor], tf.Tensor]

# Whether weights are clipped is what a binarization says: Larq, which misses a constraint, cannot know of it.
logging.getLogger("larq.layers_base").addFilter(lambda record: "kernel_constraint" not in record.msg)


def conv2d(
    binarization: Binarization,
    filters: int,
    kernel_size: int,
    strides: int = 1,
    dilation_rate: int = 1,
    groups: int = 1,
    padding: str = "same",
    use_bias: bool = False,
    name: str | None = None,
) -> Layer:
    """An inner 2-D convolution: quantizes its input and its weights, then convolves.

    A Keras layer, or where the binarization adds to it (`r_sign`, `input_scaling`) a function that calls several.

    Input shape: (batch, height, width, channels). Output shape: (batch, height', width', filters).

    Raises:
        UserError: `groups` does not divide `filters`.

    >>> conv2d(Binarization(), 64, 3, strides=2)(keras.Input((32, 32, 3))).shape
    TensorShape([None, 16, 16, 64])
    """
    if filters % groups:
        raise UserError(
            f"groups={groups} must divide filters. Received: filters={filters}. "
            f"Use {max(filters - filters % groups, groups)} or groups=1."
        )
    make = TrainedScaleConv2D if _trains_scales(binarization) else lq.layers.QuantConv2D
    convolution = make(
        filters,
        kernel_size,
        strides=strides,
        dilation_rate=dilation_rate,
        groups=groups,
        padding=padding,
        use_bias=use_bias,
        # Zero is what "nothing" means to what is no sign, whatever binary convolutions are padded with.
        pad_values=binarization.pad_values if _signs(binarization) else 0.0,
        name=name,
        **_quantization(binarization),
    )
    return _with_input_layers(
        binarization,
        convolution,
        {
            "kernel_size": kernel_size,
            "strides": strides,
            "dilation_rate": dilation_rate,
            "groups": groups,
            "padding": padding,
            "filters": filters,
        },
    )


def dense(binarization: Binarization, units: int, use_bias: bool = False, name: str | None = None) -> Layer:
    """An inner fully connected layer: quantizes its input and its weights, then multiplies.

    A Keras layer, or a function that calls several, as `conv2d`.

    Input shape: (batch, ..., channels). Output shape: (batch, ..., units).

    >>> dense(Binarization(), 10)(keras.Input((64,))).shape
    TensorShape([None, 10])
    """
    make = TrainedScaleDense if _trains_scales(binarization) else lq.layers.QuantDense
    return _with_input_layers(
        binarization, make(units, use_bias=use_bias, name=name, **_quantization(binarization)), {}
    )


def first_conv2d(
    binarization: Binarization,
    filters: int,
    kernel_size: int,
    strides: int = 1,
    padding: str = "same",
    name: str | None = None,
) -> keras.layers.Layer:
    """The convolution that sees the image: full precision unless `binarization.first` is "binary".

    With "binary_weights" it sees the pixels as they are.
    """
    bits = binarization.first
    if bits == "binary_weights":
        binarization, bits = dataclasses.replace(binarization, input_quantizer="float32"), "binary"
    return _conv2d_of(bits, binarization, filters, kernel_size, strides, padding, name)


def downsample(
    binarization: Binarization, filters: int, kernel_size: int = 1, strides: int = 1, name: str | None = None
) -> keras.layers.Layer:
    """The convolution between two stages: full precision unless `binarization.downsampling` is "binary"."""
    return _conv2d_of(binarization.downsampling, binarization, filters, kernel_size, strides, "same", name)


def classifier(binarization: Binarization, classes: int, name: str | None = None) -> keras.layers.Layer:
    """The layer that gives one logit a class: full precision unless `binarization.last` is "binary".

    >>> classifier(Binarization(), 10)(keras.Input((64,))).shape
    TensorShape([None, 10])
    """
    if binarization.last == "binary":
        return dense(binarization, classes, use_bias=True, name=name)
    return keras.layers.Dense(classes, kernel_initializer=INITIALIZER, name=name)


def batch_normalization(name: str | None = None) -> keras.layers.Layer:
    """Batch normalization with the momentum and epsilon of BMXNet and Larq Zoo."""
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def blur_pool(name: str | None = None) -> keras.layers.Layer:
    """Halves height and width after blurring by [1 2 1]ᵀ[1 2 1] / 16, so that what is dropped does not alias.

    A depthwise convolution with a stride of 2 whose weights are not trained; the image is surrounded by zeros.

    Input shape: (batch, height, width, channels). Output shape: (batch, ⌈height/2⌉, ⌈width/2⌉, channels).

    Source: Zhang, "Making Convolutional Networks Shift-Invariant Again" (2019), https://arxiv.org/abs/1904.11486.

    >>> blur_pool()(tf.ones((1, 4, 4, 1))).numpy().squeeze().tolist()
    [[1.0, 0.75], [0.75, 0.5625]]
    """
    return keras.layers.DepthwiseConv2D(
        3,
        strides=2,
        padding="same",
        use_bias=False,
        depthwise_initializer=Binomial(),
        trainable=False,
        name=name,
    )


@keras.utils.register_keras_serializable("tflbnn")
class AddToLast(keras.layers.Layer):
    """Adds a tensor to the last channels of another that has more of them.

    Input shapes: (batch, ..., channels) and (batch, ..., last), last ≤ channels. Output shape: the first.

    Source: Bethge et al., "MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?" (2020), the
    improvement block, https://arxiv.org/abs/2001.05936.

    >>> AddToLast()([tf.ones((1, 4)), tf.ones((1, 2))]).numpy().tolist()
    [[1.0, 1.0, 2.0, 2.0]]
    """

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        x, last = inputs
        before = x.shape[-1] - last.shape[-1]
        return x + tf.pad(last, [(0, 0)] * (x.shape.rank - 1) + [(before, 0)])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]


@keras.utils.register_keras_serializable("tflbnn")
class RSign(keras.layers.Layer):
    """A trained threshold for each channel of the sign that follows.

        y        = x + shift, one shift a channel, started at 0
        ∂y/∂x    = 1;  ∂y/∂shift = 1, summed over the batch and the pixels

    The sign itself, with its gradient, is the input quantizer of the convolution behind: together they are the
    paper's sign(x − α) with α = −shift. In a flatbuffer it is one addition.

    Input and output shape: (batch, ..., channels).

    Source: Liu et al., "ReActNet: Towards Precise Binary Neural Network with Generalized Activation Functions"
    (2020), https://arxiv.org/abs/2003.03488.

    >>> RSign()(tf.constant([[-1.0, 0.5]])).numpy().tolist()
    [[-1.0, 0.5]]
    """

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight("shift", (input_shape[-1],), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.shift


@keras.utils.register_keras_serializable("tflbnn")
class RPReLU(keras.layers.Layer):
    """PReLU with a trained knee for each channel: shift, PReLU, shift.

        y        = z + after where z ≥ 0, else slope · z + after, with z = x + before
        ∂y/∂x    = 1 where z ≥ 0, else slope

    The paper's γ is −before, its ζ is after, its β is slope. The shifts start at 0, the slope at 0.25, as in its code.

    Input and output shape: (batch, ..., channels).

    Source: Liu et al., "ReActNet" (2020), https://arxiv.org/abs/2003.03488.

    >>> RPReLU()(tf.constant([[-1.0, 0.5]])).numpy().tolist()
    [[-0.25, 0.5]]
    """

    def build(self, input_shape: Any) -> None:
        shape = (input_shape[-1],)
        self.before = self.add_weight("before", shape, initializer="zeros")
        # With a dimension for each of the input's but the batch it is what TFLite's PRELU takes.
        slopes = (1,) * (len(input_shape) - 2) + shape
        self.slope = self.add_weight("slope", slopes, initializer=keras.initializers.Constant(0.25))
        self.after = self.add_weight("after", shape, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        z = inputs + self.before
        return tf.nn.relu(z) + -self.slope * tf.nn.relu(-z) + self.after


@keras.utils.register_keras_serializable("tflbnn")
class Binomial(keras.initializers.Initializer):
    """The kernel of a blur, for depthwise convolutions: the outer product of a row of Pascal's triangle with itself,
    with a sum of 1.

    Shape: (size, size, channels, multiplier).

    >>> Binomial()((3, 3, 1, 1)).numpy().squeeze().tolist()
    [[0.0625, 0.125, 0.0625], [0.125, 0.25, 0.125], [0.0625, 0.125, 0.0625]]
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None, **kwargs: Any) -> tf.Tensor:
        size = shape[0]
        row = [math.comb(size - 1, k) / 2 ** (size - 1) for k in range(size)]
        kernel = tf.tensordot(tf.constant(row), tf.constant(row), axes=0)
        return tf.broadcast_to(tf.cast(kernel, dtype or "float32")[:, :, None, None], shape)


def _conv2d_of(
    bits: str,
    binarization: Binarization,
    filters: int,
    kernel_size: int,
    strides: int,
    padding: str,
    name: str | None,
) -> keras.layers.Layer:
    if bits == "binary":
        return conv2d(binarization, filters, kernel_size, strides=strides, padding=padding, name=name)
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer=INITIALIZER,
        name=name,
    )


def _quantization(binarization: Binarization) -> dict[str, Any]:
    """The arguments of Larq's layers that a binarization decides; every layer gets quantizers of its own."""
    facts = QUANTIZERS[binarization.kernel_quantizer]
    # Without a window the gradient never ends, and there is nothing that clipping could keep in it.
    clip = facts.weights and "t_clip" in facts.weights.arguments and binarization.constraint == "weight_clip"
    regularizer = {"none": None, "r1": regularizers.R1, "r2": regularizers.R2}[binarization.regularizer]
    alpha = regularizers.TRAINED if facts.scales and binarization.scaling == "trained" else 1.0
    return {
        "input_quantizer": quantizers.build(binarization, "inputs"),
        "kernel_quantizer": quantizers.build(binarization, "weights"),
        "kernel_constraint": lq.constraints.WeightClip(binarization.t_clip) if clip else None,
        "kernel_regularizer": regularizer(binarization.regularization, alpha)
        if facts.bits == 1 and regularizer
        else None,
        "kernel_initializer": INITIALIZER,
    }


def _signs(binarization: Binarization) -> bool:
    """Layers see signs of their inputs."""
    return QUANTIZERS[binarization.input_quantizer].bits == 1


def _trains_scales(binarization: Binarization) -> bool:
    """Weights have scales that are trained."""
    scaled = QUANTIZERS[binarization.kernel_quantizer].scales and binarization.scaling == "trained"
    return scaled or binarization.kernel_quantizer == "trained_ternary"


def _with_input_layers(binarization: Binarization, product: keras.layers.Layer, window: dict[str, Any]) -> Layer:
    """A product behind a trained threshold of its inputs (`r_sign`), and times their magnitudes (`input_scaling`)."""
    shifts = binarization.input_quantizer == "r_sign"
    scaled = binarization.input_scaling == "xnor" and _signs(binarization)
    return InputLayers(product, shifts, window if scaled else None) if shifts or scaled else product


class InputLayers:
    """A product that sees shifted inputs, or whose outputs are scaled by the inputs' magnitudes; made and called once.

    Attributes:
        name: the product's.
        product: the layer that multiplies.
    """

    def __init__(self, product: keras.layers.Layer, shifts: bool, window: dict[str, Any] | None) -> None:
        self.name, self.product = product.name, product
        self._shift = RSign(name=f"{self.name}_shift") if shifts else None
        self._magnitude = MagnitudeMap(**window, name=f"{self.name}_magnitude") if window is not None else None

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        signed = self._shift(x) if self._shift else x
        product = self.product(signed)
        if not self._magnitude:
            return product
        return keras.layers.Multiply(name=f"{self.name}_scale")([product, self._magnitude(signed)])

"""What AlexNet, VGG, Network-in-Network, and residual networks with an activation after each BatchNorm are made of."""

from __future__ import annotations

from tflbnn import layers
from tflbnn._keras import keras, tf
from tflbnn.binarization import Binarization
from tflbnn.networks import _blocks


def normalized(
    x: tf.Tensor,
    layer: keras.layers.Layer,
    relu: bool = False,
    pool: keras.layers.Layer | None = None,
    dropout: float = 0.0,
) -> tf.Tensor:
    """BatchNorm → Dropout → `layer` → ReLU → `pool`, of which all but BatchNorm and the layer may be missing.

    Without the BatchNorm, a binary layer after a ReLU would see nothing but +1. Pixels become features before a fully
    connected layer.
    """
    x = layers.batch_normalization(name=f"{layer.name}_norm")(x)
    if dropout:
        x = keras.layers.Dropout(dropout, name=f"{layer.name}_dropout")(x)
    if isinstance(getattr(layer, "product", layer), keras.layers.Dense) and x.shape.rank == 4:
        x = keras.layers.Flatten(name="flatten")(x)
    x = layer(x)
    if relu:
        x = keras.layers.ReLU(name=f"{layer.name}_relu")(x)
    return x if pool is None else pool(x)


def alexnet(
    image: tf.Tensor,
    binarization: Binarization,
    first: keras.layers.Layer,
    filters: tuple[int, ...],
    units: tuple[int, int],
    classes: int,
    groups: int = 1,
    relu: bool = False,
    dropout: float = 0.0,
) -> tf.Tensor:
    """Five convolutions, of which `first` sees the image, two hidden layers and the classifier.

    `relu` says whether the binary layers have ReLUs, `groups` holds for the second, fourth and fifth convolution.
    """

    def convolution(channels: int, kernel_size: int, name: str, parts: int = 1) -> keras.layers.Layer:
        return layers.conv2d(binarization, channels, kernel_size, groups=parts, name=name)

    def pool(name: str) -> keras.layers.Layer:
        return keras.layers.MaxPool2D(3, strides=2, name=name)

    x = pool("pool1")(first(image))
    x = normalized(x, convolution(filters[0], 5, "conv2", groups), relu, pool("pool2"))
    x = normalized(x, convolution(filters[1], 3, "conv3"), relu)
    x = normalized(x, convolution(filters[2], 3, "conv4", groups), relu)
    x = normalized(x, convolution(filters[3], 3, "conv5", groups), relu, pool("pool5"))
    x = normalized(x, layers.dense(binarization, units[0], name="dense6"), relu, dropout=dropout)
    x = normalized(x, layers.dense(binarization, units[1], name="dense7"), dropout=dropout)
    return normalized_classifier(x, binarization, classes)


def normalized_classifier(x: tf.Tensor, binarization: Binarization, classes: int) -> tf.Tensor:
    """BatchNorm → ReLU → logits → softmax; no ReLU before binary ones, which would see nothing but +1."""
    x = layers.batch_normalization(name="head_norm")(x)
    if binarization.last == "float32":
        x = keras.layers.ReLU(name="head_relu")(x)
    return _blocks.probabilities(x, binarization, classes)


def basic_block(x: tf.Tensor, binarization: Binarization, filters: int, strides: int, name: str) -> tf.Tensor:
    """3×3 convolution → BatchNorm, twice, plus the input or, where shapes change, its 1×1 convolution → BatchNorm.

    The activations of He et al. (2015) are those of the convolutions' own inputs.
    """
    y = layers.conv2d(binarization, filters, 3, strides=strides, name=f"{name}_conv1")(x)
    y = layers.batch_normalization(name=f"{name}_norm1")(y)
    y = layers.conv2d(binarization, filters, 3, name=f"{name}_conv2")(y)
    y = layers.batch_normalization(name=f"{name}_norm2")(y)
    if strides > 1 or x.shape[-1] != filters:
        x = layers.downsample(binarization, filters, strides=strides, name=f"{name}_shortcut_conv")(x)
        x = layers.batch_normalization(name=f"{name}_shortcut_norm")(x)
    return keras.layers.Add(name=f"{name}_add")([y, x])

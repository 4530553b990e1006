"""What InceptionBN is made of: blocks of parallel branches, whose results are concatenated."""

from __future__ import annotations

from tflbnn import layers
from tflbnn._keras import keras, tf
from tflbnn.binarization import Binarization


def normalized_conv2d(
    x: tf.Tensor, binarization: Binarization, filters: int, kernel_size: int, strides: int, name: str
) -> tf.Tensor:
    """BatchNorm → convolution."""
    x = layers.batch_normalization(name=f"{name}_norm")(x)
    return layers.conv2d(binarization, filters, kernel_size, strides=strides, name=f"{name}_conv")(x)


def inception_block(
    x: tf.Tensor,
    binarization: Binarization,
    channels: tuple[int, ...],
    pool: type[keras.layers.Layer],
    name: str,
) -> tf.Tensor:
    """BatchNorm → four branches: 1×1; 1×1, 3×3; 1×1, 3×3, 3×3; pooling 3×3, 1×1."""
    single, reduce, after, *double, projection = channels
    x = layers.batch_normalization(name=f"{name}_norm")(x)
    pooled = pool(3, strides=1, padding="same", name=f"{name}_pool")(x)
    if binarization.downsampling == "float32":
        pooled = keras.layers.ReLU(name=f"{name}_pool_relu")(pooled)
    branches = [
        layers.conv2d(binarization, single, 1, name=f"{name}_1x1_conv")(x),
        *_convolutions(x, binarization, (reduce, after, *double), 1, name),
        layers.downsample(binarization, projection, name=f"{name}_pool_conv")(pooled),
    ]
    return keras.layers.Concatenate(name=f"{name}_concat")(branches)


def reduction_block(x: tf.Tensor, binarization: Binarization, channels: tuple[int, ...], name: str) -> tf.Tensor:
    """BatchNorm → three branches that halve the resolution: 1×1, 3×3; 1×1, 3×3, 3×3; pooling 3×3."""
    pooled = keras.layers.MaxPool2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    x = layers.batch_normalization(name=f"{name}_norm")(x)
    branches = [*_convolutions(x, binarization, channels, 2, name), pooled]
    return keras.layers.Concatenate(name=f"{name}_concat")(branches)


def _convolutions(
    x: tf.Tensor, binarization: Binarization, channels: tuple[int, ...], strides: int, name: str
) -> list[tf.Tensor]:
    """The two branches with 3×3 convolutions; x is normalized already."""
    single_reduce, single, double_reduce, double = channels
    y = layers.conv2d(binarization, single_reduce, 1, name=f"{name}_3x3_reduce_conv")(x)
    y = normalized_conv2d(y, binarization, single, 3, strides, f"{name}_3x3")
    z = layers.conv2d(binarization, double_reduce, 1, name=f"{name}_double_reduce_conv")(x)
    z = normalized_conv2d(z, binarization, double, 3, 1, f"{name}_double1")
    z = normalized_conv2d(z, binarization, double, 3, strides, f"{name}_double2")
    return [y, z]

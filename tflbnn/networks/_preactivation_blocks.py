"""What preactivation residual networks are made of: BatchNorm before every convolution, two or three of them around
which one shortcut goes."""

from __future__ import annotations

from tflbnn import layers
from tflbnn._keras import keras, tf
from tflbnn.binarization import Binarization


def basic_block(
    x: tf.Tensor, binarization: Binarization, filters: int, strides: int, first: bool, name: str
) -> tf.Tensor:
    """BatchNorm → 3×3 convolution, twice, plus the shortcut (LTB figure 1b)."""
    normed = layers.batch_normalization(name=f"{name}_norm1")(x)
    y = layers.conv2d(binarization, filters, 3, strides=strides, name=f"{name}_conv1")(normed)
    y = layers.batch_normalization(name=f"{name}_norm2")(y)
    y = layers.conv2d(binarization, filters, 3, name=f"{name}_conv2")(y)
    x = _projection(normed, binarization, filters, strides, name) if first else x
    return keras.layers.Add(name=f"{name}_add")([y, x])


def bottleneck_block(
    x: tf.Tensor, binarization: Binarization, filters: int, strides: int, first: bool, name: str
) -> tf.Tensor:
    """BatchNorm → 1×1, 3×3 and 1×1 convolution, the first two of a quarter of the filters (LTB figure 1a)."""
    reduced = max(1, filters // 4)
    normed = layers.batch_normalization(name=f"{name}_norm1")(x)
    y = layers.conv2d(binarization, reduced, 1, name=f"{name}_conv1")(normed)
    y = layers.batch_normalization(name=f"{name}_norm2")(y)
    y = layers.conv2d(binarization, reduced, 3, strides=strides, name=f"{name}_conv2")(y)
    y = layers.batch_normalization(name=f"{name}_norm3")(y)
    y = layers.conv2d(binarization, filters, 1, name=f"{name}_conv3")(y)
    x = _projection(normed, binarization, filters, strides, name) if first else x
    return keras.layers.Add(name=f"{name}_add")([y, x])


def _projection(normed: tf.Tensor, binarization: Binarization, filters: int, strides: int, name: str) -> tf.Tensor:
    """The 1×1 convolution around a stage's first block; it sees what the block's first convolution sees."""
    if binarization.downsampling == "float32":
        normed = keras.layers.ReLU(name=f"{name}_shortcut_relu")(normed)
    return layers.downsample(binarization, filters, strides=strides, name=f"{name}_shortcut")(normed)

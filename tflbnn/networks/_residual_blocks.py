"""What residual networks with one convolution per shortcut are made of."""

from __future__ import annotations

from collections.abc import Callable

from tflbnn import layers
from tflbnn._keras import keras, tf
from tflbnn.binarization import Binarization


def stages(
    x: tf.Tensor,
    binarization: Binarization,
    depths: tuple[int, ...],
    filters: tuple[int, ...],
    block: Callable[[tf.Tensor, Binarization, int, int, str], tf.Tensor],
) -> tf.Tensor:
    """`block(x, binarization, filters, strides, name)` so often in each stage; later ones begin with strides of 2."""
    for stage, (depth, width) in enumerate(zip(depths, filters, strict=True), start=1):
        for index in range(1, depth + 1):
            strides = 2 if stage > 1 and index == 1 else 1
            x = block(x, binarization, width, strides, f"stage{stage}_block{index}")
    return x


def shortcut(x: tf.Tensor, binarization: Binarization, filters: int, strides: int, name: str) -> tf.Tensor:
    """Around a convolution: the input itself, or average pooling → 1×1 convolution → BatchNorm where shapes change."""
    if strides == 1 and x.shape[-1] == filters:
        return x
    if strides > 1:
        x = keras.layers.AveragePooling2D(strides, padding="same", name=f"{name}_shortcut_pool")(x)
    x = layers.downsample(binarization, filters, name=f"{name}_shortcut_conv")(x)
    return layers.batch_normalization(name=f"{name}_shortcut_norm")(x)


def bi_real_block(x: tf.Tensor, binarization: Binarization, filters: int, strides: int, name: str) -> tf.Tensor:
    """3×3 convolution → BatchNorm, plus the shortcut."""
    y = layers.conv2d(binarization, filters, 3, strides=strides, name=f"{name}_conv")(x)
    y = layers.batch_normalization(name=f"{name}_norm")(y)
    return keras.layers.Add(name=f"{name}_add")([y, shortcut(x, binarization, filters, strides, name)])


def reactnet_block(x: tf.Tensor, binarization: Binarization, filters: int, strides: int, name: str) -> tf.Tensor:
    """RSign → 3×3 convolution → BatchNorm, plus the shortcut → RPReLU. The convolution takes the sign."""
    y = layers.RSign(name=f"{name}_rsign")(x)
    y = layers.conv2d(binarization, filters, 3, strides=strides, name=f"{name}_conv")(y)
    y = layers.batch_normalization(name=f"{name}_norm")(y)
    y = keras.layers.Add(name=f"{name}_add")([y, shortcut(x, binarization, filters, strides, name)])
    return layers.RPReLU(name=f"{name}_rprelu")(y)


def real_to_binary_block(
    x: tf.Tensor, binarization: Binarization, filters: int, strides: int, name: str, reduction: int
) -> tf.Tensor:
    """BatchNorm → 3×3 convolution → a scale a channel → PReLU, plus the shortcut (R2B figure 1)."""
    y = layers.batch_normalization(name=f"{name}_norm")(x)
    scales = channel_scales(y, filters, reduction, name)
    y = layers.conv2d(binarization, filters, 3, strides=strides, name=f"{name}_conv")(y)
    y = keras.layers.Multiply(name=f"{name}_scale")([y, scales])
    y = keras.layers.PReLU(shared_axes=[1, 2], name=f"{name}_prelu")(y)
    return keras.layers.Add(name=f"{name}_add")([y, shortcut(x, binarization, filters, strides, name)])


def channel_scales(x: tf.Tensor, filters: int, reduction: int, name: str) -> tf.Tensor:
    """A factor between 0 and 1 for each of a convolution's filters, from what enters it before it is binarized.

    Global average → dense of channels/reduction, ReLU → dense of `filters`, sigmoid (R2B section 4.3). Full precision:
    on so few numbers nothing is saved by bits.

    Output shape: (batch, 1, 1, filters).
    """
    channels = x.shape[-1]
    x = keras.layers.GlobalAveragePooling2D(name=f"{name}_scale_pool")(x)
    x = keras.layers.Dense(
        max(1, channels // reduction),
        activation="relu",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_scale_reduce",
    )(x)
    x = keras.layers.Dense(
        filters, activation="sigmoid", use_bias=False, kernel_initializer="he_normal", name=f"{name}_scale_expand"
    )(x)
    return keras.layers.Reshape((1, 1, filters), name=f"{name}_scale_shape")(x)


def separable_stem(x: tf.Tensor, binarization: Binarization, kind: str, filters: int) -> tf.Tensor:
    """3×3 convolution of a quarter of the filters, ReLU → 3×3 depthwise → 1×1, each with BatchNorm.

    "imagenet": both 3×3 convolutions have strides of 2. "cifar": none has.
    """
    strides = {"cifar": 1, "imagenet": 2}[kind]
    x = layers.first_conv2d(binarization, filters // 4, 3, strides=strides, name="stem_conv")(x)
    x = layers.batch_normalization(name="stem_conv_norm")(x)
    x = keras.layers.ReLU(name="stem_relu")(x)
    x = keras.layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False, name="stem_depthwise")(x)
    x = layers.batch_normalization(name="stem_depthwise_norm")(x)
    x = keras.layers.Conv2D(filters, 1, use_bias=False, kernel_initializer="he_normal", name="stem_pointwise")(x)
    return layers.batch_normalization(name="stem_norm")(x)


def quicknet_block(x: tf.Tensor, binarization: Binarization, name: str) -> tf.Tensor:
    """3×3 convolution → ReLU → BatchNorm, plus the input. In this order all three are one binary operation."""
    y = layers.conv2d(binarization, x.shape[-1], 3, name=f"{name}_conv")(x)
    y = keras.layers.ReLU(name=f"{name}_relu")(y)
    y = layers.batch_normalization(name=f"{name}_norm")(y)
    return keras.layers.Add(name=f"{name}_add")([x, y])


def blur_transition(x: tf.Tensor, binarization: Binarization, filters: int, stage: int) -> tf.Tensor:
    """Half the resolution and other channels between two stages, without aliasing (Zhang 2019).

    Full precision: ReLU → maximum of 2×2 with a stride of 1 → blur with a stride of 2 → 1×1 convolution → BatchNorm.
    Binary: 1×1 convolution → blur with a stride of 2 → BatchNorm: the sign of a ReLU, or of a maximum of it, would be
    +1 everywhere.
    """
    name = f"transition{stage}"
    convolution = layers.downsample(binarization, filters, name=f"{name}_conv")
    blur = layers.blur_pool(name=f"{name}_blur")
    if binarization.downsampling == "binary":
        x = blur(convolution(x))
    else:
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = keras.layers.MaxPool2D(2, strides=1, name=f"{name}_pool")(x)
        x = convolution(blur(x))
    return layers.batch_normalization(name=f"{name}_norm")(x)

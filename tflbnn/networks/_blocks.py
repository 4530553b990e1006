"""What networks are made of: stems, dense blocks, transitions, the head."""

from __future__ import annotations

from tflbnn import layers
from tflbnn._keras import keras, tf
from tflbnn.binarization import Binarization


def stem(x: tf.Tensor, binarization: Binarization, kind: str, filters: int) -> tf.Tensor:
    """The layers that see the image.

    "cifar": a 3×3 convolution. "imagenet": a 7×7 convolution with stride 2, BatchNorm, ReLU, max-pooling 3×3
    with stride 2. "grouped": `grouped_stem`.
    """
    if kind == "cifar":
        return layers.first_conv2d(binarization, filters, 3, name="stem_conv")(x)
    if kind == "grouped":
        return grouped_stem(x, binarization, filters)
    return normalized_stem(x, binarization, kind, filters, keras.layers.ReLU(name="stem_relu"))


def normalized_stem(
    x: tf.Tensor, binarization: Binarization, kind: str, filters: int, activation: keras.layers.Layer | None
) -> tf.Tensor:
    """The stem of networks whose blocks do not begin with a BatchNorm: it ends with one, and an activation if any.

    "cifar": a 3×3 convolution. "imagenet": a 7×7 convolution with stride 2, and max-pooling 3×3 with stride 2 at the
    end.
    """
    kernel_size, strides = {"cifar": (3, 1), "imagenet": (7, 2)}[kind]
    x = layers.first_conv2d(binarization, filters, kernel_size, strides=strides, name="stem_conv")(x)
    x = layers.batch_normalization(name="stem_norm")(x)
    if activation is not None:
        x = activation(x)
    return keras.layers.MaxPool2D(3, strides=2, padding="same", name="stem_pool")(x) if kind == "imagenet" else x


def grouped_stem(x: tf.Tensor, binarization: Binarization, filters: int) -> tf.Tensor:
    """Three 3×3 convolutions in the place of one of 7×7, with 42 % fewer operations (MeliusNet, 2020).

    Of half of the filters with a stride of 2; of half of them in 4 groups; of all in 8 groups; each with BatchNorm and
    ReLU; then max-pooling 3×3 with a stride of 2. The last two are full precision: a group has too few channels for
    bits.
    """
    half = filters // 2
    x = layers.first_conv2d(binarization, half, 3, strides=2, name="stem_conv")(x)
    for index, (channels, groups) in enumerate([(half, 4), (filters, 8)], start=1):
        x = layers.batch_normalization(name=f"stem_norm{index}")(x)
        x = keras.layers.ReLU(name=f"stem_relu{index}")(x)
        x = keras.layers.Conv2D(
            channels,
            3,
            padding="same",
            groups=groups,
            use_bias=False,
            kernel_initializer=layers.INITIALIZER,
            name=f"stem_grouped_conv{index}",
        )(x)
    x = layers.batch_normalization(name="stem_norm")(x)
    x = keras.layers.ReLU(name="stem_relu")(x)
    return keras.layers.MaxPool2D(3, strides=2, padding="same", name="stem_pool")(x)


def dense_block(
    x: tf.Tensor,
    binarization: Binarization,
    depth: int,
    growth_rate: int,
    dilation_rate: int,
    stage: int,
    improve: bool = False,
) -> tf.Tensor:
    """`depth` times BatchNorm → 3×3 convolution → concatenation with what came in (BDN figure 3b, c).

    With `improve`, the same once more after each, but added to the channels that are new: MeliusNet's improvement
    block.
    """
    for index in range(1, depth + 1):
        name = f"stage{stage}_layer{index}"
        y = _normalized_conv2d(x, binarization, growth_rate, dilation_rate, name)
        x = keras.layers.Concatenate(name=f"{name}_concat")([x, y])
        if improve:
            name = f"stage{stage}_improvement{index}"
            y = _normalized_conv2d(x, binarization, growth_rate, dilation_rate, name)
            x = layers.AddToLast(name=f"{name}_add")([x, y])
    return x


def _normalized_conv2d(
    x: tf.Tensor, binarization: Binarization, filters: int, dilation_rate: int, name: str
) -> tf.Tensor:
    x = layers.batch_normalization(name=f"{name}_norm")(x)
    return layers.conv2d(binarization, filters, 3, dilation_rate=dilation_rate, name=f"{name}_conv")(x)


def transition(
    x: tf.Tensor, binarization: Binarization, reduction: float, pool: bool, stage: int, multiple: int = 32
) -> tf.Tensor:
    """Fewer channels and half the resolution between two stages (BDN figure 3d, e).

    Full precision: BatchNorm → max-pooling → ReLU → 1×1 convolution, which sees a quarter of the pixels.
    Binary: BatchNorm → 1×1 convolution → average pooling, the order of the original DenseNet, as in BMXNet: the
    sign of a maximum would be +1 nearly everywhere, and the sign of a ReLU is.

    Channels become a multiple of 32, one machine word of bits, as in BMXNet and Larq Zoo, or of what `multiple` says.
    """
    filters = max(multiple, round(x.shape[-1] // reduction / multiple) * multiple)
    name = f"transition{stage}"
    convolution = layers.downsample(binarization, filters, name=f"{name}_conv")
    x = layers.batch_normalization(name=f"{name}_norm")(x)
    if binarization.downsampling == "binary":
        x = convolution(x)
        return keras.layers.AveragePooling2D(2, name=f"{name}_pool")(x) if pool else x
    if pool:
        x = keras.layers.MaxPool2D(2, name=f"{name}_pool")(x)
    x = keras.layers.ReLU(name=f"{name}_relu")(x)
    return convolution(x)


def head(x: tf.Tensor, binarization: Binarization, classes: int) -> tf.Tensor:
    """BatchNorm → ReLU → global average → logits → softmax in float32, whatever the other layers compute in.

    A binary classifier gets no ReLU before it: the sign of its mean would be +1 everywhere.
    """
    x = layers.batch_normalization(name="head_norm")(x)
    if binarization.last == "float32":
        x = keras.layers.ReLU(name="head_relu")(x)
    return classify(x, binarization, classes)


def classify(x: tf.Tensor, binarization: Binarization, classes: int) -> tf.Tensor:
    """Global average → logits → softmax in float32."""
    return probabilities(keras.layers.GlobalAveragePooling2D(name="head_pool")(x), binarization, classes)


def probabilities(x: tf.Tensor, binarization: Binarization, classes: int) -> tf.Tensor:
    """Logits → softmax in float32, of features (batch, channels)."""
    x = layers.classifier(binarization, classes, name="logits")(x)
    return keras.layers.Activation("softmax", dtype="float32", name="probabilities")(x)

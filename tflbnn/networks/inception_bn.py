"""InceptionBN: Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
Covariate Shift" (2015), https://arxiv.org/abs/1502.03167, figure 5, as in Bethge et al., "Learning to Train a Binary
Neural Network" (2018), https://arxiv.org/abs/1809.10463 (LTB), table 3.

BatchNorm comes before the convolutions, one for all branches of a block, so that they share one sign.

The sizes without moving statistics: 43.1 MiB of 44 in full precision, 7.8 of 8 MB, decimal here, in binary. The paper
does not say what stays full precision. If all but the first layer and the classifier were binary, these would be
5.5 MB; with full-precision 1×1 convolutions behind the blocks' poolings, 587,776 weights of 4 bytes instead of an
eighth, they are 7.8. In the terms of `Binarization` these are the downsampling.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "LTB table 3"

DEFAULT = Binarization(t_clip=0.5)

IMAGENET = {"input_shape": (224, 224, 3), "classes": 1000}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "inception_bn": (
        Figure("LTB table 3", 8, "MB", data="ImageNet", top1=24.8, **IMAGENET),
        Figure("LTB table 3", 44, "MiB", binarization=Binarization.float32().to_dict(), **IMAGENET),
    ),
}

# Channels of a block's branches: 1×1; 1×1 before 3×3, 3×3; 1×1 before two 3×3, each of these; 1×1 behind the pooling.
# A block without the first and the last one halves the resolution.
BLOCKS: dict[str, tuple[int, ...]] = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (128, 160, 64, 96),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 128),
    "4d": (96, 128, 192, 160, 192, 128),
    "4e": (128, 192, 192, 256),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}


def inception_bn(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    width: float = 1.0,
    stem: Literal["cifar", "imagenet"] = "imagenet",
) -> Model:
    """InceptionBN: 8 MB, 24.8 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least 8 (cifar) or 32 (imagenet), the product of the
            strides.
        classes: at least 2.
        binarization: how the convolutions quantize; its `downsampling` decides the 1×1 convolutions behind the blocks'
            poolings, whose inputs pass a ReLU where they are full precision.
        width: what all channels are multiplied by; the results are rounded to integers.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each, or "cifar", a 3×3 convolution.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> inception_bn((32, 32, 3), 10, width=0.1).output_shape
    (None, 10)
    """
    classes = _checks.check_integer("classes", classes, 2)
    width = _checks.check_width(width)
    _checks.check_choice("stem", stem, tuple(_checks.STEM_STRIDES))
    input_shape = _checks.check_input_shape(input_shape, _checks.STEM_STRIDES[stem] * 8)

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _inception_blocks

    def scaled(*channels: int) -> tuple[int, ...]:
        return tuple(_checks.scale_channels(n, width) for n in channels)

    image = keras.Input(input_shape, name="image")
    x = _blocks.stem(image, binarization, stem, scaled(64)[0])
    for name, channels, kernel_size in (("2_reduce", 64, 1), ("2", 192, 3)):
        x = _inception_blocks.normalized_conv2d(x, binarization, *scaled(channels), kernel_size, 1, name)
    x = keras.layers.MaxPool2D(3, strides=2, padding="same", name="pool2")(x)
    for name, channels in BLOCKS.items():
        if len(channels) == 4:
            x = _inception_blocks.reduction_block(x, binarization, scaled(*channels), name)
        else:
            pool = keras.layers.MaxPool2D if name == "5b" else keras.layers.AveragePooling2D
            x = _inception_blocks.inception_block(x, binarization, scaled(*channels), pool, name)
    return keras.Model(image, _blocks.head(x, binarization, classes), name="inception_bn")


NETWORKS = (inception_bn,)

"""AlexNet: Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks" (2012), as in Bethge et
al., "Learning to Train a Binary Neural Network" (2018), https://arxiv.org/abs/1809.10463 (LTB), table 3.

The sizes, called MB, are MiB without moving statistics. In full precision: 238.0 of 233 (+2.1 %). In binary: 22.8 of 22
(+3.5 %): the classifier alone, in full precision, takes 15.6, the binary weights 6.9, the first convolution and the
BatchNorms 0.2. groups=2, the original's split over two GPUs, comes to 232.6 and 22.6; but a group's 48 channels are no
whole words of bits, so that one group is the default.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "LTB table 3"

DEFAULT = Binarization(t_clip=0.5)

BINARY = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet"}
FLOAT = {**BINARY, "binarization": Binarization.float32().to_dict()}
GROUPS = {"knobs": {"groups": 2}}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "alexnet": (
        Figure("LTB table 3", 22, "MiB", top1=30.2, ours={"size_bytes": 23_883_552}, **BINARY),
        Figure("LTB table 3", 233, "MiB", top1=62.5, **FLOAT),
        Figure("LTB table 3", 22, "MiB", top1=30.2, **BINARY, **GROUPS),
        Figure("LTB table 3", 233, "MiB", top1=62.5, **FLOAT, **GROUPS),
    ),
}


def alexnet(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    filters: tuple[int, ...] = (96, 256, 384, 384, 256),
    units: tuple[int, ...] = (4096, 4096),
    groups: int = 1,
    width: float = 1.0,
    stem: Literal["cifar", "imagenet"] = "imagenet",
) -> Model:
    """AlexNet: 22 MB, 30.2 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least 15 (cifar) or 57 (imagenet), of which three poolings
            leave one pixel.
        classes: at least 2.
        binarization: how all convolutions but the first and the two hidden layers quantize.
        filters: channels of the five convolutions.
        units: of the two hidden layers.
        groups: of channels in the second, fourth and fifth convolution; 2 in the original.
        width: what filters and units are multiplied by; filters are rounded to multiples of `groups`, units to
            integers.
        stem: "imagenet", a first convolution of 11×11 with a stride of 4, or "cifar", one of 3×3.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above, or `groups` does not divide the filters.

    >>> alexnet((32, 32, 3), 10, width=0.1, stem="cifar").output_shape
    (None, 10)
    """
    _checks.check_choice("stem", stem, tuple(_checks.STEM_STRIDES))
    input_shape, classes, filters, units, groups = _checks.check_alexnet(
        input_shape, classes, filters, units, groups, width, smallest={"cifar": 15, "imagenet": 57}[stem]
    )

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _plain_blocks

    kernel_size, strides = {"cifar": (3, 1), "imagenet": (11, 4)}[stem]
    first = layers.first_conv2d(binarization, filters[0], kernel_size, strides=strides, name="conv1")
    image = keras.Input(input_shape, name="image")
    x = _plain_blocks.alexnet(image, binarization, first, filters[1:], units, classes, groups)
    return keras.Model(image, x, name="alexnet")


NETWORKS = (alexnet,)

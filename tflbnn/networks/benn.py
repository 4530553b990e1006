"""The networks of Zhu et al., "Binary Ensemble Neural Network: More Bits per Network or More Networks per Bit?" (2019),
https://arxiv.org/abs/1806.07550 (BENN), tables 8 to 10.

Tiny networks have half the channels and neurons of each layer, width=0.5, Nano a tenth, width=0.1 (table 2). All-binary
ones (AB) are Binarization(first="binary", last="binary").

Where a table's ReLU stands right before a convolution or a hidden layer, a sign would see nothing but +1. In table 9 a
BatchNorm comes between the two, as in the public AlexNet of XNOR-Net, from whose models BENN starts; in table 10, where
one precedes the ReLU, the sign is the activation instead. Full-precision twins have all of these ReLUs.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "BENN 11"

DEFAULT = Binarization(t_clip=1.0)

CIFAR10 = {"input_shape": (32, 32, 3), "classes": 10, "data": "CIFAR-10"}
IMAGENET = {"classes": 1000, "data": "ImageNet", "binarization": Binarization.float32().to_dict()}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "benn_nin": (
        Figure("BENN table 4", top1=84.91, **CIFAR10),
        Figure("BENN table 4", top1=77.2, knobs={"width": 0.5}, **CIFAR10),
        Figure("BENN table 4", top1=40.7, knobs={"width": 0.1}, **CIFAR10),
    ),
    "benn_alexnet": (Figure("BENN table 5", top1=56.6, input_shape=(227, 227, 3), **IMAGENET),),
    "benn_resnet18": (Figure("BENN table 6", top1=69.3, input_shape=(224, 224, 3), **IMAGENET),),
}


def benn_nin(
    input_shape: tuple[int, int, int],
    classes: int = 10,
    binarization: Binarization = DEFAULT,
    *,
    filters: tuple[int, ...] = (192, 96, 192, 192, 192, 192, 192),
    dropout: float = 0.5,
    width: float = 1.0,
) -> Model:
    """Network-in-Network (BENN table 8): 84.9 % on CIFAR-10; Tiny 77.2 %, Nano 40.7 %.

    Args:
        input_shape: (height, width, channels); a side is at least 4.
        classes: at least 2.
        binarization: how all convolutions but the first quantize.
        filters: channels of the seven convolutions.
        dropout: the fraction of what four of them see that is set to 0, whose sign is +1, in training.
        width: what the filters are multiplied by; the results are rounded to integers.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> benn_nin((32, 32, 3), width=0.1).output_shape
    (None, 10)
    """
    classes = _checks.check_integer("classes", classes, 2)
    filters = _checks.check_filters("filters (one a convolution)", filters, 7, width)
    dropout = _checks.check_fraction("dropout", dropout)
    input_shape = _checks.check_input_shape(input_shape, 4)

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks
    from tflbnn.networks._plain_blocks import normalized

    def convolution(number: int, kernel_size: int) -> keras.layers.Layer:
        return layers.conv2d(binarization, filters[number - 1], kernel_size, name=f"conv{number}")

    half = {"pool_size": 3, "strides": 2, "padding": "same"}
    image = keras.Input(input_shape, name="image")
    x = layers.first_conv2d(binarization, filters[0], 5, name="conv1")(image)
    x = layers.batch_normalization(name="conv1_norm")(x)
    x = keras.layers.ReLU(name="conv1_relu")(x)
    x = normalized(x, convolution(2, 1), True, keras.layers.MaxPool2D(**half, name="pool2"), dropout)
    x = normalized(x, convolution(3, 5), True, None, dropout)
    x = normalized(x, convolution(4, 1), True, keras.layers.AveragePooling2D(**half, name="pool4"), dropout)
    x = normalized(x, convolution(5, 3), True, None, dropout)
    x = normalized(x, convolution(6, 1), True)
    x = normalized(x, convolution(7, 1), binarization.last == "float32")  # the sign of a ReLU's mean would be +1
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="nin")


def benn_alexnet(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    filters: tuple[int, ...] = (96, 256, 384, 384, 256),
    units: tuple[int, ...] = (4096, 4096),
    dropout: float = 0.5,
    width: float = 1.0,
) -> Model:
    """AlexNet (BENN table 9).

    Args:
        input_shape: (height, width, channels); a side is at least 67: the first convolution, of 11×11 with a stride of
            4, has no padding. ImageNet's images have 227×227 pixels here.
        classes: at least 2.
        binarization: how all convolutions but the first and the two hidden layers quantize.
        filters: channels of the five convolutions.
        units: of the two hidden layers.
        dropout: the fraction of what the hidden layers see that is set to 0, whose sign is +1, in training.
        width: what filters and units are multiplied by; the results are rounded to integers.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> benn_alexnet((67, 67, 3), 10, width=0.1).output_shape
    (None, 10)
    """
    input_shape, classes, filters, units, _ = _checks.check_alexnet(
        input_shape, classes, filters, units, groups=1, width=width, smallest=67
    )
    dropout = _checks.check_fraction("dropout", dropout)

    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _plain_blocks

    first = layers.first_conv2d(binarization, filters[0], 11, strides=4, padding="valid", name="conv1")
    image = keras.Input(input_shape, name="image")
    x = _plain_blocks.alexnet(image, binarization, first, filters[1:], units, classes, relu=True, dropout=dropout)
    return keras.Model(image, x, name="alexnet")


def benn_resnet18(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    blocks: tuple[int, ...] = (2, 2, 2, 2),
    filters: tuple[int, ...] = (64, 128, 256, 512),
    width: float = 1.0,
    stem: Literal["cifar", "imagenet"] = "imagenet",
) -> Model:
    """ResNet-18 (BENN table 10).

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every stage but the first.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the 1×1 shortcuts.
        blocks: of two convolutions each, in each stage.
        filters: channels of each stage; the stem has the first's.
        width: what all of them are multiplied by; the results are rounded to integers.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each, or "cifar", a 3×3 convolution.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> benn_resnet18((8, 8, 1), 10, blocks=(1, 1), filters=(8, 16), stem="cifar").output_shape
    (None, 10)
    """
    blocks = tuple(_checks.check_integer("every number of blocks", n) for n in _checks.check_sequence("blocks", blocks))
    classes = _checks.check_integer("classes", classes, 2)
    filters = _checks.check_filters("filters (one number a stage)", filters, len(blocks), width)
    _checks.check_choice("stem", stem, tuple(_checks.STEM_STRIDES))
    input_shape = _checks.check_input_shape(input_shape, _checks.STEM_STRIDES[stem] * 2 ** (len(blocks) - 1))

    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _plain_blocks, _residual_blocks

    image = keras.Input(input_shape, name="image")
    x = _blocks.normalized_stem(image, binarization, stem, filters[0], activation=None)
    x = _residual_blocks.stages(x, binarization, blocks, filters, _plain_blocks.basic_block)
    if binarization.last == "float32":  # the sign of a ReLU's mean would be +1 everywhere
        x = keras.layers.ReLU(name="head_relu")(x)
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="resnet")


NETWORKS = (benn_nin, benn_alexnet, benn_resnet18)

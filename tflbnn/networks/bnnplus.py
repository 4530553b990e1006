"""AlexNet, VGG and ResNet-18 of Darabi et al., "BNN+: Improved Binary Network Training" (2018),
https://arxiv.org/abs/1812.11800 (BNN+).

"Batch-normalization before each activation function", the first and the last layer in full precision. The paper gives
accuracies, of its SignSwish and trainable scales, but no sizes. R1 draws the weights to ±1, as in 4.1.
"""

from __future__ import annotations

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._variants import variant
from tflbnn.networks.alexnet import alexnet
from tflbnn.networks.benn import benn_resnet18

PAPER = "BNN+ 4"

DEFAULT = Binarization(t_clip=1.0, regularizer="r1", regularization=1e-6)

IMAGENET = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet"}
CIFAR10 = {"input_shape": (32, 32, 3), "classes": 10, "data": "CIFAR-10"}
CIFAR_STEM = {"knobs": {"stem": "cifar"}}
FLOAT = {"binarization": Binarization.float32().to_dict()}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "bnnplus_alexnet": (
        Figure("BNN+ table 3", top1=46.1, **IMAGENET),
        Figure("BNN+ table 3", top1=56.6, **IMAGENET, **FLOAT),
        Figure("BNN+ table 1", top1=86.49, **CIFAR10, **CIFAR_STEM),
        Figure("BNN+ table 1", top1=88.58, **CIFAR10, **CIFAR_STEM, **FLOAT),
    ),
    "bnnplus_vgg": (
        Figure("BNN+ table 1", top1=91.31, **CIFAR10),
        Figure("BNN+ table 1", top1=90.89, **CIFAR10, **FLOAT),
    ),
    "bnnplus_resnet18": (
        Figure("BNN+ table 3", top1=53.0, **IMAGENET),
        Figure("BNN+ table 3", top1=69.3, **IMAGENET, **FLOAT),
    ),
}


@variant(alexnet, binarization=DEFAULT, filters=(64, 192, 384, 256, 256))
def bnnplus_alexnet() -> None:
    """BNN+'s AlexNet, in the form of Krizhevsky, "One Weird Trick for Parallelizing Convolutional Neural Networks"
    (2014): 46.1 % on ImageNet, 86.5 % on CIFAR-10 with the stem "cifar", which the paper does not describe."""


def bnnplus_vgg(
    input_shape: tuple[int, int, int],
    classes: int = 10,
    binarization: Binarization = DEFAULT,
    *,
    filters: tuple[int, ...] = (256, 256, 512, 512, 1024, 1024),
    units: tuple[int, ...] = (1024, 1024),
    width: float = 1.0,
) -> Model:
    """BNN+'s VGG (4.1): 91.3 % on CIFAR-10.

    Args:
        input_shape: (height, width, channels); a side is at least 8.
        classes: at least 2.
        binarization: how all convolutions but the first and the hidden layers quantize.
        filters: channels of the 3×3 convolutions, of which there are an even number. Every second one is followed by
            max-pooling 2×2, which the paper does not mention; it is where BNN (Hubara et al. 2016) has it.
        units: of the hidden layers.
        width: what filters and units are multiplied by; the results are rounded to integers.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> bnnplus_vgg((32, 32, 3), width=0.1).output_shape
    (None, 10)
    """
    classes = _checks.check_integer("classes", classes, 2)
    filters = _checks.check_filters("filters (one a convolution)", filters, 6, width)
    units = _checks.check_filters("units (one a hidden layer)", units, 2, width)
    input_shape = _checks.check_input_shape(input_shape, 8, "of which three poolings leave one")

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks._plain_blocks import normalized, normalized_classifier

    image = keras.Input(input_shape, name="image")
    x = layers.first_conv2d(binarization, filters[0], 3, name="conv1")(image)
    for index, channels in enumerate(filters[1:], start=2):
        pool = keras.layers.MaxPool2D(2, name=f"pool{index}") if index % 2 == 0 else None
        x = normalized(x, layers.conv2d(binarization, channels, 3, name=f"conv{index}"), pool=pool)
    for index, features in enumerate(units, start=len(filters) + 1):
        x = normalized(x, layers.dense(binarization, features, name=f"dense{index}"))
    return keras.Model(image, normalized_classifier(x, binarization, classes), name="vgg")


@variant(benn_resnet18, binarization=DEFAULT)
def bnnplus_resnet18() -> None:
    """BNN+'s ResNet-18, after He et al., "Deep Residual Learning for Image Recognition" (2015): 53.0 % on ImageNet."""


NETWORKS = (bnnplus_alexnet, bnnplus_vgg, bnnplus_resnet18)

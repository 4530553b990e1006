"""ResNetE: Bethge et al., "Back to Simplicity: How to Train Accurate BNNs from Scratch?" (2019), sections 3.2 and 3.3.

https://arxiv.org/abs/1906.08637 (BDN). A ResNet with an extra shortcut around every convolution, so that what a binary
convolution loses is still there; where shapes change, the shortcut pools and has a 1×1 convolution, which is best kept
in full precision.

The paper's sizes, called MB, are MiB, and met within 1 %. So are those of the authors' later results (BMXNet 2, 2020),
in which a stem of grouped 3×3 convolutions takes the place of the 7×7 one, and their operations, f + b/64 without the
classifier: 1.63·10⁸ and, with the grouped stem, 1.14·10⁸ for ResNetE-18, 1.92·10⁸ and 1.43·10⁸ for ResNetE-34. Larq
Zoo's 11,699,368 parameters, of an earlier count, are met with the 9,728 moving statistics that they hold.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._variants import variant

PAPER = "BDN table 2"

DEFAULT = Binarization(t_clip=1.25)

IMAGENET = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet"}
CIFAR10 = {"input_shape": (32, 32, 3), "classes": 10, "data": "CIFAR-10"}
BINARY = {"downsampling": "binary"}
CIFAR_STEM = {"stem": "cifar"}
GROUPED_STEM = {"stem": "grouped"}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "resnet_e18": (
        Figure("BDN table 3", 4.0, "MiB", top1=58.1, **IMAGENET),
        Figure("BDN table 2", 3.36, "MiB", top1=54.5, binarization=BINARY, **IMAGENET),
        Figure("BDN table 2", 2.03, "MiB", top1=87.6, knobs=CIFAR_STEM, **CIFAR10),
        Figure("BDN table 2", 1.39, "MiB", top1=87.2, knobs=CIFAR_STEM, binarization=BINARY, **CIFAR10),
        Figure("BMXNet 2 results", 4.0, "MiB", top1=60.0, **IMAGENET),
        Figure("BMXNet 2 results", 3.98, "MiB", top1=60.6, knobs=GROUPED_STEM, **IMAGENET),
        Figure("Larq Zoo", parameters=11_699_368, moving_statistics=True, top1=58.32, **IMAGENET),
    ),
    "resnet_e34": (
        Figure("BMXNet 2 results", 5.23, "MiB", top1=63.2, **IMAGENET),
        Figure("BMXNet 2 results", 5.21, "MiB", top1=63.7, knobs=GROUPED_STEM, **IMAGENET),
    ),
}


def resnet_e18(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 4, 4, 4),
    filters: tuple[int, ...] = (64, 128, 256, 512),
    stem: Literal["cifar", "imagenet", "grouped"] = "imagenet",
    width: float = 1.0,
) -> Model:
    """ResNetE-18: 4.0 MB, 58.1 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet, grouped) for the stem, times 2 for every stage but the first.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the shortcuts that change shape.
            The paper's is Binarization(t_clip=1.25).
        layers: 3×3 convolutions in each stage.
        filters: channels of each stage; the first also of the stem.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each; "cifar", a 3×3 convolution; "grouped",
            which takes three 3×3 convolutions, the last two in groups, in the place of the 7×7 one. Its filters are
            a multiple of 16.
        width: what all channels are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = resnet_e18((8, 8, 1), 10, layers=(1, 1), filters=(8, 16), stem="cifar")
    >>> model.output_shape
    (None, 10)
    """
    input_shape, classes, layers, filters = _checks.check_stages(
        input_shape, classes, layers, filters, stem, width, _checks.WITH_GROUPED_STEM
    )

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.layers import batch_normalization
    from tflbnn.networks import _blocks, _residual_blocks

    image = keras.Input(input_shape, name="image")
    x = _blocks.stem(image, binarization, stem, filters[0])
    if stem != "cifar":  # behind a ReLU the first sign would be +1 everywhere
        x = batch_normalization(name="stem_pool_norm")(x)
    x = _residual_blocks.stages(x, binarization, layers, filters, _residual_blocks.bi_real_block)
    if binarization.last == "float32":  # the sign of a ReLU's mean would be +1 everywhere
        x = keras.layers.ReLU(name="head_relu")(x)
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="resnet_e")


@variant(resnet_e18, layers=(6, 8, 12, 6))
def resnet_e34() -> None:
    """ResNetE-34: 5.2 MB, 63.2 % on ImageNet in the authors' later results."""


NETWORKS = (resnet_e18, resnet_e34)

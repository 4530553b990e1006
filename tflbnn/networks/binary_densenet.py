"""BinaryDenseNet: Bethge et al., "Back to Simplicity: How to Train Accurate BNNs from Scratch?" (2019), section 4.

https://arxiv.org/abs/1906.08637 (BDN). Every layer adds `growth_rate` channels to what it received, so that what a
binary convolution loses is still there for the next one.

The paper's sizes, called MB, are MiB (KB: KiB) of 1 bit a binary weight and 32 bits any other trained parameter,
BatchNorm's gamma and beta included, its moving statistics not: so counted, all of FIGURES are met within 1.2 %.

The authors' later results (BMXNet 2, 2020) have a stem of three 3×3 convolutions, the last two in groups, in the place
of the 7×7 one: stem="grouped". Of BinaryDenseNet-28's 202 million full-precision multiply-accumulates that saves 49.4
million, 24 %. Their operations, f + b/64 without the classifier, drop from 2.58·10⁸ to 2.09·10⁸, 19 %, which is met
here; trained alike, accuracy rises from 61.7 to 62.6 %.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._dense_networks import dense_network
from tflbnn.networks._variants import variant

PAPER = "BDN 4.2"

DEFAULT = Binarization()

IMAGENET = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet"}
CIFAR10 = {"input_shape": (32, 32, 3), "classes": 10, "data": "CIFAR-10"}

# "No reduction in the first transition, divide the number of channels by 1.4 in the second and third" (BDN 4.2).
LOW = (1.0, 1.4, 1.4)
# "Halve the number of channels in all transition layers" (BDN 4.2).
HIGH = (2.0, 2.0, 2.0)
BINARY = {"downsampling": "binary"}


def _split(depth: int, growth_rate: int, reduction: tuple[float, ...]) -> dict[str, object]:
    """Knobs of tables 4 and 5: `depth` layers in each of 4 stages; the papers' "blocks" are 8 · depth."""
    return {"layers": (depth,) * 4, "growth_rate": growth_rate, "reduction": reduction, "stem": "imagenet"}


FIGURES: dict[str, tuple[Figure, ...]] = {
    "binary_densenet": (
        Figure("BDN table 5", 3.31, "MiB", top1=50.2, knobs=_split(1, 256, LOW), binarization=BINARY, **IMAGENET),
        Figure("BDN table 5", 3.39, "MiB", top1=52.7, knobs=_split(2, 128, LOW), binarization=BINARY, **IMAGENET),
        Figure("BDN table 5", 3.45, "MiB", top1=55.5, knobs=_split(4, 64, LOW), binarization=BINARY, **IMAGENET),
        Figure("BDN table 4", 3.03, "MiB", top1=55.9, knobs=_split(2, 128, HIGH), **IMAGENET),
        Figure("BDN table 4", 3.08, "MiB", top1=57.1, knobs=_split(4, 64, HIGH), **IMAGENET),
    ),
    "binary_densenet21": (
        Figure("BDN 4.3", 673, "KiB", top1=87.6, knobs={"reduction": LOW}, binarization=BINARY, **CIFAR10),
        Figure("BDN 4.3", 1.49, "MiB", top1=90.3, **CIFAR10),
    ),
    "binary_densenet28": (
        Figure("BDN table 6", 4.0, "MiB", top1=60.7, **IMAGENET),
        Figure("BMXNet 2 results", 4.04, "MiB", top1=61.7, **IMAGENET),
        Figure("BMXNet 2 results", 4.03, "MiB", top1=62.6, knobs={"stem": "grouped"}, **IMAGENET),
    ),
    "binary_densenet37": (
        Figure("BDN table 6", 5.1, "MiB", top1=62.5, **IMAGENET),
        Figure("BMXNet 2 results", 5.13, "MiB", top1=63.3, **IMAGENET),
        Figure("BMXNet 2 results", 5.12, "MiB", top1=64.2, knobs={"stem": "grouped"}, **IMAGENET),
    ),
    "binary_densenet37_dilated": (Figure("BDN table 6", 5.1, "MiB", top1=63.7, **IMAGENET),),
    "binary_densenet45": (Figure("BDN table 6", 7.4, "MiB", top1=63.7, **IMAGENET),),
}


def binary_densenet(
    input_shape: tuple[int, int, int],
    classes: int,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (3, 3),
    growth_rate: int = 32,
    first_filters: int = 64,
    reduction: tuple[float, ...] = (2.0,),
    dilations: tuple[int, ...] = (),
    stem: Literal["cifar", "imagenet", "grouped"] = "cifar",
    width: float = 1.0,
) -> Model:
    """A BinaryDenseNet of any depth and width.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet, grouped) for the stem, times 2 for every transition that pools.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the transitions.
        layers: 3×3 convolutions in each stage.
        growth_rate: channels that each of them adds.
        first_filters: channels of the stem.
        reduction: what each transition divides the channels by, one number fewer than stages, at least 1. The
            result is rounded to a multiple of 32 (times `width`, where that is less than 1).
        dilations: the dilation of each stage, empty for none; a stage that dilates keeps the resolution it gets.
        stem: "cifar", a 3×3 convolution; "imagenet", a 7×7 convolution and a pooling of stride 2 each; "grouped",
            which takes three 3×3 convolutions, the last two in groups, in the place of the 7×7 one. Its filters are
            a multiple of 16.
        width: what the stem's channels and the growth rate are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = binary_densenet((8, 8, 1), 10, layers=(1, 1), growth_rate=16)
    >>> model.output_shape
    (None, 10)
    """
    return dense_network(
        "binary_densenet",
        input_shape,
        classes,
        binarization,
        layers=layers,
        growth_rate=growth_rate,
        first_filters=first_filters,
        reduction=reduction,
        dilations=dilations,
        stem=stem,
        width=width,
    )


@variant(binary_densenet, classes=10, layers=(2, 2, 2, 2), growth_rate=128, first_filters=128, reduction=HIGH)
def binary_densenet21() -> None:
    """BinaryDenseNet-21 for CIFAR (BDN 4.3). The paper gives its growth rate; 2 layers a stage make 21 layers as
    LTB counts them, and a first convolution of 128 filters makes its two sizes.

    With `Binarization(downsampling="binary")` the paper reduces by (1, 1.4, 1.4).
    """


@variant(binary_densenet, classes=1000, layers=(6, 6, 6, 5), growth_rate=64, reduction=(2.7, 2.7, 2.2), stem="imagenet")
def binary_densenet28() -> None:
    """BinaryDenseNet-28 (BDN tables 6 and 7): 4.0 MB, 60.7 % on ImageNet; 62.6 % with stem="grouped" and the
    authors' later training."""


@variant(
    binary_densenet, classes=1000, layers=(6, 8, 12, 6), growth_rate=64, reduction=(3.3, 3.3, 4.0), stem="imagenet"
)
def binary_densenet37() -> None:
    """BinaryDenseNet-37 (BDN tables 6 and 7): 5.1 MB, 62.5 % on ImageNet."""


@variant(binary_densenet37, dilations=(1, 1, 2, 4))
def binary_densenet37_dilated() -> None:
    """BinaryDenseNet-37-dilated (BDN table 6): 5.1 MB, 63.7 % on ImageNet.

    Stages 2, 3 and 4 have one resolution; stages 3 and 4 dilate by 2 and 4 instead of halving it, as in BMXNet.
    """


@variant(
    binary_densenet, classes=1000, layers=(6, 12, 14, 8), growth_rate=64, reduction=(2.7, 3.3, 4.0), stem="imagenet"
)
def binary_densenet45() -> None:
    """BinaryDenseNet-45 (BDN tables 6 and 7): 7.4 MB, 63.7 % on ImageNet."""


NETWORKS = (
    binary_densenet,
    binary_densenet21,
    binary_densenet28,
    binary_densenet37,
    binary_densenet37_dilated,
    binary_densenet45,
)

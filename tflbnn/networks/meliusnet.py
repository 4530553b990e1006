"""MeliusNet: Bethge et al., "MeliusNet: Can Binary Neural Networks Achieve MobileNet-level Accuracy?" (2020).

https://arxiv.org/abs/2001.05936. A BinaryDenseNet whose every layer is followed by one that improves the channels which
the first has added, and a stem of grouped 3×3 convolutions in the place of the 7×7 one.

The authors' sizes (BMXNet 2's published results), called MB, are MiB and are met within 0.1 %; so are their operations,
f + b/64 without the classifier: 2.58·10⁸ for MeliusNet-22 with a 7×7 stem and 2.08·10⁸ with the grouped one, 2.64·10⁸
and 2.14·10⁸ for MeliusNet-29. Larq Zoo's 6,944,584 parameters of MeliusNet-22 are met exactly.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._dense_networks import dense_network
from tflbnn.networks._variants import variant

PAPER = "MeliusNet (2020)"

DEFAULT = Binarization()

IMAGENET = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet"}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "meliusnet22": (
        Figure("BMXNet 2 results", 3.88, "MiB", top1=63.6, **IMAGENET),
        Figure("BMXNet 2 results", 3.89, "MiB", top1=62.9, knobs={"stem": "imagenet"}, **IMAGENET),
        Figure("Larq Zoo", 3.88, "MiB", parameters=6_944_584, top1=62.4, **IMAGENET),
    ),
    "meliusnet29": (
        Figure("BMXNet 2 results", 5.07, "MiB", top1=65.8, **IMAGENET),
        Figure("BMXNet 2 results", 5.08, "MiB", top1=64.9, knobs={"stem": "imagenet"}, **IMAGENET),
    ),
}


def meliusnet22(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 5, 4, 4),
    growth_rate: int = 64,
    first_filters: int = 64,
    reduction: tuple[float, ...] = (2.2, 2.2, 2.0),
    stem: Literal["cifar", "imagenet", "grouped"] = "grouped",
    width: float = 1.0,
) -> Model:
    """MeliusNet-22: 3.9 MB, 63.6 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet, grouped) for the stem, times 2 for every transition.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the transitions.
        layers: pairs of a dense and an improvement block in each stage, one 3×3 convolution each.
        growth_rate: channels that a dense block adds, and an improvement block adds to.
        first_filters: channels of the stem.
        reduction: what each transition divides the channels by, one number fewer than stages, at least 1. The
            result is rounded to a multiple of 32 (times `width`, where that is less than 1).
        stem: "grouped", three 3×3 convolutions, the last two in groups, and a pooling, whose filters are a multiple
            of 16; "imagenet", a 7×7 convolution and a pooling of stride 2 each; "cifar", a 3×3 convolution.
        width: what the stem's channels and the growth rate are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> meliusnet22((8, 8, 1), 10, layers=(1, 1), growth_rate=16, reduction=(2,), stem="cifar").output_shape
    (None, 10)
    """
    return dense_network(
        "meliusnet",
        input_shape,
        classes,
        binarization,
        layers=layers,
        growth_rate=growth_rate,
        first_filters=first_filters,
        reduction=reduction,
        stem=stem,
        width=width,
        improve=True,
    )


@variant(meliusnet22, layers=(4, 6, 8, 6), reduction=(2.7, 2.7, 2.7))
def meliusnet29() -> None:
    """MeliusNet-29: 5.1 MB, 65.8 % on ImageNet."""


NETWORKS = (meliusnet22, meliusnet29)

"""QuickNet: Bannink et al., "Larq Compute Engine: Design, Benchmark, and Deploy State-of-the-Art Binarized Neural
Networks" (2021), https://arxiv.org/abs/2011.09398; as in Larq Zoo's first release of all three (v1.0).

A network made for speed: a cheap separable stem, one 3×3 binary convolution a shortcut with ReLU before BatchNorm,
which is one operation when it runs, and transitions that blur before they drop pixels.

Larq Zoo's sizes, called MB, are MiB. Its numbers of parameters are met exactly: 12,655,688, 13,234,088 and
23,342,248, counting the blurs' fixed weights and two numbers a channel for every BatchNorm, moving statistics not.
The BatchNorm after the stem's depthwise convolution has no gamma and beta there, but what it becomes is counted; here
it has them.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._variants import variant

PAPER = "Larq Compute Engine (2021)"

DEFAULT = Binarization(t_clip=1.25)

IMAGENET = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet"}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "quicknet_small": (Figure("Larq Zoo", 4.00, "MiB", top1=59.4, **IMAGENET),),
    "quicknet": (Figure("Larq Zoo", 4.17, "MiB", top1=63.3, **IMAGENET),),
    "quicknet_large": (Figure("Larq Zoo", 5.40, "MiB", top1=66.9, **IMAGENET),),
}


def quicknet(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 4, 4, 4),
    filters: tuple[int, ...] = (64, 128, 256, 512),
    stem: Literal["cifar", "imagenet"] = "imagenet",
    width: float = 1.0,
) -> Model:
    """QuickNet: 4.17 MB, 63.3 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every transition.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the transitions. Larq Zoo's are
            Binarization(t_clip=1.25).
        layers: 3×3 convolutions in each stage.
        filters: channels of each stage; the first a multiple of 4, for the stem.
        stem: "imagenet", two convolutions with a stride of 2, or "cifar", the same without strides.
        width: what all channels are multiplied by; the first stage's become a multiple of 4.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = quicknet((8, 8, 1), 10, layers=(1, 1), filters=(8, 16), stem="cifar")
    >>> model.output_shape
    (None, 10)
    """
    first = _checks.check_sequence("filters (one number a stage)", filters)[0]
    if isinstance(first, int) and first % 4:
        raise UserError(
            "The first number of filters must be a multiple of 4, as the stem begins with a quarter of them. "
            f"Received: {first}. Use {_checks.scale_channels(first, 1.0, 4)}."
        )
    input_shape, classes, layers, filters = _checks.check_stages(
        input_shape, classes, layers, filters, stem, width, first_multiple=4
    )

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _residual_blocks

    image = keras.Input(input_shape, name="image")
    x = _residual_blocks.separable_stem(image, binarization, stem, filters[0])
    for stage, (depth, width) in enumerate(zip(layers, filters, strict=True), start=1):
        if stage > 1:
            x = _residual_blocks.blur_transition(x, binarization, width, stage - 1)
        for index in range(1, depth + 1):
            x = _residual_blocks.quicknet_block(x, binarization, f"stage{stage}_block{index}")
    if binarization.last == "float32":  # the sign of a ReLU's mean would be +1 everywhere
        x = keras.layers.ReLU(name="head_relu")(x)
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="quicknet")


@variant(quicknet, filters=(32, 64, 256, 512))
def quicknet_small() -> None:
    """QuickNetSmall: half the channels in the first two stages; 4.00 MB, 59.4 % on ImageNet."""


@variant(quicknet, layers=(6, 8, 12, 6))
def quicknet_large() -> None:
    """QuickNetLarge: twice as many layers; 5.40 MB, 66.9 % on ImageNet."""


NETWORKS = (quicknet_small, quicknet, quicknet_large)

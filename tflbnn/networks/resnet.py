"""Residual networks: Bethge et al., "Learning to Train a Binary Neural Network" (2018), https://arxiv.org/abs/1809.10463
(LTB), in the preactivation form of He et al., "Identity Mappings in Deep Residual Networks" (2016).

BatchNorm on the image, a stem, four stages of blocks whose convolutions each follow a BatchNorm; the first block of
EVERY stage, the first stage's too, has a 1×1 convolution for a shortcut. The stem and the classifier are full
precision, the shortcuts are binary.

Parameters, counting BatchNorm's gamma and beta but not its moving statistics, are table 4's for ResNet-18 (11,691,950)
and ResNet-68-wide (166,283,182), which has 3, 4, 23 and 3 blocks. ResNet-34-wide with 3, 4, 6 and 3 has 86,032,302,
16,896 less than the table prints. One bias for each convolution but the stem and the first stage's shortcut would make
up for exactly that: 2·(3·128 + 4·256 + 6·512 + 3·1024) + 256 + 512 + 1024 = 16,896. Before a BatchNorm it would be of
no effect, and neither of the other two networks has room for it.

Table 3's sizes without moving statistics: in full precision they are MiB (44.6, 83.2, 328.2 and 634.3 here); in binary
3.4 is MiB (3.35), but 4.8, 15 and 25 are decimal (4.81, 14.88 and 25.05). With full-precision shortcuts,
Binarization(downsampling="float32"), ResNet-18 takes 4.00 MiB.
"""

from __future__ import annotations

from typing import Any, Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._variants import variant

PAPER = "LTB table 3"

DEFAULT = Binarization(t_clip=0.5, downsampling="binary")

THIN = (64, 64, 128, 256, 512)
WIDE = (64, 128, 256, 512, 1024)

BINARY = {"input_shape": (224, 224, 3), "classes": 1000, "data": "ImageNet", "binarization": DEFAULT.to_dict()}
FLOAT = {**BINARY, "binarization": Binarization.float32().to_dict()}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "resnet18": (
        Figure("LTB table 3", 3.4, "MiB", top1=42.0, **BINARY),
        Figure("LTB table 4", 45, "MiB", parameters=11_691_950, **FLOAT),
    ),
    "resnet26_bottleneck": (Figure("LTB table 3", top1=25.2, **BINARY),),
    "resnet34_thin": (
        Figure("LTB table 3", 4.8, "MB", top1=44.3, **BINARY),
        Figure("LTB table 3", 84, "MiB", top1=78.2, **FLOAT),
    ),
    "resnet34_wide": (
        Figure("LTB table 3", 15, "MB", top1=54.0, **BINARY),
        Figure("LTB table 4", 329, "MiB", parameters=86_049_198, ours={"parameters": 86_032_302}, **FLOAT),
    ),
    "resnet68_wide": (
        Figure("LTB table 3", 25, "MB", top1=57.5, **BINARY),
        Figure("LTB table 4", 635, "MiB", parameters=166_283_182, **FLOAT),
    ),
}


def resnet18(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    blocks: tuple[int, ...] = (2, 2, 2, 2),
    filters: tuple[int, ...] = THIN,
    width: float = 1.0,
    stem: Literal["cifar", "imagenet"] = "imagenet",
) -> Model:
    """ResNet-18: 3.4 MB, 42.0 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every stage but the first.
        classes: at least 2.
        binarization: how the convolutions of the blocks quantize; its `downsampling` decides the 1×1 shortcuts, whose
            inputs pass a ReLU where they are full precision. The paper's is
            Binarization(t_clip=0.5, downsampling="binary").
        blocks: of two convolutions each, in each stage.
        filters: channels of the stem and of each stage.
        width: what all of them are multiplied by; the results are rounded to integers.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each, or "cifar", a 3×3 convolution.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = resnet18((8, 8, 1), 10, blocks=(1, 1), filters=(8, 8, 16), stem="cifar")
    >>> model.output_shape
    (None, 10)
    """
    return _resnet(input_shape, classes, binarization, blocks, filters, width, stem)


def resnet26_bottleneck(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    blocks: tuple[int, ...] = (2, 2, 2, 2),
    filters: tuple[int, ...] = (64, 256, 512, 1024, 2048),
    width: float = 1.0,
    stem: Literal["cifar", "imagenet"] = "imagenet",
) -> Model:
    """ResNet-26 with bottlenecks: blocks of three convolutions, the first two with a quarter of the channels; 25.2 % on
    ImageNet. The paper gives no size; here it is 10.1 MB."""
    return _resnet(input_shape, classes, binarization, blocks, filters, width, stem, bottleneck=True)


@variant(resnet18, blocks=(3, 4, 6, 3))
def resnet34_thin() -> None:
    """ResNet-34-thin: 4.8 MB, 44.3 % on ImageNet."""


@variant(resnet18, blocks=(3, 4, 6, 3), filters=WIDE)
def resnet34_wide() -> None:
    """ResNet-34-wide: 15 MB, 54.0 % on ImageNet."""


@variant(resnet18, blocks=(3, 4, 23, 3), filters=WIDE)
def resnet68_wide() -> None:
    """ResNet-68-wide: 25 MB, 57.5 % on ImageNet."""


def _resnet(
    input_shape: Any,
    classes: Any,
    binarization: Binarization,
    blocks: Any,
    filters: Any,
    width: Any,
    stem: str,
    bottleneck: bool = False,
) -> Model:
    blocks = tuple(_checks.check_integer("every number of blocks", n) for n in _checks.check_sequence("blocks", blocks))
    classes = _checks.check_integer("classes", classes, 2)
    filters = _checks.check_filters("filters (the stem's, then one a stage)", filters, len(blocks) + 1, width)
    _checks.check_choice("stem", stem, tuple(_checks.STEM_STRIDES))
    input_shape = _checks.check_input_shape(input_shape, _checks.STEM_STRIDES[stem] * 2 ** (len(blocks) - 1))

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _preactivation_blocks

    block = _preactivation_blocks.bottleneck_block if bottleneck else _preactivation_blocks.basic_block
    image = keras.Input(input_shape, name="image")
    x = layers.batch_normalization(name="image_norm")(image)
    x = _blocks.stem(x, binarization, stem, filters[0])
    for stage, (depth, channels) in enumerate(zip(blocks, filters[1:], strict=True), start=1):
        for index in range(1, depth + 1):
            strides = 2 if stage > 1 and index == 1 else 1
            x = block(x, binarization, channels, strides, index == 1, f"stage{stage}_block{index}")
    return keras.Model(image, _blocks.head(x, binarization, classes), name="resnet")


NETWORKS = (resnet18, resnet26_bottleneck, resnet34_thin, resnet34_wide, resnet68_wide)

"""Real-to-Binary Net: Martinez et al., "Training Binary Neural Networks with Real-to-Binary Convolutions" (2020),
https://arxiv.org/abs/2003.11535 (R2B).

A ResNet-18 with a shortcut around every binary convolution, whose output is scaled channel by channel with factors
computed from its real-valued input. This is the network of the last training stage; the paper trains it after, and
against, real-valued teachers.

Larq Zoo's size, 5.13 MB (MiB), is met. Its 11,995,624 parameters hold 8,704 moving statistics, which are not
parameters here: 11,986,920.
"""

from __future__ import annotations

import functools
from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "Real-to-Binary (2020)"

DEFAULT = Binarization(t_clip=1.0)

FIGURES: dict[str, tuple[Figure, ...]] = {
    "real_to_binary_net": (
        Figure("Larq Zoo", 5.13, "MiB", input_shape=(224, 224, 3), classes=1000, data="ImageNet", top1=65.01),
    ),
}


def real_to_binary_net(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 4, 4, 4),
    filters: tuple[int, ...] = (64, 128, 256, 512),
    reduction: int = 8,
    stem: Literal["cifar", "imagenet"] = "imagenet",
    width: float = 1.0,
) -> Model:
    """Real-to-Binary Net: 5.13 MB, 65.01 % on ImageNet in Larq Zoo, 65.4 % in the paper.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every stage but the first.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the shortcuts that change shape.
            Larq Zoo's are Binarization(t_clip=1.0, pad_values=0); borders of ones, the default, stay in bits.
        layers: 3×3 convolutions in each stage.
        filters: channels of each stage.
        reduction: channels of a block's input for each hidden unit of the layers that compute its scales.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each, or "cifar", a 3×3 convolution.
        width: what all channels are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = real_to_binary_net((8, 8, 1), 10, layers=(1, 1), filters=(8, 16), stem="cifar")
    >>> model.output_shape
    (None, 10)
    """
    input_shape, classes, layers, filters = _checks.check_stages(input_shape, classes, layers, filters, stem, width)
    reduction = _checks.check_integer("reduction", reduction)

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _residual_blocks

    image = keras.Input(input_shape, name="image")
    activation = keras.layers.PReLU(shared_axes=[1, 2], name="stem_prelu")
    x = _blocks.normalized_stem(image, binarization, stem, filters[0], activation)
    block = functools.partial(_residual_blocks.real_to_binary_block, reduction=reduction)
    x = _residual_blocks.stages(x, binarization, layers, filters, block)
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="real_to_binary_net")


NETWORKS = (real_to_binary_net,)

"""ReActNet on a ResNet-18: Liu et al., "ReActNet: Towards Precise Binary Neural Network with Generalized Activation
Functions" (2020), https://arxiv.org/abs/2003.03488.

Bi-Real Net with trained shifts: RSign puts one before the sign of each channel, RPReLU two around a PReLU behind each
shortcut. The paper trains it in two steps, activations binarized first, against a ResNet-34.

Published are 65.5 % on ImageNet and 1.63·10⁸ operations, which are f + b/64 without the classifier and are met; no size
and no number of parameters. Here it has 11,704,424, in 4.05 MiB: Bi-Real Net's 11,689,512, a shift for each of the
3,392 channels that go into a binary convolution, and three numbers for each of the 3,840 that come out of one.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "ReActNet (2020)"

DEFAULT = Binarization("approx_sign", "magnitude_aware_sign", t_clip=1.0)

FIGURES: dict[str, tuple[Figure, ...]] = {
    "reactnet18": (
        Figure(
            "ReActNet (2020)",
            input_shape=(224, 224, 3),
            classes=1000,
            data="ImageNet",
            top1=65.5,
            binarization={"input_quantizer": "approx_sign", "kernel_quantizer": "magnitude_aware_sign"},
        ),
    ),
}


def reactnet18(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 4, 4, 4),
    filters: tuple[int, ...] = (64, 128, 256, 512),
    stem: Literal["cifar", "imagenet"] = "imagenet",
    width: float = 1.0,
) -> Model:
    """ReActNet with the structure of Bi-Real Net 18: 65.5 % on ImageNet.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every stage but the first.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the shortcuts that change shape.
            The paper's is Binarization("approx_sign", "magnitude_aware_sign", t_clip=1.0), with borders of zeros,
            pad_values=0; ones, the default, stay in bits.
        layers: 3×3 convolutions in each stage.
        filters: channels of each stage.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each, or "cifar", a 3×3 convolution.
        width: what all channels are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = reactnet18((8, 8, 1), 10, layers=(1, 1), filters=(8, 16), stem="cifar")
    >>> model.output_shape
    (None, 10)
    """
    input_shape, classes, layers, filters = _checks.check_stages(input_shape, classes, layers, filters, stem, width)

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _residual_blocks

    image = keras.Input(input_shape, name="image")
    x = _blocks.normalized_stem(image, binarization, stem, filters[0], activation=None)
    x = _residual_blocks.stages(x, binarization, layers, filters, _residual_blocks.reactnet_block)
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="reactnet")


NETWORKS = (reactnet18,)

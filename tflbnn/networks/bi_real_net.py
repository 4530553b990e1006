"""Bi-Real Net: Liu et al., "Bi-Real Net: Enhancing the Performance of 1-bit CNNs with Improved Representational
Capability and Advanced Training Algorithm" (2018), https://arxiv.org/abs/1808.00278.

A shortcut around every single binary convolution keeps the real-valued activations. The sign of activations has
the triangular gradient of `ApproxSign`; weights are binarized with their filter's magnitude.

Larq Zoo's size, 4.00 MB (MiB), is met; the paper's 33.6 Mbit are 4.01 MiB. Larq Zoo's 11,699,112 parameters, of an
earlier count, hold 9,600 moving statistics, which are not parameters here: 11,689,512.
"""

from __future__ import annotations

from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "Bi-Real Net (2018)"

DEFAULT = Binarization("approx_sign", "magnitude_aware_sign", t_clip=1.0)

FIGURES: dict[str, tuple[Figure, ...]] = {
    "bi_real_net18": (
        Figure(
            "Larq Zoo",
            4.00,
            "MiB",
            input_shape=(224, 224, 3),
            classes=1000,
            data="ImageNet",
            top1=57.47,
            binarization={"input_quantizer": "approx_sign", "kernel_quantizer": "magnitude_aware_sign"},
        ),
    ),
}


def bi_real_net18(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (4, 4, 4, 4),
    filters: tuple[int, ...] = (64, 128, 256, 512),
    stem: Literal["cifar", "imagenet"] = "imagenet",
    width: float = 1.0,
) -> Model:
    """Bi-Real Net with 18 layers: 4.00 MB, 57.47 % on ImageNet in Larq Zoo, 56.4 % in the paper.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every stage but the first.
        classes: at least 2.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the shortcuts that change shape.
            The paper's are Binarization("approx_sign", "magnitude_aware_sign", t_clip=1.0), with borders of zeros,
            pad_values=0; ones, the default, stay in bits.
        layers: 3×3 convolutions in each stage; 6, 8, 12, 6 make the paper's 34 layers.
        filters: channels of each stage.
        stem: "imagenet", a 7×7 convolution and a pooling of stride 2 each, or "cifar", a 3×3 convolution.
        width: what all channels are multiplied by.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = bi_real_net18((8, 8, 1), 10, layers=(1, 1), filters=(8, 16), stem="cifar")
    >>> model.output_shape
    (None, 10)
    """
    input_shape, classes, layers, filters = _checks.check_stages(input_shape, classes, layers, filters, stem, width)

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks, _residual_blocks

    image = keras.Input(input_shape, name="image")
    x = _blocks.normalized_stem(image, binarization, stem, filters[0], activation=None)
    x = _residual_blocks.stages(x, binarization, layers, filters, _residual_blocks.bi_real_block)
    return keras.Model(image, _blocks.classify(x, binarization, classes), name="bi_real_net")


NETWORKS = (bi_real_net18,)

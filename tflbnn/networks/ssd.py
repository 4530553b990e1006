"""SSD on BinaryDenseNet: Liu et al., "SSD: Single Shot MultiBox Detector" (2016), with the base network of BDN 5.3.

https://arxiv.org/abs/1512.02325 (SSD), https://arxiv.org/abs/1906.08637 (BDN). BDN takes Gluon-CV's SSD, replaces its
base network, and says no more than that. As in Gluon-CV's SSD-512 of a ResNet, predictions are made from the base's
stages at 1/16 and 1/32 of the resolution and from four further ones, whose boxes have Gluon-CV's sizes and ratios. The
further ones are what the base is made of: a transition that halves resolution and channels, then a dense block. Their
3×3 convolutions are binary; the two convolutions that predict, the last layers, are full precision, as the paper's rule
for last layers has it.

A detection network has two outputs and, as `default_boxes`, what the second one's offsets refer to.
"""

from __future__ import annotations

import itertools
from typing import Literal

from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model
from tflbnn.networks._variants import variant

PAPER = "BDN 5.3"

# What these networks are trained for; those of other families classify.
TASK = "detection"

DEFAULT = Binarization()

VOC = {"input_shape": (512, 512, 3), "classes": 20, "data": "VOC2007 (mAP)"}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "ssd512_binary_densenet37": (Figure("BDN table 8", top1=66.4, **VOC),),
    "ssd512_binary_densenet45": (Figure("BDN table 8", top1=68.2, **VOC),),
}

# Width / height of the boxes besides squares: few where they are smallest and where they are largest.
_FEW, _MANY = (2.0, 1 / 2), (2.0, 1 / 2, 3.0, 1 / 3)


def box_sizes(scales: int) -> tuple[float, ...]:
    """Gluon-CV's sizes of boxes for so many feature maps, and one more, in shares of the image.

    >>> [round(size, 2) for size in box_sizes(6)]
    [0.1, 0.2, 0.37, 0.54, 0.71, 0.88, 0.96]
    """
    steps = max(1, scales - 2)
    return (0.1, *(0.2 + 0.68 * step / steps for step in range(scales - 1)), 0.96)


def ssd_binary_densenet(
    input_shape: tuple[int, int, int],
    classes: int,
    binarization: Binarization = DEFAULT,
    *,
    layers: tuple[int, ...] = (3, 3, 3),
    growth_rate: int = 32,
    first_filters: int = 64,
    reduction: tuple[float, ...] = (2.0, 2.0),
    stem: Literal["cifar", "imagenet"] = "imagenet",
    base_scales: int = 2,
    extra_scales: int = 2,
    extra_layers: int = 2,
    sizes: tuple[float, ...] = (),
) -> Model:
    """An SSD on a BinaryDenseNet of any depth and width.

    Args:
        input_shape: (height, width, channels); a side is at least the product of the base's strides: 1 (cifar) or
            4 (imagenet) for the stem, times 2 for every transition between stages.
        classes: without the background, at least 1.
        binarization: how the 3×3 convolutions quantize; its `downsampling` decides the transitions, its `last` the
            convolutions that predict.
        layers: 3×3 convolutions in each stage of the base.
        growth_rate: channels that each of them adds.
        first_filters: channels of the stem.
        reduction: what each transition divides the channels by, one number fewer than stages, at least 1.
        stem: "cifar", a 3×3 convolution, or "imagenet", a 7×7 convolution and a pooling of stride 2 each.
        base_scales: the last so many stages predict.
        extra_scales: at most so many further stages, each of half the resolution; as many as the image allows.
        extra_layers: 3×3 convolutions in each of them.
        sizes: of the boxes of each scale, in shares of the image, and one more, growing; Gluon-CV's when empty.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to two outputs:
        "probabilities" (batch, boxes, classes + 1), softmax in float32, the background first, and "boxes" (batch,
        boxes, 4), the offsets of ycenter, xcenter, height, width that `tflbnn.detection.decode` reads. The model's
        `default_boxes`, (boxes, 4), are what these refer to.

    Raises:
        UserError: a value outside of what is written above.

    >>> model = ssd_binary_densenet((32, 32, 3), 2, layers=(1, 1), growth_rate=8, reduction=(2.0,))
    >>> model.output_shape, model.default_boxes.shape
    ([(None, 372, 3), (None, 372, 4)], (372, 4))
    """
    layers = tuple(_checks.check_integer("every number of layers", n) for n in _checks.check_sequence("layers", layers))
    classes = _checks.check_integer("classes", classes)
    growth_rate = _checks.check_integer("growth_rate", growth_rate)
    first_filters = _checks.check_integer("first_filters", first_filters)
    reduction = tuple(
        _checks.check_number("every reduction", rate, 1.0)
        for rate in _checks.check_sequence("reduction (one less than stages)", reduction, len(layers) - 1)
    )
    _checks.check_choice("stem", stem, tuple(_checks.STEM_STRIDES))
    base_scales = _checks.check_integer("base_scales", base_scales)
    if base_scales > len(layers):
        raise UserError(
            f"base_scales must be at most the number of stages. Received: base_scales={base_scales} for {len(layers)} "
            f"stages. Use {len(layers)}."
        )
    extra_scales = _checks.check_integer("extra_scales", extra_scales, 0)
    extra_layers = _checks.check_integer("extra_layers", extra_layers)
    strides = _checks.STEM_STRIDES[stem] * 2 ** (len(layers) - 1)
    input_shape = _checks.check_input_shape(input_shape, strides)
    extra_scales = min(extra_scales, (min(input_shape[:2]) // strides).bit_length() - 1)
    sizes = _check_sizes(sizes, base_scales + extra_scales)

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.detection import default_boxes
    from tflbnn.networks import _blocks

    image = keras.Input(input_shape, name="image")
    x = _blocks.stem(image, binarization, stem, first_filters)
    depths = (*layers, *(extra_layers,) * extra_scales)
    reductions = (*reduction, *(2.0,) * extra_scales)
    features = []
    for stage, depth in enumerate(depths, start=1):
        if stage > 1:
            x = _blocks.transition(x, binarization, reductions[stage - 2], True, stage - 1)
        x = _blocks.dense_block(x, binarization, depth, growth_rate, 1, stage)
        features.append(x)
    features = features[len(layers) - base_scales :]
    ratios = [_MANY if 1 <= scale < len(features) - 2 else _FEW for scale in range(len(features))]
    predicted = [
        _predict(x, binarization, classes, 2 + len(shapes), f"scale{scale}")
        for scale, (x, shapes) in enumerate(zip(features, ratios, strict=True), start=1)
    ]
    logits, offsets = ([pair[kind] for pair in predicted] for kind in (0, 1))
    if len(predicted) > 1:
        logits = [keras.layers.Concatenate(axis=1, name="logits")(logits)]
        offsets = [keras.layers.Concatenate(axis=1, name="offsets")(offsets)]
    probabilities = keras.layers.Activation("softmax", dtype="float32", name="probabilities")(logits[0])
    boxes = keras.layers.Activation("linear", dtype="float32", name="boxes")(offsets[0])
    model = keras.Model(image, [probabilities, boxes], name="ssd_binary_densenet")
    model.default_boxes = default_boxes([tuple(x.shape[1:3]) for x in features], sizes, ratios)
    return model


def _check_sizes(sizes: tuple[float, ...], scales: int) -> tuple[float, ...]:
    """One size a scale and one more, each larger than the one before."""
    if not sizes:
        return box_sizes(scales)
    sizes = tuple(
        _checks.check_number("every size of boxes", size, 0.001)
        for size in _checks.check_sequence("sizes (one more than scales)", sizes, scales + 1)
    )
    if any(following <= size for size, following in itertools.pairwise(sizes)) or sizes[-1] > 2:
        raise UserError(
            f"sizes must grow and be at most 2, twice the image. Received: {', '.join(map(str, sizes))}. "
            f"Use for example {', '.join(f'{size:.2f}' for size in box_sizes(scales))}."
        )
    return sizes


def _predict(x, binarization: Binarization, classes: int, boxes: int, name: str):
    """Logits (batch, boxes, classes + 1) and offsets (batch, boxes, 4) of one feature map, `boxes` a cell."""
    from tflbnn import layers
    from tflbnn._keras import keras

    x = layers.batch_normalization(name=f"{name}_norm")(x)
    if binarization.last == "float32":  # the sign of a ReLU would be +1 everywhere
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
    outputs = []
    for what, size in (("logits", classes + 1), ("offsets", 4)):
        y = _predictor(binarization, boxes * size, f"{name}_{what}_conv")(x)
        outputs.append(keras.layers.Reshape((-1, size), name=f"{name}_{what}")(y))
    return outputs


def _predictor(binarization: Binarization, filters: int, name: str):
    from tflbnn import layers
    from tflbnn._keras import keras

    if binarization.last == "binary":
        return layers.conv2d(binarization, filters, 3, use_bias=True, name=name)
    return keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=layers.INITIALIZER, name=name)


@variant(
    ssd_binary_densenet,
    classes=20,
    layers=(6, 8, 12, 6),
    growth_rate=64,
    first_filters=64,
    reduction=(3.3, 3.3, 4.0),
    stem="imagenet",
    base_scales=2,
    extra_scales=4,
    extra_layers=4,
)
def ssd512_binary_densenet37() -> None:
    """SSD-512 on BinaryDenseNet-37 (BDN table 8): 66.4 mAP on VOC2007. Images of 512×512, at least 32×32."""


@variant(ssd512_binary_densenet37, layers=(6, 12, 14, 8), reduction=(2.7, 3.3, 4.0))
def ssd512_binary_densenet45() -> None:
    """SSD-512 on BinaryDenseNet-45 (BDN table 8): 68.2 mAP on VOC2007. Images of 512×512, at least 32×32."""


NETWORKS = (ssd_binary_densenet, ssd512_binary_densenet37, ssd512_binary_densenet45)

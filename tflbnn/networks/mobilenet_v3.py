"""MobileNetV3-Small: Howard et al., "Searching for MobileNetV3" (2019), https://arxiv.org/abs/1905.02244, table 2.

No binary network, but what one has to beat on a phone: depthwise and 1×1 convolutions in full precision, gates
("squeeze and excite") and hard-swish. 2,542,856 parameters without the moving statistics, the
paper's 2.5 M.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

if TYPE_CHECKING:
    from tflbnn._keras import tf

PAPER = "MobileNetV3 (2019)"

DEFAULT = Binarization.float32()

FIGURES: dict[str, tuple[Figure, ...]] = {}

# Table 2: kernel, expanded channels, output channels, gate, hard-swish, stride.
_BLOCKS = (
    (3, 16, 16, True, False, 2),
    (3, 72, 24, False, False, 2),
    (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2),
    (5, 240, 40, True, True, 1),
    (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1),
    (5, 144, 48, True, True, 1),
    (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1),
    (5, 576, 96, True, True, 1),
)


def mobilenet_v3_small(
    input_shape: tuple[int, int, int],
    classes: int = 1000,
    binarization: Binarization = DEFAULT,
    *,
    width: float = 1.0,
    stem: Literal["cifar", "imagenet"] = "imagenet",
) -> Model:
    """MobileNetV3-Small: 67.5 % on ImageNet, a float network to compare binary ones with.

    Args:
        input_shape: (height, width, channels) of any size of at least 8.
        classes: at least 2.
        binarization: Binarization.float32(), for there is no binary form of it.
        width: what all channels are multiplied by, to a multiple of 8.
        stem: "imagenet", which halves height and width in the first convolution and the first block, or "cifar",
            which does not.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> mobilenet_v3_small((32, 32, 3), 10, width=0.25, stem="cifar").output_shape
    (None, 10)
    """
    if binarization.is_binary:
        raise UserError(
            "MobileNetV3 is a full-precision network. Received: a binarization with 1 bit. "
            "Set binarization=float32, or take a network such as quicknet."
        )
    width = _checks.check_width(width)
    classes = _checks.check_integer("classes", classes, 2)
    _checks.check_choice("stem", stem, ("cifar", "imagenet"))
    input_shape = _checks.check_input_shape(input_shape, 8, "of which the strides leave one")

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks

    def channels(number: int) -> int:
        return _checks.scale_channels(number, width, 8)

    first = 1 if stem == "cifar" else 2
    image = keras.Input(input_shape, name="image")
    x = layers.first_conv2d(binarization, channels(16), 3, strides=first, name="stem_conv")(image)
    x = layers.batch_normalization(name="stem_norm")(x)
    x = _hard_swish(x, "stem")
    for index, (kernel, expanded, filters, gate, swish, stride) in enumerate(_BLOCKS, start=1):
        stride = first if index == 1 else stride
        x = _block(x, f"block{index}", kernel, channels(expanded), channels(filters), gate, swish, stride)
    x = _pointwise(x, "head", channels(576), True)
    x = keras.layers.GlobalAveragePooling2D(name="head_pool")(x)
    x = keras.layers.Dense(channels(1024), kernel_initializer=layers.INITIALIZER, name="hidden")(x)
    x = _hard_swish(x, "hidden")
    return keras.Model(image, _blocks.probabilities(x, binarization, classes), name="mobilenet_v3_small")


def _block(
    x: tf.Tensor, name: str, kernel: int, expanded: int, filters: int, gate: bool, swish: bool, stride: int
) -> tf.Tensor:
    """1×1 convolution → depthwise convolution → gate → 1×1 convolution, and a shortcut around where shapes allow it."""
    from tflbnn import layers
    from tflbnn._keras import keras

    y = x if expanded == x.shape[-1] else _pointwise(x, f"{name}_expand", expanded, swish)
    y = keras.layers.DepthwiseConv2D(kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(
        y
    )
    y = layers.batch_normalization(name=f"{name}_depthwise_norm")(y)
    y = _hard_swish(y, f"{name}_depthwise") if swish else keras.layers.ReLU(name=f"{name}_depthwise_relu")(y)
    if gate:
        y = _gate(y, f"{name}_gate", _checks.scale_channels(expanded, 0.25, 8))
    y = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(y)
    y = layers.batch_normalization(name=f"{name}_project_norm")(y)
    return keras.layers.Add(name=f"{name}_add")([x, y]) if x.shape == y.shape else y


def _pointwise(x: tf.Tensor, name: str, filters: int, swish: bool) -> tf.Tensor:
    from tflbnn import layers
    from tflbnn._keras import keras

    x = keras.layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_conv")(x)
    x = layers.batch_normalization(name=f"{name}_norm")(x)
    return _hard_swish(x, name) if swish else keras.layers.ReLU(name=f"{name}_relu")(x)


def _gate(x: tf.Tensor, name: str, hidden: int) -> tf.Tensor:
    """Channels times what their means say, by two dense layers and a hard sigmoid."""
    from tflbnn._keras import keras

    y = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_mean")(x)
    y = keras.layers.Conv2D(hidden, 1, activation="relu", name=f"{name}_reduce")(y)
    y = keras.layers.Conv2D(x.shape[-1], 1, name=f"{name}_expand")(y)
    return keras.layers.Multiply(name=name)([x, _hard_sigmoid(y, name)])


def _hard_sigmoid(x: tf.Tensor, name: str) -> Any:
    """relu6(x + 3) / 6."""
    from tflbnn._keras import keras

    shifted = keras.layers.Rescaling(1.0, 3.0, name=f"{name}_shift")(x)
    return keras.layers.Rescaling(1 / 6, name=f"{name}_sixth")(keras.layers.ReLU(6.0, name=f"{name}_relu6")(shifted))


def _hard_swish(x: tf.Tensor, name: str) -> Any:
    """x · relu6(x + 3) / 6."""
    from tflbnn._keras import keras

    return keras.layers.Multiply(name=f"{name}_swish")([x, _hard_sigmoid(x, f"{name}_swish")])


NETWORKS = (mobilenet_v3_small,)

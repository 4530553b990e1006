"""LeNet: Bethge et al., "Learning to Train a Binary Neural Network" (2018), https://arxiv.org/abs/1809.10463 (LTB),
after LeCun et al., "Gradient-Based Learning Applied to Document Recognition" (1998).

The paper gives accuracy and sizes, not the layers; two convolutions of 64 filters and 1,000 hidden units, as in BMXNet,
come to both sizes. For images of 28×28 without moving statistics: 4.35 MiB of the 4.4 in full precision, and 196.3 of
the 202 KB, which is decimal there, in binary; 205.3 KB with the moving statistics.
"""

from __future__ import annotations

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Figure, Model

PAPER = "LTB table 2"

DEFAULT = Binarization(t_clip=0.5)

MNIST = {"input_shape": (28, 28, 1), "classes": 10, "data": "MNIST"}

FIGURES: dict[str, tuple[Figure, ...]] = {
    "lenet": (
        Figure("LTB table 2", 202, "KB", top1=99.3, **MNIST),
        Figure("LTB table 2", 4.4, "MiB", binarization=Binarization.float32().to_dict(), **MNIST),
    ),
}


def lenet(
    input_shape: tuple[int, int, int],
    classes: int = 10,
    binarization: Binarization = DEFAULT,
    *,
    filters: tuple[int, ...] = (64, 64),
    units: int = 1000,
    width: float = 1.0,
) -> Model:
    """LeNet: 202 KB, 99.3 % on MNIST.

    Args:
        input_shape: (height, width, channels); a side is at least 16.
        classes: at least 2.
        binarization: how the second convolution and the hidden layer quantize.
        filters: channels of the two convolutions.
        units: of the hidden layer.
        width: what all of them are multiplied by; the results are rounded to integers.

    Returns:
        A Keras model from images (batch, height, width, channels), normalised float32, to softmax probabilities
        (batch, classes), float32. Its layer "logits" holds what goes into the softmax.

    Raises:
        UserError: a value outside of what is written above.

    >>> lenet((28, 28, 1)).output_shape
    (None, 10)
    """
    classes = _checks.check_integer("classes", classes, 2)
    filters = _checks.check_filters("filters (one a convolution)", filters, 2, width)
    units = _checks.scale_channels(_checks.check_integer("units", units), _checks.check_width(width))
    input_shape = _checks.check_input_shape(input_shape, 16, "of which 5×5 convolutions and poolings leave one")

    # Loaded here, after the checks: the signatures and FIGURES above are read without TensorFlow.
    from tflbnn import layers
    from tflbnn._keras import keras
    from tflbnn.networks import _blocks

    image = keras.Input(input_shape, name="image")
    x = layers.first_conv2d(binarization, filters[0], 5, padding="valid", name="conv1")(image)
    x = keras.layers.MaxPool2D(2, name="pool1")(x)
    x = layers.batch_normalization(name="norm1")(x)
    x = layers.conv2d(binarization, filters[1], 5, padding="valid", name="conv2")(x)
    x = keras.layers.MaxPool2D(2, name="pool2")(x)
    x = layers.batch_normalization(name="norm2")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = layers.dense(binarization, units, name="dense1")(x)
    x = layers.batch_normalization(name="norm3")(x)
    x = keras.layers.Activation("tanh", name="tanh3")(x)
    return keras.Model(image, _blocks.probabilities(x, binarization, classes), name="lenet")


NETWORKS = (lenet,)

"""Finding layers in a network, and what they see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import keras
from tflbnn.errors import UserError, nearest

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)  # Larq's are subclasses


def find(model: Any, name: str) -> Any:
    """The layer of that name.

    Raises:
        UserError: the network has none.
    """
    names = [layer.name for layer in model.layers]
    if name not in names:
        raise UserError(f"{model.name} has no layer '{name}'. {nearest(name, names)}")
    return model.get_layer(name)


def logits(model: Any) -> Any:
    """What goes into the softmax, a symbolic tensor (batch, classes).

    Raises:
        UserError: the network does not end in one softmax.
    """
    last = model.layers[-1]
    softmax = getattr(last, "activation", None) is keras.activations.softmax or isinstance(last, keras.layers.Softmax)
    if len(model.outputs) != 1 or not softmax or isinstance(last, keras.layers.Dense):
        raise UserError(f"A class can be shown of a network that ends in a softmax layer. Received: {model.name}.")
    return last.get_input_at(0)


def convolution_inputs(model: Any) -> list[tuple[Any, Any]]:
    """(layer, what it sees) of each convolution but the one that sees the image, in the order of the network; and of
    what ends the features: a global pooling, a flattening.

    What a binary convolution sees are the floats whose signs it takes.
    """
    ends = (keras.layers.GlobalAveragePooling2D, keras.layers.GlobalMaxPooling2D, keras.layers.Flatten)
    image = {id(tensor) for tensor in model.inputs}
    seen = []
    for layer in model.layers:
        if isinstance(layer, (*CONVOLUTIONS, *ends)):
            tensor = layer.get_input_at(0)
            if id(tensor) not in image and tensor.shape.rank == 4:
                seen.append((layer, tensor))
    return seen


def values(model: Any, tensors: Sequence[Any], images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The values of symbolic tensors for normalized images (batch, height, width, channels)."""
    results = keras.Model(model.inputs, list(tensors))(images, training=False)
    return [np.asarray(value) for value in (results if len(tensors) > 1 else [results])]

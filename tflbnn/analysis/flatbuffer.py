"""How long the file of a network is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tflbnn._keras import keras


def flatbuffer_bytes(model: keras.Model) -> int:
    """Length of the file that the converter makes of a network, as it is after training.

    Weights that all start with one value, as BatchNorms' do, get random ones, and keep them: a file holds equal
    constants only once.

    Raises:
        UserError: TensorFlow Lite cannot express the network.
    """
    from tflbnn.converter import convert

    rng = np.random.default_rng(0)
    for variable in model.variables:
        value = variable.numpy()
        if value.size and (value == value.flat[0]).all():
            variable.assign(rng.uniform(0.5, 1.5, value.shape))
    return len(convert(model, verify=False).flatbuffer)

"""Small Keras models with Larq layers, their weights and statistics random."""

from __future__ import annotations

import numpy as np

from tflbnn._keras import keras, lq

L = keras.layers


def binary_conv(filters: int, kernel: int = 3, **arguments):
    """A QuantConv2D as LCE likes it best: signs, padded with +1."""
    settings = {
        "input_quantizer": "ste_sign",
        "kernel_quantizer": "ste_sign",
        "kernel_constraint": "weight_clip",
        "padding": "same",
        "pad_values": 1.0,
        "use_bias": False,
    }
    return lq.layers.QuantConv2D(filters, kernel, **{**settings, **arguments})


def binary_dense(units: int, **arguments):
    """A QuantDense of signs."""
    settings = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}
    return lq.layers.QuantDense(units, **{**settings, **arguments})


def randomized(model: keras.Model, seed: int = 0) -> keras.Model:
    """The model with BatchNorm statistics as training leaves them, a quarter of gamma below 0, and biases."""
    rng = np.random.default_rng(seed)
    for layer in model.submodules:
        if isinstance(layer, L.BatchNormalization):
            size = layer.gamma.shape
            gamma = rng.uniform(0.5, 1.5, size) * np.where(rng.random(size) < 0.25, -1, 1)
            values = (gamma, rng.normal(0, 0.5, size), rng.normal(0, 2, size), rng.uniform(0.5, 3, size))
            layer.set_weights(list(values))
        elif isinstance(layer, L.Layer) and getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(0, 0.5, layer.bias.shape))
    return model


def small() -> keras.Model:
    """A float stem, binary convolutions with float and with bit outputs, pooling on bits, a classifier."""
    keras.utils.set_random_seed(0)
    image = x = L.Input((10, 9, 3), name="image")
    x = L.Conv2D(16, 3, name="stem")(x)
    shortcut = x = L.BatchNormalization(name="stem_norm")(x)
    x = binary_conv(16, name="first")(x)
    x = L.BatchNormalization(name="first_norm")(x)
    x = L.Add(name="add")([x, shortcut])
    x = binary_conv(32, name="second")(x)
    x = L.BatchNormalization(name="second_norm")(x)
    x = L.MaxPool2D(2, name="pool")(x)
    x = binary_conv(33, name="third", padding="valid")(x)
    x = L.BatchNormalization(name="third_norm")(x)
    x = L.ReLU(name="relu")(x)
    x = L.GlobalAveragePooling2D(name="mean")(x)
    x = L.Dense(4, name="logits")(x)
    x = L.Activation("softmax", name="probabilities")(x)
    return randomized(keras.Model(image, x, name="small"))

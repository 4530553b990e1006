"""What the tests of networks in stages have in common: small images, all binarizations, training, conversion."""

import functools
from collections.abc import Callable

import numpy as np

from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.analysis.counts import Counts, counts
from tflbnn.binarization import Binarization
from tflbnn.converter import convert

BINARIZATIONS = [
    *(
        # The other quantizers stand in tests/test_methods.py.
        Binarization(inputs, weights)
        for inputs in ("ste_sign", "approx_sign", "relu", "float32")
        for weights in ("ste_sign", "magnitude_aware_sign", "float32")
    ),
    Binarization.float32(),
    Binarization(pad_values=0, regularizer="r1"),
    Binarization(first="binary"),
    Binarization(last="binary"),
    Binarization(downsampling="binary"),
]

# One of each kind, whose tests are the same.
RESIDUAL_NETWORKS = ["resnet_e18", "bi_real_net18", "real_to_binary_net", "reactnet18", "quicknet"]

WRONG_ARGUMENTS = [
    ({"layers": ()}, "layers must hold at least one number"),
    ({"layers": (1, 0)}, "every number of layers must be an integer of at least 1. Received: 0"),
    ({"layers": "11"}, "layers must be a list of numbers. Received: '11'"),
    ({"filters": (8,)}, r"filters \(one number a stage\) must hold 2 numbers. Received: 1 \(8\). Add 1"),
    ({"filters": (8, 8, 8)}, "must hold 2 numbers. Received: 3 .* Remove 1"),
    ({"filters": (8, -8)}, "every number of filters must be an integer of at least 1. Received: -8"),
    ({"filters": (8.0, 8)}, "every number of filters must be an integer of at least 1. Received: 8.0"),
    ({"stem": "imgenet"}, "stem must be one of cifar, imagenet.*. Received: 'imgenet'. Did you mean 'imagenet'"),
    ({"width": 0}, "width .* must be above 0. Received: 0. Use 0.1 or more"),
    ({"width": "0.5"}, "width .* must be a number of at least 0. Received: '0.5'"),
    ({"classes": 1}, "classes must be an integer of at least 2. Received: 1"),
    ({"input_shape": (32, 32)}, "input_shape must hold 3 numbers. Received: 2"),
    ({"input_shape": (32, None, 3)}, "every part of input_shape must be an integer of at least 1. Received: None"),
    ({"input_shape": (8, 7, 3), "stem": "imagenet"}, "at least 8×8 pixels.*Received: 8×7"),
    ({"input_shape": (1, 2, 3)}, "at least 2×2 pixels.*Received: 1×2"),
]


@functools.cache
def imagenet_counts(name: str) -> Counts:
    return counts(networks.get(name)((224, 224, 3)))


def small(builder: Callable[..., keras.Model], binarization: Binarization | None = None, **knobs) -> keras.Model:
    """Two stages of two and one layers for images of 6×6, with the same weights each time."""
    keras.utils.set_random_seed(1)
    arguments = {"input_shape": (6, 6, 3), "classes": 3, "layers": (2, 1), "filters": (8, 16), "stem": "cifar", **knobs}
    if binarization is not None:
        arguments["binarization"] = binarization
    return builder(**arguments)


def loss_of_one_step(model: keras.Model) -> float:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    return model.train_on_batch(images, rng.integers(0, model.output_shape[-1], 4))


def unmoved(model: keras.Model) -> list[str]:
    """Trainable weights that two epochs leave as they are."""
    before = [weight.numpy() for weight in model.trainable_variables]
    rng = np.random.default_rng(0)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(rng.normal(size=(32, *model.input_shape[1:])), rng.integers(0, 3, 32), epochs=2, verbose=0)
    pairs = zip(model.trainable_variables, before, strict=True)
    return [weight.name for weight, old in pairs if not np.any(weight.numpy() != old)]


def probabilities(model: keras.Model) -> np.ndarray:
    return model(np.random.default_rng(0).normal(size=(3, *model.input_shape[1:])).astype(np.float32)).numpy()


def operators(model: keras.Model) -> dict[str, tuple[str, ...]]:
    """What each layer became; verified to compute the same."""
    return {row.layer: row.operators for row in convert(model).report.explain}

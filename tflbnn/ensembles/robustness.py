"""How much a network's output changes with noise on its input: Zhu et al. (2019), equations 1 and 2, figure 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.binarization import Binarization

Predict = Callable[[NDArray[np.float32]], NDArray[np.floating]]

# The variances that the paper names; its figure has 0.01.
VARIANCES = (0.001, 0.01, 0.1)


def output_change(predict: Predict, images: NDArray[np.float32], variance: float, rng: np.random.Generator) -> float:
    """E ‖f(x + Δx) − f(x)‖² over the images, Δx ~ N(0, variance): the inner part of equation 1.

    >>> zeros = np.zeros((1000, 2, 2, 1), np.float32)
    >>> round(output_change(lambda x: x.reshape(len(x), -1), zeros, 0.01, np.random.default_rng(0)), 2)
    0.04
    """
    change = predict(_noisy(images, variance, rng)) - predict(images)
    return float((change.astype(np.float64) ** 2).sum(axis=1).mean())


def error_change(
    predict: Predict,
    images: NDArray[np.float32],
    y: NDArray[np.integer],
    variance: float,
    rng: np.random.Generator,
    rounds: int = 10,
) -> float:
    """E (L(f(x + Δx)) − L(f(x)))² with L the share of mistakes on the images: equation 2.

    >>> images, y = np.array([[[[-1.0]]], [[[1.0]]]], np.float32), np.array([0, 1])
    >>> error_change(lambda x: np.c_[-x.ravel(), x.ravel()], images, y, 1e-6, np.random.default_rng(0))
    0.0
    """

    def mistakes(x: NDArray[np.float32]) -> float:
        return float((predict(x).argmax(axis=1) != y).mean())

    clean = mistakes(images)
    return float(np.mean([(mistakes(_noisy(images, variance, rng)) - clean) ** 2 for _ in range(rounds)]))


def random_networks(
    build: Callable[[Binarization], Any],
    binarization: Binarization,
    images: NDArray[np.float32],
    variances: Sequence[float] = VARIANCES,
    members: int = 1,
    rounds: int = 10,
    seed: int = 0,
) -> list[float]:
    """Equation 1, E_w E_Δx ‖f(x + Δx; w) − f(x; w)‖², for each variance of the noise.

    Kernels are drawn from N(0, 1). Their BatchNorms get the statistics of the images: with those they start with,
    sums of hundreds of such weights leave a softmax with nothing but zeros and ones. An ensemble is the mean of
    `members` networks, each drawn for itself.

    Args:
        build: gives the Keras model of a binarization, without dropout.
        images: in [−1, 1], (number, height, width, channels).
        rounds: how often the weights are drawn.

    Raises:
        UserError: pixels beyond ±1.
    """
    if not np.abs(images).max() <= 1:
        raise UserError(f"Images for random networks lie in [-1, 1]. Received: values up to {np.abs(images).max():g}.")
    models = [build(binarization) for _ in range(members)]
    rng = np.random.default_rng(seed)
    changes = np.zeros((rounds, len(variances)))
    for row in changes:
        for model in models:
            draw_weights(model, images, rng)

        def predict(x: NDArray[np.float32]) -> NDArray[np.floating]:
            return np.mean([model(x, training=False).numpy() for model in models], axis=0)

        row[:] = [output_change(predict, images, variance, rng) for variance in variances]
    return changes.mean(axis=0).tolist()


def draw_weights(model: Any, images: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Kernels from N(0, 1), biases 0, and BatchNorms with the statistics that the images then give them."""
    from tflbnn._keras import keras

    momenta = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            momenta[layer] = layer.momentum
            layer.momentum = 0.0  # one pass leaves the statistics of its batch
        elif layer.trainable_weights:
            for weight in layer.trainable_weights:
                kernel = weight.shape.rank > 1
                weight.assign(rng.standard_normal(weight.shape) if kernel else np.zeros(weight.shape))
    try:
        model(images, training=True)
    finally:
        for layer, momentum in momenta.items():
            layer.momentum = momentum


def _noisy(images: NDArray[np.float32], variance: float, rng: np.random.Generator) -> NDArray[np.float32]:
    if not variance > 0:
        raise UserError(f"The variance of noise must be above 0. Received: {variance}. The paper uses 0.001 to 0.1.")
    return images + rng.standard_normal(images.shape, np.float32) * np.float32(variance**0.5)

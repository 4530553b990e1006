"""What the quantizers share: checks of their settings, means of magnitudes, weights that must stay above 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tflbnn._keras import keras, tf
from tflbnn.errors import UserError, nearest


def check_t_clip(t_clip: float) -> None:
    if not 0 < t_clip < math.inf:
        raise UserError(f"t_clip must be above 0. Received: {t_clip}. The papers use 0.1 to 2.0.")


def check_count(what: str, value: int, largest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
        raise UserError(f"{what} must be an integer from 1 to {largest}. Received: {value!r}. Use 2.")


def check_threshold(value: float) -> None:
    if not 0 <= value < math.inf:
        raise UserError(f"A threshold must be at least 0. Received: {value}. The papers use 0.4 (TBN), 0.05 (TTQ).")


def check_choice(what: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UserError(f"{what} must be one of {', '.join(choices)}. Received: {value!r}. {nearest(value, choices)}")


def mean_magnitude(x: tf.Tensor, axes: Sequence[int]) -> tf.Tensor:
    """mean |x| over these axes, which stay with a size of 1; no gradient. Half precision is summed in float32.

    >>> mean_magnitude(tf.constant([[-1.0, 3.0]]), [0, 1]).numpy().tolist()
    [[2.0]]
    """
    magnitude = tf.abs(x)
    if x.dtype in (tf.float16, tf.bfloat16):
        magnitude = tf.cast(magnitude, tf.float32)
    return tf.stop_gradient(tf.cast(tf.reduce_mean(magnitude, axes, keepdims=True), x.dtype))


@keras.utils.register_keras_serializable("tflbnn")
class AtLeast(keras.constraints.Constraint):
    """Keeps trained values from falling below `low`.

    >>> AtLeast(0.5)(tf.constant([0.25, 1.0])).numpy().tolist()
    [0.5, 1.0]
    """

    def __init__(self, low: float) -> None:
        self.low = float(low)

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return tf.maximum(weights, tf.cast(self.low, weights.dtype))

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low}

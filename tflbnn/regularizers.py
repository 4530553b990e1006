"""Regularizers that draw float weights to the values they are quantized to (BNN+, section 3.2.1).

Darabi et al., "BNN+: Improved Binary Network Training" (2018), https://arxiv.org/abs/1812.11800
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

from tflbnn._keras import keras, lq, tf
from tflbnn.errors import UserError

TRAINED = "trained"


# Tracked like a layer's part, so that checkpoints and exported models find its strength.
class _AroundAlpha(keras.regularizers.Regularizer, tf.__internal__.tracking.AutoTrackable):
    """strength · sum of R(w) over a layer's weights (eq. 6); R has its minima at ±alpha.

    `strength` can be set while a model trains; see `RegularizationSchedule`.
    """

    def __init__(self, strength: float = 1e-6, alpha: float | Literal["trained"] = 1.0) -> None:
        if not 0 <= strength < math.inf or not (alpha == TRAINED or (not isinstance(alpha, str) and alpha > 0)):
            raise UserError(
                "A regularizer needs strength ≥ 0 and alpha > 0. "
                f"Received: strength={strength}, alpha={alpha}. Use strength=1e-6 and alpha=1."
            )
        self.alpha = alpha if alpha == TRAINED else float(alpha)
        self._start = float(strength)
        self._strength = tf.Variable(self._start, trainable=False, dtype=tf.float64, name="strength")
        self._trained_alpha: tf.Variable | None = None

    @property
    def strength(self) -> float:
        return float(self._strength.numpy())

    @strength.setter
    def strength(self, value: float) -> None:
        self._strength.assign(value)

    def tie(self, alpha: tf.Variable) -> None:
        """Makes a layer's trained scale the alpha of a regularizer that was made with alpha="trained"."""
        self._trained_alpha = alpha

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        weights = tf.convert_to_tensor(weights)
        if self.alpha == TRAINED:
            if self._trained_alpha is None:
                raise UserError(
                    'A regularizer with alpha="trained" needs a layer that trains it. Received: one without. '
                    "Build the layer with tflbnn.layers and scaling='trained'."
                )
            alpha = tf.cast(self._trained_alpha, weights.dtype)
        else:
            alpha = tf.cast(self.alpha, weights.dtype)
        return tf.cast(self._strength, weights.dtype) * tf.reduce_sum(self.distance(alpha - tf.abs(weights)))

    def distance(self, difference: tf.Tensor) -> tf.Tensor:
        """R of alpha − |w|."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {"strength": self._start, "alpha": self.alpha}


@lq.utils.register_keras_custom_object
class R1(_AroundAlpha):
    """Manhattan: R1(w) = |alpha − |w|| (BNN+ eq. 4).

    Its derivative to w is −sign(w) inside ±alpha and +sign(w) outside; that to alpha is sign(alpha − |w|), so that
    alpha is drawn to the median of |w| (eq. 8).

    Args:
        strength: lambda of eq. 6, at least 0; the paper uses 1e-5 to 1e-7.
        alpha: where the weights shall gather: above 0, or "trained", the scale of the layer.

    Input: weights of any shape. Output: a scalar.

    >>> w = tf.constant([1.0, -1.5, 0.25])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     loss = R1(strength=0.5)(w)
    >>> float(loss), tape.gradient(loss, w).numpy().tolist()
    (0.625, [-0.0, -0.5, -0.5])
    """

    def distance(self, difference: tf.Tensor) -> tf.Tensor:
        return tf.abs(difference)


@lq.utils.register_keras_custom_object
class R2(_AroundAlpha):
    """Euclidean: R2(w) = (alpha − |w|)² (BNN+ eq. 5).

    Its derivative to w is 2·(w − alpha·sign(w)); that to alpha is 2·(alpha − |w|), so that alpha is drawn to the mean
    of |w| (eq. 9).

    Args:
        strength: lambda of eq. 6, at least 0; the paper uses 1e-5 to 1e-7.
        alpha: where the weights shall gather: above 0, or "trained", the scale of the layer.

    Input: weights of any shape. Output: a scalar.

    >>> w = tf.constant([1.0, -1.5, 0.25])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     loss = R2(strength=0.5)(w)
    >>> float(loss), tape.gradient(loss, w).numpy().tolist()
    (0.40625, [-0.0, -0.5, -0.75])
    """

    def distance(self, difference: tf.Tensor) -> tf.Tensor:
        return tf.square(difference)


class RegularizationSchedule(keras.callbacks.Callback):
    """Sets lambda of every R1 and R2 of a model at the beginning of each epoch.

    Args:
        schedule: lambda by the epoch, which counts from 0; "gradually increase the regularization" (BNN+ 4.3) is
            `lambda epoch: 1e-6 * min(1, (epoch + 1) / 10)`.

    >>> layer = keras.layers.Dense(2, kernel_regularizer=R1(1e-6))
    >>> callback = RegularizationSchedule(lambda epoch: 1e-7 * epoch)
    >>> callback.set_model(keras.Sequential([keras.Input((3,)), layer]))
    >>> callback.on_epoch_begin(5)
    >>> layer.kernel_regularizer.strength
    5e-07
    """

    def __init__(self, schedule: Callable[[int], float]) -> None:
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for regularizer in regularizers_of(self.model):
            regularizer.strength = self.schedule(epoch)


def regularizers_of(model: keras.Model) -> Iterator[_AroundAlpha]:
    """R1 and R2 of a model's kernels, those of models inside the model included."""
    for layer in model.submodules:
        if isinstance(getattr(layer, "kernel_regularizer", None), _AroundAlpha):
            yield layer.kernel_regularizer

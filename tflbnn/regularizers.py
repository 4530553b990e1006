"""Regularizers that draw float weights to the values they are quantized to (BNN+, section 3.2.1).

Darabi et al., "BNN+: Improved Binary Network Training" (2018), https://arxiv.org/abs/1812.11800
"""

from __future__ import annotations

from typing import Any

from tflbnn._keras import keras, tf
from tflbnn.errors import UserError


class _AroundAlpha(keras.regularizers.Regularizer):
    """strength · sum of R(w) over a layer's weights (eq. 6); R has its minima at ±alpha."""

    def __init__(self, strength: float = 1e-6, alpha: float = 1.0) -> None:
        if strength < 0 or alpha <= 0:
            raise UserError(
                "A regularizer needs strength ≥ 0 and alpha > 0. "
                f"Received: strength={strength}, alpha={alpha}. Use strength=1e-6 and alpha=1."
            )
        self.strength, self.alpha = float(strength), float(alpha)

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength, "alpha": self.alpha}


@keras.utils.register_keras_serializable("tflbnn")
class R1(_AroundAlpha):
    """Manhattan: R1(w) = |alpha − |w|| (BNN+ eq. 4).

    Its derivative to w is −sign(w) inside ±alpha and +sign(w) outside.

    Args:
        strength: lambda of eq. 6, at least 0; the paper uses 1e-5 to 1e-7.
        alpha: above 0; where the weights shall gather.

    Input: weights of any shape. Output: a scalar.

    >>> float(R1(strength=0.5)(tf.constant([1.0, -1.5, 0.25])))
    0.625
    """

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return self.strength * tf.reduce_sum(tf.abs(self.alpha - tf.abs(weights)))


@keras.utils.register_keras_serializable("tflbnn")
class R2(_AroundAlpha):
    """Euclidean: R2(w) = (alpha − |w|)² (BNN+ eq. 5).

    Its derivative to w is 2·(w − alpha·sign(w)).

    Args:
        strength: lambda of eq. 6, at least 0; the paper uses 1e-5 to 1e-7.
        alpha: above 0; where the weights shall gather.

    Input: weights of any shape. Output: a scalar.

    >>> float(R2(strength=0.5)(tf.constant([1.0, -1.5, 0.25])))
    0.40625
    """

    def __call__(self, weights: tf.Tensor) -> tf.Tensor:
        return self.strength * tf.reduce_sum(tf.square(self.alpha - tf.abs(weights)))

"""Three values: activations of TBN, trained weights of TTQ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import lq, tf
from tflbnn.quantizers._common import AtLeast, check_t_clip, check_threshold, mean_magnitude

_SMALLEST_VALUE = 1e-6


@lq.utils.register_keras_custom_object
class TernaryInputs(lq.quantizers.Quantizer):
    """Activations of three values; small ones become 0.

        δ        = threshold · mean |x| of one example
        q(x)     = +1 where x > δ, −1 where x < −δ, else 0
        ∂q/∂x    = 1 where |x| ≤ t_clip, else 0

    Args:
        threshold: at least 0; 0.4 in the paper.
        t_clip: the half-width of the window that lets the gradient pass, above 0; 1 in the paper.

    Input shape: (batch, ...). Output shape: the same. The output has the input's type.

    Raises:
        UserError: t_clip is not above 0, or threshold below 0.

    Source: Wan et al., "TBN: Convolutional Neural Network with Ternary Inputs and Binary Weights" (2018), section 3.2.

    >>> x = tf.constant([[-2.0, -0.25, 0.25, 0.5]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = TernaryInputs()(x)
    >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
    ([[-1.0, 0.0, 0.0, 1.0]], [[0.0, 1.0, 1.0, 1.0]])
    """

    precision = 2

    def __init__(self, threshold: float = 0.4, t_clip: float = 1.0, **kwargs: Any) -> None:
        check_threshold(threshold)
        check_t_clip(t_clip)
        super().__init__(**kwargs)
        self.threshold, self.t_clip = float(threshold), float(t_clip)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        delta = mean_magnitude(inputs, list(range(1, inputs.shape.rank)))
        return ternary(inputs, self.threshold * delta, self.t_clip)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold, "t_clip": self.t_clip}


def ternary(x: tf.Tensor, delta: tf.Tensor, t_clip: float) -> tf.Tensor:
    """+1 above delta, -1 below -delta, else 0; the gradient passes within ±t_clip."""

    @tf.custom_gradient
    def three(x: tf.Tensor, delta: tf.Tensor) -> tf.Tensor:
        def grad(dy: tf.Tensor) -> tuple[tf.Tensor, None]:
            return tf.where(tf.abs(x) <= t_clip, dy, tf.zeros_like(dy)), None

        return tf.sign(tf.nn.relu(x - delta)) - tf.sign(tf.nn.relu(-x - delta)), grad

    return three(x, delta)


@lq.utils.register_keras_custom_object
class TrainedTernary(lq.quantizers.Quantizer):
    """Weights of three values, of which the positive and the negative one are trained.

        Δ        = threshold · max |w| of the layer
        q(w)     = p where w > Δ, −n where w < −Δ, else 0
        ∂q/∂w    = p where w > Δ, n where w < −Δ, else 1                  (TTQ eq. 8)
        ∂q/∂p    = 1, summed over w > Δ;  ∂q/∂n = −1, summed over w < −Δ   (TTQ eq. 7, which leaves out the sign of −n)

    Args:
        threshold: at least 0; 0.05 in the paper. p and n start at the mean magnitude of the weights that become them,
            and stay at least 1e-6.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: threshold is below 0.

    Source: Zhu et al., "Trained Ternary Quantization" (2017), section 4, https://arxiv.org/abs/1612.01064.

    >>> quantizer = TrainedTernary()
    >>> w = tf.constant([-0.5, -0.01, 0.25, 0.75])
    >>> quantizer.build(w.shape)
    >>> quantizer.start_from(w.numpy())
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     y = quantizer(w)
    >>> y.numpy().tolist(), tape.gradient(y, w).numpy().tolist()
    ([-0.5, 0.0, 0.5, 0.5], [0.5, 1.0, 0.5, 0.5])
    """

    precision = 2

    def __init__(self, threshold: float = 0.05, **kwargs: Any) -> None:
        check_threshold(threshold)
        super().__init__(**kwargs)
        self.threshold = float(threshold)

    def build(self, input_shape: Any) -> None:
        smallest = AtLeast(_SMALLEST_VALUE)
        self.positive = self.add_weight("positive", (), initializer="ones", constraint=smallest)
        self.negative = self.add_weight("negative", (), initializer="ones", constraint=smallest)
        super().build(input_shape)

    def start_from(self, weights: NDArray[Any]) -> None:
        """Sets the two values to where these weights, the layer's own, make them start."""
        delta = self.threshold * np.abs(weights).max(initial=0)
        for value, chosen in ((self.positive, weights[weights > delta]), (self.negative, -weights[weights < -delta])):
            value.assign(max(float(chosen.mean()), _SMALLEST_VALUE) if chosen.size else 1.0)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        delta = self.threshold * tf.reduce_max(tf.abs(inputs))
        return trained_ternary(
            inputs, delta, tf.cast(self.positive, inputs.dtype), tf.cast(self.negative, inputs.dtype)
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}


@tf.custom_gradient
def trained_ternary(w: tf.Tensor, delta: tf.Tensor, positive: tf.Tensor, negative: tf.Tensor) -> tf.Tensor:
    """`positive` above delta, -`negative` below -delta, else 0; see `TrainedTernary`."""
    above, below = tf.cast(w > delta, w.dtype), tf.cast(w < -delta, w.dtype)

    def grad(dy: tf.Tensor) -> tuple[tf.Tensor, None, tf.Tensor, tf.Tensor]:
        slope = above * positive + below * negative + (1 - above - below)
        return dy * slope, None, tf.reduce_sum(dy * above), -tf.reduce_sum(dy * below)

    return above * positive - below * negative, grad

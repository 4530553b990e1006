"""DoReFa's quantizers to k bits."""

from __future__ import annotations

from typing import Any

from tflbnn._keras import lq, tf
from tflbnn.quantizers._common import check_count, mean_magnitude

LARGEST_K = 8  # above, a network is better served by the usual integer quantization


class _DoReFa(lq.quantizers.DoReFa):
    mode = "activations"

    def __init__(self, k_bit: int = 2, **kwargs: Any) -> None:
        check_count("k_bit", k_bit, LARGEST_K)
        kwargs.pop("mode", None)
        super().__init__(k_bit=k_bit, mode=type(self).mode, **kwargs)


@lq.utils.register_keras_custom_object
class DoReFaInputs(_DoReFa):
    """Activations of k bits, in equal steps from 0 to 1.

        q(x)     = round(n·min(max(x, 0), 1)) / n, n = 2^k − 1; a half is rounded to the even neighbour
        ∂q/∂x    = 1 where 0 ≤ x ≤ 1, else 0

    Args:
        k_bit: k, from 1 to 8.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: k_bit is no such number.

    Source: Zhou et al., "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth Gradients"
    (2016), eq. 5 and 12, https://arxiv.org/abs/1606.06160.

    >>> x = tf.constant([-1.0, 0.0, 0.3, 0.6, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = DoReFaInputs(k_bit=1)(x)
    >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
    ([0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0, 0.0])
    """


@lq.utils.register_keras_custom_object
class DoReFaWeights(_DoReFa):
    """Weights of k bits: scaled signs of one bit, or equal steps from -1 to 1 after a tanh.

        k = 1:   q(w)  = mean |w| · sign(w), the mean over the whole layer
                 ∂q/∂w = 1
        k > 1:   q(w)  = 2·round(n·(tanh(w) / (2·m) + ½)) / n − 1, n = 2^k − 1, m = max |tanh w| of the layer
                 ∂q/∂w = (1 − tanh²(w)) / m                        (m is taken as a constant, as Larq does)

    Args:
        k_bit: k, from 1 to 8.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: k_bit is no such number.

    Source: Zhou et al., "DoReFa-Net" (2016), eq. 8 and 9, https://arxiv.org/abs/1606.06160.

    >>> w = tf.constant([-1.0, 0.0, 0.25, 1.0])
    >>> with tf.GradientTape(persistent=True) as tape:
    ...     tape.watch(w)
    ...     one, two = DoReFaWeights(k_bit=1)(w), DoReFaWeights(k_bit=2)(w)
    >>> one.numpy().tolist(), tape.gradient(one, w).numpy().tolist()
    ([-0.5625, 0.5625, 0.5625, 0.5625], [1.0, 1.0, 1.0, 1.0])
    >>> [round(value, 3) for value in two.numpy().tolist() + tape.gradient(two, w).numpy().tolist()]
    [-1.0, 0.333, 0.333, 1.0, 0.551, 1.313, 1.234, 0.551]
    """

    mode = "weights"

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if self.precision > 1:
            return super().call(inputs)
        scale = mean_magnitude(inputs, list(range(inputs.shape.rank)))
        return scaled_sign(inputs, scale)


@tf.custom_gradient
def scaled_sign(w: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """scale · sign(w), whose gradient is 1 whatever the scale."""
    return scale * lq.math.sign(w), lambda dy: (dy, None)

"""What takes an input quantizer's place in networks of full precision: their activations."""

from __future__ import annotations

from tflbnn._keras import lq, tf


@lq.utils.register_keras_custom_object
class InputReLU(lq.quantizers.Quantizer):
    """Takes an input quantizer's place in the float twin: the activation in front of a full-precision convolution.

        q(x)     = max(x, 0)
        ∂q/∂x    = 1 where x > 0, else 0

    Input and output shape: any, the same.

    >>> InputReLU()(tf.constant([-1.0, 0.0, 2.0])).numpy().tolist()
    [0.0, 0.0, 2.0]
    """

    precision = 32

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.relu(inputs)


@lq.utils.register_keras_custom_object
class HTanh(lq.quantizers.Quantizer):
    """The sign's stand-in while a network is pretrained in full precision: what a straight-through sign derives.

        q(x)     = min(max(x, −1), 1)
        ∂q/∂x    = 1 where |x| ≤ 1, else 0

    Input and output shape: any, the same.

    Source: Darabi et al., "BNN+" (2018), sections 2 and 4.2, https://arxiv.org/abs/1812.11800, after Liu et al.,
    "Bi-Real Net" (2018).

    >>> x = tf.constant([-2.0, -1.0, 0.25])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = HTanh()(x)
    >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
    ([-1.0, -1.0, 0.25], [0.0, 1.0, 1.0])
    """

    precision = 32

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.clip_by_value(inputs, -1, 1)

"""Signs that differ in their gradients: what a value becomes is +1 or -1 in all of them."""

from __future__ import annotations

import math
from typing import Any

from tflbnn._keras import keras, lq, tf
from tflbnn.errors import UserError
from tflbnn.quantizers._common import AtLeast, check_t_clip

ste_sign = lq.quantizers.ste_sign


@keras.utils.register_keras_serializable("tflbnn")
class SteSign(lq.quantizers.SteSign):
    """Sign with a straight-through estimator that cancels the gradient of large inputs.

        q(x)     = +1 where x ≥ 0, else −1             (so q(0) = q(−0.0) = +1)
        ∂q/∂x    = 1 where |x| ≤ t_clip, else 0        (both ends of the window belong to it)

    A NaN stays a NaN, so that a training which diverged shows it, and passes no gradient. An exported model has bits
    only and turns it into ±1.

    Args:
        t_clip: the half-width of the window, above 0. LTB swept 0.1 to 2.0 (best 0.5 to 0.75); BDN used 1.25 and 1.3.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: t_clip is not above 0.

    Source: Bethge et al., "Learning to Train a Binary Neural Network" (2018), eq. 2, https://arxiv.org/abs/1809.10463;
    Bethge et al., "Back to Simplicity" (2019), eq. 2-3, https://arxiv.org/abs/1906.08637.

    Its name as a string is "tflbnn>SteSign". Its configuration is that of Larq's SteSign, so that Keras's HDF5 format,
    which knows classes by their bare names, loads either.

    >>> quantizer = SteSign(t_clip=0.5)
    >>> x = tf.constant([-0.6, -0.5, -0.0, 0.0, 0.4, 2.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = quantizer(x)
    >>> y.numpy().tolist()
    [-1.0, -1.0, 1.0, 1.0, 1.0, 1.0]
    >>> tape.gradient(y, x).numpy().tolist()
    [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    """

    def __init__(self, t_clip: float = 1.0, **kwargs: Any) -> None:
        check_t_clip(t_clip)
        super().__init__(clip_value=t_clip, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> SteSign:
        config = dict(config)
        return cls(t_clip=config.pop("clip_value", 1.0), **config)  # without it, by its name alone


@keras.utils.register_keras_serializable("tflbnn")
class ApproxSign(lq.quantizers.ApproxSign):
    """Sign whose gradient is that of a piecewise quadratic function close to it.

        q(x)     = +1 where x ≥ 0, else −1
        ∂q/∂x    = 2 − 2·|x| where |x| ≤ 1, else 0     (the triangle; its window is fixed)

    Input and output shape: any, the same. The output has the input's type.

    Source: Liu et al., "Bi-Real Net: Enhancing the Performance of 1-bit CNNs with Improved Representational Capability
    and Advanced Training Algorithm" (2018), section 3.3, https://arxiv.org/abs/1808.00278.

    >>> x = tf.constant([-2.0, -0.75, -0.0, 0.25, 1.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = ApproxSign()(x)
    >>> y.numpy().tolist()
    [-1.0, -1.0, 1.0, 1.0, 1.0]
    >>> tape.gradient(y, x).numpy().tolist()
    [0.0, 0.5, 2.0, 1.5, 0.0]
    """


@keras.utils.register_keras_serializable("tflbnn")
class MagnitudeAwareSign(lq.quantizers.MagnitudeAwareSign):
    """Sign of weights times the mean magnitude of their filter, so that large filters get large gradients.

        q(w)     = alpha · (+1 where w ≥ 0, else −1)
        ∂q/∂w    = alpha where |w| ≤ t_clip, else 0    (alpha is taken as a constant)
        alpha    = mean |w| of a filter, the last axis

    The weights are ±alpha in training. What is exported are their signs, 1 bit each; alpha becomes part of the
    multiplication that follows the convolution, with batch normalization's.

    Args:
        t_clip: the half-width of the window, above 0; 1 in the paper.

    Input shape: (..., filters). Output shape: the same.

    Raises:
        UserError: t_clip is not above 0.

    Source: Liu et al., "Bi-Real Net" (2018), section 3.3, "magnitude-aware gradient",
    https://arxiv.org/abs/1808.00278.

    >>> w = tf.constant([[-0.5, 3.0], [0.25, -1.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     y = MagnitudeAwareSign()(w)
    >>> y.numpy().tolist()
    [[-0.375, 2.0], [0.375, -2.0]]
    >>> tape.gradient(y, w).numpy().tolist()
    [[0.375, 0.0], [0.375, 2.0]]
    """

    def __init__(self, t_clip: float = 1.0, **kwargs: Any) -> None:
        check_t_clip(t_clip)
        super().__init__(clip_value=t_clip, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MagnitudeAwareSign:
        config = dict(config)
        return cls(t_clip=config.pop("clip_value", 1.0), **config)


@tf.custom_gradient
def sign_swish(x: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """The sign of x with the gradient of BNN+ eq. 3; see `SignSwish`."""

    def grad(dy: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # 1 / (1 + cosh z) = 2·s(z)·s(-z), which does not overflow; behind ±60 it is 0, also of what is infinite.
        inside = tf.abs(beta * x) < 60
        z = tf.clip_by_value(beta * x, -60, 60)
        slope = 2 * (2 - z * tf.tanh(z / 2)) * tf.sigmoid(z) * tf.sigmoid(-z)
        zero = tf.zeros_like(x)
        slope = tf.where(inside, slope, zero)
        return dy * beta * slope, tf.reduce_sum(dy * tf.where(inside, x * slope, zero))

    return lq.math.sign(x), grad


@lq.utils.register_keras_custom_object
class SignSwish(lq.quantizers.Quantizer):
    """Sign whose gradient is that of SignSwish, a smooth function close to it that has no hard window.

        q(x)     = +1 where x ≥ 0, else −1
        SS(x)    = 2·s(βx)·[1 + βx·(1 − s(βx))] − 1, s the sigmoid             (BNN+ eq. 2)
        ∂q/∂x    = ∂SS/∂x = β·(2 − βx·tanh(βx/2)) / (1 + cosh(βx))             (BNN+ eq. 3)
        ∂q/∂β    = ∂SS/∂β = x·(2 − βx·tanh(βx/2)) / (1 + cosh(βx)), summed over all x

    The gradient is β at 0, is 0 near |x| = 2.4/β, and a little below 0 beyond: a weight out there still moves.

    Args:
        beta: above 0; 5, 10 and 20 in the paper. Larger values come closer to the sign.
        trainable_beta: beta is trained with the network, from this value on, and stays at least 0.1.

    Input and output shape: any, the same. The output has the input's type.

    Raises:
        UserError: beta is not above 0.

    Source: Darabi et al., "BNN+: Improved Binary Network Training" (2018), section 3.2,
    https://arxiv.org/abs/1812.11800.

    >>> quantizer = SignSwish(beta=5.0)
    >>> x = tf.constant([-0.48, -0.0, 0.25, 9.0])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = quantizer(x)
    >>> y.numpy().tolist()
    [-1.0, 1.0, 1.0, 1.0]
    >>> [round(slope, 4) for slope in tape.gradient(y, x).numpy().tolist()]
    [-0.0006, 5.0, 2.262, -0.0]
    """

    precision = 1

    def __init__(self, beta: float = 5.0, trainable_beta: bool = False, **kwargs: Any) -> None:
        if not 0 < beta < math.inf:
            raise UserError(f"beta must be above 0. Received: {beta}. The paper uses 5, 10 and 20.")
        super().__init__(**kwargs)
        self.beta, self.trainable_beta = float(beta), trainable_beta

    def build(self, input_shape: Any) -> None:
        if self.trainable_beta:
            start = keras.initializers.Constant(self.beta)
            self.trained = self.add_weight("beta", (), initializer=start, constraint=AtLeast(0.1))
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        beta = tf.cast(self.trained, inputs.dtype) if self.trainable_beta else tf.constant(self.beta, inputs.dtype)
        return sign_swish(inputs, beta)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "beta": self.beta, "trainable_beta": self.trainable_beta}

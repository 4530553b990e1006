"""Quantizers on Larq's base: each states its forward pass, its gradient, its shapes and where it comes from.

The maths with its custom gradient is a function that can be called without Keras; the class holds the configuration.
What else is known of a quantizer (bits, exportable, ...) is declared in `tflbnn.binarization.QUANTIZERS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tflbnn._keras import keras, lq, tf
from tflbnn.binarization import QUANTIZERS, Binarization
from tflbnn.errors import UserError

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
        _check_t_clip(t_clip)
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
        _check_t_clip(t_clip)
        super().__init__(clip_value=t_clip, **kwargs)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MagnitudeAwareSign:
        config = dict(config)
        return cls(t_clip=config.pop("clip_value", 1.0), **config)


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


def _check_t_clip(t_clip: float) -> None:
    if not 0 < t_clip < math.inf:
        raise UserError(f"t_clip must be above 0. Received: {t_clip}. The papers use 0.1 to 2.0.")


def build(name: str, binarization: Binarization) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """A new quantizer of that name with the binarization's settings; None for "float32".

    >>> build("ste_sign", Binarization(t_clip=0.5)).clip_value
    0.5
    """
    facts = QUANTIZERS[name]
    if facts.factory is None:
        return None
    return globals()[facts.factory](**{field: getattr(binarization, field) for field in facts.arguments})


def bits(quantizer: Callable[[tf.Tensor], tf.Tensor] | None) -> int:
    """Bits of one value that a layer's quantizer gives, as Larq's base declares them; 32 for none.

    >>> bits(SteSign()), bits(InputReLU()), bits(None)
    (1, 32, 32)
    """
    # NoOp only marks a variable with a precision; its values stay floats.
    if isinstance(quantizer, lq.quantizers.Quantizer) and not isinstance(quantizer, lq.quantizers.NoOp):
        return quantizer.precision or 32
    return 32

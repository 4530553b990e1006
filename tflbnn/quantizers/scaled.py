"""Scales of binary weights: taken from their magnitudes, or trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._keras import lq, tf
from tflbnn.quantizers._common import AtLeast, check_choice, mean_magnitude

SCALINGS = ("none", "backward", "both", "xnor", "trained")
STARTS = ("mean", "median", "percentile75")
_SMALLEST_SCALE = 1e-6


@lq.utils.register_keras_custom_object
class ScaledSign(lq.quantizers.Quantizer):
    """A sign of weights with a scale alpha, one a filter (or, of a dense layer, one a column) or one a layer.

        alpha     = mean |w| of the filter's n weights; with "trained" a weight of its own
        q(w)      = alpha · sign(w); with "none" and "backward" sign(w)

    and, with ∂sign/∂w what the wrapped sign has as its gradient and ∂q/∂w what multiplies the incoming gradient:

        "none"      ∂q/∂w = ∂sign/∂w                    (N of LTB 4.1)
        "backward"  ∂q/∂w = alpha · ∂sign/∂w            (B)
        "both"      ∂q/∂w = alpha · ∂sign/∂w            (FB; of one scale a filter: Bi-Real Net's MagnitudeAwareSign)
        "xnor"      ∂q/∂w = alpha · ∂sign/∂w + 1/n      (XNOR-Net's formula for the gradient of alpha · sign(w))
        "trained"   ∂q/∂w = alpha · ∂sign/∂w and ∂q/∂alpha = sign(w), summed over the filter (BNN+, algorithm 1)

    In the exported model the weights are signs, 1 bit each; alpha becomes part of the multiplication that follows.

    Args:
        sign: the wrapped sign, such as `SteSign(0.5)` or `SignSwish(5)`.
        scaling: one of the five above.
        per: "filter" or "layer". LTB follows DoReFa, whose scale is one a layer; XNOR-Net's is one a filter, BNN+ tries
            both.
        centred: first the mean over the input channels is subtracted, of each filter and position by itself, as
            XNOR-Net's published code does.
        start: what of |w| a trained alpha starts at, once the weights have their first values: "mean", "median" or
            "percentile75" (BNN+ eq. 8-9 and 4.1). It stays at least 1e-6.

    Input shape: (..., channels, filters). Output shape: the same.

    Raises:
        UserError: none of the choices.

    Source: Bethge et al., "Learning to Train a Binary Neural Network" (2018), section 4.1, https://arxiv.org/abs/1809.10463;
    Rastegari et al., "XNOR-Net" (2016), sections 3.1-3.2, https://arxiv.org/abs/1603.05279; Darabi et al., "BNN+"
    (2018), section 3.3, https://arxiv.org/abs/1812.11800.

    >>> from tflbnn.quantizers import SteSign
    >>> w = tf.constant([[-0.5, 3.0], [0.25, -1.0]])
    >>> with tf.GradientTape() as tape:
    ...     tape.watch(w)
    ...     y = ScaledSign(SteSign(1.0), "xnor")(w)
    >>> y.numpy().tolist()
    [[-0.375, 2.0], [0.375, -2.0]]
    >>> tape.gradient(y, w).numpy().tolist()
    [[0.875, 0.5], [0.875, 2.5]]
    """

    precision = 1

    def __init__(
        self,
        sign: Any = "ste_sign",
        scaling: str = "none",
        per: str = "filter",
        centred: bool = False,
        start: str = "mean",
        **kwargs: Any,
    ) -> None:
        check_choice("scaling", scaling, SCALINGS)
        check_choice("per", per, ("filter", "layer"))
        check_choice("start", start, STARTS)
        super().__init__(**kwargs)
        self.sign = lq.quantizers.get(sign)
        self.scaling, self.per, self.centred, self.start = scaling, per, centred, start

    def build(self, input_shape: Any) -> None:
        if self.scaling == "trained":
            shape = (input_shape[-1],) if self.per == "filter" else ()
            self.alpha = self.add_weight("alpha", shape, initializer="ones", constraint=AtLeast(_SMALLEST_SCALE))
        super().build(input_shape)

    def start_from(self, weights: NDArray[Any]) -> None:
        """Sets what is trained here to where these weights, the layer's own, make it start."""
        if self.scaling == "trained":
            if self.centred:
                weights = weights - weights.mean(axis=-2, keepdims=True)
            self.alpha.assign(np.maximum(start_of(weights, self.start, self.per), _SMALLEST_SCALE))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        if self.centred:
            inputs = inputs - tf.reduce_mean(inputs, axis=-2, keepdims=True)
        signs = tf.cast(self.sign(inputs), inputs.dtype)
        if self.scaling == "none":
            return signs
        if self.scaling == "trained":
            return tf.cast(self.alpha, signs.dtype) * signs
        axes = list(range(inputs.shape.rank - (self.per == "filter")))
        alpha = mean_magnitude(inputs, axes)
        if self.scaling == "backward":
            return _scale_gradient(signs, alpha)
        if self.scaling == "both":
            return alpha * signs
        return _pass_gradient(alpha * signs, inputs, alpha.shape.num_elements() / inputs.shape.num_elements())

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "sign": lq.quantizers.serialize(self.sign),
            "scaling": self.scaling,
            "per": self.per,
            "centred": self.centred,
            "start": self.start,
        }


def start_of(weights: NDArray[Any], start: str, per: str = "filter") -> NDArray[Any]:
    """The median, the mean or the 75th percentile of |w|: (filters,), or of all weights a scalar.

    >>> start_of(np.array([[1.0, -2.0], [-3.0, 2.0], [2.0, 5.0]]), "median").tolist()
    [2.0, 2.0]
    """
    magnitudes = np.abs(weights).reshape(-1, weights.shape[-1] if per == "filter" else 1)
    found = {
        "mean": lambda: magnitudes.mean(axis=0),
        "median": lambda: np.median(magnitudes, axis=0),
        "percentile75": lambda: np.percentile(magnitudes, 75, axis=0),
    }[start]()
    return found if per == "filter" else found[0]


@tf.custom_gradient
def _scale_gradient(values: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    """`values`; their gradient is multiplied by `scale`."""
    return tf.identity(values), lambda dy: (dy * scale, None)


def _pass_gradient(values: tf.Tensor, source: tf.Tensor, share: float) -> tf.Tensor:
    """`values`; of their gradient this share also goes to `source`, element by element."""

    @tf.custom_gradient
    def passing(values: tf.Tensor, source: tf.Tensor) -> tf.Tensor:
        return tf.identity(values), lambda dy: (dy, dy * share)

    return passing(values, source)

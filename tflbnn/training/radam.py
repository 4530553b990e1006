"""RAdam: Adam that waits with its adaptive steps until it knows the gradients' variance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tflbnn._keras import keras, tf


class RAdam(keras.optimizers.Optimizer):
    """Rectified Adam, which tf-keras has not.

        m     ← β1·m + (1 − β1)·g,   v ← β2·v + (1 − β2)·g²
        ρ∞    = 2/(1 − β2) − 1,      ρ = ρ∞ − 2·t·β2^t / (1 − β2^t)
        w     ← w − rate · r · m̂ / (√v̂ + ε) where ρ > 4, else w − rate · m̂
        r     = √((ρ − 4)(ρ − 2)ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)ρ)),  m̂ = m/(1 − β1^t),  v̂ = v/(1 − β2^t)

    Source: Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond" (2020), algorithm 2,
    https://arxiv.org/abs/1908.03265.

    >>> w = tf.Variable(1.0)
    >>> radam = RAdam(0.1)
    >>> radam.build([w])
    >>> _ = radam.apply_gradients([(tf.constant(2.0), w)])
    >>> round(float(w), 6)
    0.8
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str = "radam",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self._learning_rate = self._build_learning_rate(learning_rate)

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        super().build(var_list)
        if not getattr(self, "_built", False):
            self.means = [self.add_variable_from_reference(variable, "m") for variable in var_list]
            self.variances = [self.add_variable_from_reference(variable, "v") for variable in var_list]
        self._built = True

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        index = self._index_dict[self._var_key(variable)]
        mean, variance = self.means[index], self.variances[index]
        step = tf.cast(self.iterations + 1, variable.dtype)
        rate = tf.cast(self.learning_rate, variable.dtype)
        power_1, power_2 = self.beta_1**step, self.beta_2**step
        mean.assign_add((1 - self.beta_1) * (gradient - mean))
        variance.assign_add((1 - self.beta_2) * (tf.square(gradient) - variance))
        longest = 2 / (1 - self.beta_2) - 1
        length = longest - 2 * step * power_2 / (1 - power_2)
        known = tf.maximum(length, 4.0)  # keeps the root real where it is not used
        rectification = tf.sqrt((known - 4) * (known - 2) * longest / ((longest - 4) * (longest - 2) * known))
        unbiased = mean / (1 - power_1)
        adaptive = rectification * unbiased / (tf.sqrt(variance / (1 - power_2)) + self.epsilon)
        variable.assign_sub(rate * tf.where(length > 4, adaptive, unbiased))

    def get_config(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in ("beta_1", "beta_2", "epsilon")}
        return {
            **super().get_config(),
            "learning_rate": self._serialize_hyperparameter(self._learning_rate),
            **fields,
        }

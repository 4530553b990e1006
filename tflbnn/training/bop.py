"""Bop, the optimizer that flips binary weights instead of moving latent ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tflbnn._keras import keras, tf


class Bop(keras.optimizers.Optimizer):
    """Flips a weight when the mean of its gradients points beyond it for long enough.

        m  ← (1 − gamma) · m + gamma · gradient
        w  ← −sign(w) where sign(w) · m > threshold, else sign(w)

    The weights are ±1 from the first step on, or what a constraint makes of that. Larq has it for Keras's old
    optimizers, whose state does not go into a checkpoint before the first step.

    Args:
        learning_rate: gamma, which a schedule lowers like a learning rate (section 5).
        threshold: how long is long enough; at least 0.

    Source: Helwegen et al., "Latent Weights Do Not Exist" (2019), algorithm 1, https://arxiv.org/abs/1906.02107.

    >>> w = tf.Variable([1.0, -1.0, 0.5])
    >>> bop = Bop(0.1, threshold=0.05)
    >>> bop.build([w])
    >>> for _ in range(2):
    ...     _ = bop.apply_gradients([(tf.constant([1.0, 1.0, 0.1]), w)])
    >>> w.numpy().tolist()
    [-1.0, -1.0, 1.0]
    """

    def __init__(self, learning_rate: float = 1e-4, threshold: float = 1e-8, name: str = "bop", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.threshold = threshold
        self._learning_rate = self._build_learning_rate(learning_rate)

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        super().build(var_list)
        if not getattr(self, "_built", False):
            self.means = [self.add_variable_from_reference(variable, "m") for variable in var_list]
        self._built = True

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable) -> None:
        mean = self.means[self._index_dict[self._var_key(variable)]]
        gamma = tf.cast(self.learning_rate, variable.dtype)
        mean.assign_add(gamma * (gradient - mean))
        sign = tf.where(variable >= 0, tf.ones_like(variable), -tf.ones_like(variable))
        variable.assign(tf.where(sign * mean > self.threshold, -sign, sign))

    def get_config(self) -> dict[str, Any]:
        learning_rate = self._serialize_hyperparameter(self._learning_rate)
        return {**super().get_config(), "learning_rate": learning_rate, "threshold": self.threshold}

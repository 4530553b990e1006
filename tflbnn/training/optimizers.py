"""Optimizers by role: one for binary kernels, one for everything else, with one schedule for both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tflbnn._keras import keras, tf
from tflbnn.errors import UserError
from tflbnn.training.bop import Bop
from tflbnn.training.radam import RAdam

if TYPE_CHECKING:
    from tflbnn.recipes import Optimizer

BOP_GAMMA = 1e-4


def is_binary_kernel(layer: keras.layers.Layer) -> bool:
    """Whether a layer's kernel is quantized to one bit: the predicate that divides the variables by their role.

    >>> from tflbnn import Binarization, layers
    >>> is_binary_kernel(layers.dense(Binarization(), 3)), is_binary_kernel(keras.layers.Dense(3))
    (True, False)
    """
    return getattr(getattr(layer, "kernel_quantizer", None), "precision", 32) == 1


def binary_kernels(model: keras.Model) -> list[tf.Variable]:
    """The variables that the binary optimizer trains."""
    layers = [layer for layer in model.submodules if is_binary_kernel(layer) and hasattr(layer, "kernel")]
    # Larq keeps the float weights in a variable of their own, by another name of which the model may know them.
    kernels = {kernel.ref() for layer in layers for kernel in (layer.kernel, latent(layer))}
    return [variable for variable in model.trainable_variables if variable.ref() in kernels]


def latent(layer: keras.layers.Layer) -> tf.Variable:
    """The float weights behind a layer's kernel."""
    return getattr(layer.kernel, "latent_variable", layer.kernel)


def make(optimizer: Optimizer, model: keras.Model) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe for this model.

    Raises:
        UserError: an optimizer for binary kernels, and none in the model.
    """
    other = _make(optimizer.name, optimizer.learning_rate, optimizer)
    if optimizer.binary == "same":
        return other
    kernels = binary_kernels(model)
    if not kernels:
        raise UserError(
            f"An optimizer for binary kernels needs some. Received: optimizer.binary={optimizer.binary} for "
            f"{model.name}, which has none. Set optimizer.binary=same."
        )
    usual = BOP_GAMMA if optimizer.binary == "bop" else optimizer.learning_rate
    binary = _make(optimizer.binary, optimizer.binary_learning_rate or usual, optimizer)
    return ByRole(binary, other, kernels)


def _make(name: str, learning_rate: float, optimizer: Optimizer) -> keras.optimizers.Optimizer:
    if name == "sgd":
        return keras.optimizers.SGD(learning_rate, momentum=optimizer.momentum)
    if name == "bop":
        return Bop(learning_rate, threshold=optimizer.threshold)
    return {"adam": keras.optimizers.Adam, "radam": RAdam}[name](learning_rate)


class ByRole(keras.optimizers.Optimizer):
    """Trains binary kernels with one optimizer, the other variables with another.

    Its learning rate is the latter's; the former's stays in the ratio to it that both began with.

    Args:
        binary, other: the optimizers.
        kernels: the variables that `binary` trains.
    """

    def __init__(
        self,
        binary: keras.optimizers.Optimizer,
        other: keras.optimizers.Optimizer,
        kernels: Sequence[tf.Variable],
    ) -> None:
        super().__init__(name="by_role")
        self.binary, self.other = binary, other
        self._kernels = {kernel.ref() for kernel in kernels}
        self._learning_rate = self._build_learning_rate(float(other.learning_rate.numpy()))
        self._ratio = float(binary.learning_rate.numpy()) / float(other.learning_rate.numpy())

    def _parts(self, pairs: Sequence[Any], variable_of: Any) -> tuple[list[Any], list[Any]]:
        binary = [pair for pair in pairs if variable_of(pair).ref() in self._kernels]
        return binary, [pair for pair in pairs if variable_of(pair).ref() not in self._kernels]

    def build(self, var_list: Sequence[tf.Variable]) -> None:
        super().build(var_list)
        binary, other = self._parts(var_list, lambda variable: variable)
        self.binary.build(binary)
        self.other.build(other)

    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, **kwargs: Any) -> tf.Variable:
        binary, other = self._parts(list(grads_and_vars), lambda pair: pair[1])
        self.other.learning_rate.assign(self._learning_rate)
        self.binary.learning_rate.assign(self._learning_rate * self._ratio)
        self.other.apply_gradients(other, name=name, **kwargs)
        self.binary.apply_gradients(binary, name=name, **kwargs)
        return self.iterations.assign_add(1)

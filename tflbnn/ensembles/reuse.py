"""The compiled model of a process's last member, for the next one: tracing a small network takes as long as its epochs.

Nothing else is taken over. Weights are those that the next member's seed gives, and the optimizer is as it was made,
without moments or steps. Networks whose layers draw random numbers are compiled anew: what they draw has a state.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

if TYPE_CHECKING:
    from tflbnn.data import Dataset
    from tflbnn.ensembles.tasks import Plain
    from tflbnn.recipes import Recipe


@dataclasses.dataclass
class Prepared:
    """A member's network.

    Attributes:
        whole: from images to probabilities. trained: what `fit` trains; the same, or up to the logits.
        plain: what tells the outputs, in float32 whatever `trained` computes in.
    """

    whole: Any
    trained: Any
    plain: Any
    key: str
    optimizer: list[NDArray[Any]]


_last: list[Prepared] = []


def prepare(recipe: Recipe, dataset: Dataset, task: Plain, regresses: bool) -> Prepared:
    """The recipe's network with first weights of its seed, compiled for a task.

    Args:
        regresses: the logits are trained, for a task that `tflbnn.training.fit.build` does not know.
    """
    from tflbnn._keras import keras
    from tflbnn.training import fit

    fresh = fit.build(recipe, dataset)
    key = _key(recipe, dataset, type(task).__name__)
    if _last and _last[0].key == key:
        known = _last[0]
        known.whole.set_weights(fresh.get_weights())
        for variable, value in zip(known.trained.optimizer.variables, known.optimizer, strict=True):
            variable.assign(value)
        return known
    trained = fresh
    if regresses:
        trained = _logits(fresh)
        task.compile(trained, _optimizer(recipe, trained), recipe.execution)
    plain = trained
    if any(layer.compute_dtype != "float32" for layer in fresh.layers):
        plain = recipe.network.build(dataset.input_shape, dataset.classes, recipe.binarization)
        plain = keras.Model(plain.inputs, plain.get_layer("logits").output) if regresses else plain
    made = Prepared(fresh, trained, plain, key, [variable.numpy() for variable in trained.optimizer.variables])
    _last[:] = [] if recipe.loss.teacher or _draws(fresh) else [made]
    return made


def _optimizer(recipe: Recipe, model: Any) -> Any:
    from tflbnn.training import optimizers

    return optimizers.make(recipe.optimizer, model)


def _logits(model: Any) -> Any:
    """Up to the logits; sums of squares of them are float32 whatever the network computes in."""
    from tflbnn._keras import keras

    return keras.Model(
        model.inputs, keras.layers.Activation("linear", dtype="float32")(model.get_layer("logits").output)
    )


def _key(recipe: Recipe, dataset: Dataset, task: str) -> str:
    """What decides the compiled functions; neither the seed nor the number of epochs does."""
    values = recipe.to_dict()
    parts = {
        name: values[name] for name in ("network", "binarization", "optimizer", "loss", "augmentation", "execution")
    }
    return json.dumps([parts, dataset.input_shape, dataset.classes, task], sort_keys=True)


def _draws(model: Any) -> bool:
    return any(hasattr(layer, "_random_generator") for layer in model.submodules)

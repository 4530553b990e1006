"""What an oracle draws and what the recipe's fields become with it. Loads neither TensorFlow nor Keras Tuner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tflbnn.recipes.tunable import Choice
from tflbnn.tuning.space import Space

if TYPE_CHECKING:
    from keras_tuner import HyperParameters

DIGITS = 4  # of a float drawn from a range: what the table shows is what was trained, and can be typed again


def hyperparameters(space: Space) -> HyperParameters:
    """The space as Keras Tuner declares it. Loads it."""
    from tflbnn.tuning._keras_tuner import keras_tuner

    declared = keras_tuner.HyperParameters()
    for key, tunable in space.tunables.items():
        having = space.networks_with(key)
        parent = {} if having is None else {"parent_name": "network.name", "parent_values": list(having)}
        default = _default(space, key)
        if isinstance(tunable, Choice):
            choices = list(encoded(tunable))
            default = choices[tunable.values.index(default)] if default in tunable.values else choices[0]
            declared.Choice(key, choices, default=default, **parent)
            continue
        inside = isinstance(default, (int, float)) and tunable.low <= default <= tunable.high
        declare = declared.Int if isinstance(tunable.low, int) else declared.Float
        declare(key, tunable.low, tunable.high, sampling="log" if tunable.log else "linear",
                default=default if inside else tunable.low, **parent)  # fmt: skip
    return declared


def _default(space: Space, key: str) -> Any:
    """The recipe's own value of a field, if its network has it."""
    having = space.networks_with(key)
    if having is not None and space.recipe.network.name not in having:
        return None
    return space.recipe.get(key)


def values(space: Space, drawn: Mapping[str, Any]) -> dict[str, Any]:
    """What the recipe's fields become with the values that an oracle drew; fields that its network has not are none."""
    typed = {}
    for key, tunable in space.tunables.items():
        having = space.networks_with(key)
        if having is not None and drawn["network.name"] not in having:
            continue
        value = drawn[key]
        if isinstance(tunable, Choice):
            typed[key] = encoded(tunable)[value]
            continue
        if isinstance(tunable.low, float):
            value = float(f"{value:.{DIGITS}g}")
        # The Gaussian process may draw the very end of a logarithmic range, which rounding carries past it.
        typed[key] = min(max(value, tunable.low), tunable.high)
    return typed


def encoded(tunable: Choice) -> dict[Any, Any]:
    """Choices as Keras Tuner holds them, numbers or words of one type, to their values."""
    kinds = {type(value) for value in tunable.values}
    if kinds in ({int}, {float}, {str}):
        return {value: value for value in tunable.values}
    return {str(value): value for value in tunable.values}


def combinations(space: Space, declared: HyperParameters) -> int:
    """How many trials a grid has, in which a float range counts with its default and ten values spread over it."""
    names = space.tunables.get("network.name")
    total = 0
    for name in names.values if names else (None,):
        having = {hp.name: space.networks_with(hp.name) for hp in declared.space if hp.name != "network.name"}
        total += math.prod(
            len({hp.default, *hp.values})
            for hp in declared.space
            if hp.name in having and (having[hp.name] is None or name in having[hp.name])
        )
    return total

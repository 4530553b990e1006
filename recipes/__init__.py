"""Recipes: the papers' experiments and the demonstration, one file a paper. `recipes.get("digits")` gives one.

Importing a recipe loads neither TensorFlow nor Keras.
"""

from __future__ import annotations

import importlib

from tflbnn.errors import UserError, nearest
from tflbnn.recipes.recipe import Augmentation, Data, Network, Optimizer, Recipe, Schedule
from tflbnn.recipes.tunable import Choice, Range

# The name of a recipe and the file that holds it, under its name with underscores.
_FILES = {
    "digits": "digits",
    "fashion-mnist": "fashion_mnist",
    "cifar10": "binary_densenet",
    "ssd-shapes": "ssd",
}
NAMES = tuple(_FILES)

__all__ = [
    "NAMES",
    "Augmentation",
    "Choice",
    "Data",
    "Network",
    "Optimizer",
    "Range",
    "Recipe",
    "Schedule",
    "get",
    "table",
]


def get(name: str) -> Recipe:
    """The recipe of that name.

    >>> get("digits").network.name
    'binary_densenet'

    Raises:
        UserError: there is none; the message names the nearest.
    """
    if name not in _FILES:
        raise UserError(f"There is no recipe '{name[:80]}'. {nearest(name, NAMES)}")
    module = importlib.import_module(f"tflbnn.recipes.{_FILES[name]}")
    return getattr(module, name.replace("-", "_"))


def table() -> list[dict[str, str]]:
    """One row a recipe, for `tflbnn list recipes`."""
    return [
        {
            "recipe": recipe.name,
            "network": recipe.network.name,
            "data": recipe.data.name,
            "epochs": str(recipe.epochs),
            "what": recipe.summary,
            "paper": recipe.paper,
        }
        for recipe in map(get, NAMES)
    ]

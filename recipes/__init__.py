"""Recipes: the papers' experiments and the demonstration, one file a paper. `recipes.get("digits")` gives one.

Importing a recipe loads neither TensorFlow nor Keras.
"""

from __future__ import annotations

from tflbnn.errors import UserError, nearest
from tflbnn.recipes import benn, binary_densenet, bnn_plus, digits, fashion_mnist, learning_to_train, ssd
from tflbnn.recipes.parts import Augmentation, Data, Execution, Loss, Network, Optimizer, Pretraining, Schedule
from tflbnn.recipes.recipe import Recipe
from tflbnn.recipes.tunable import Choice, Range

# The demonstrations, then a family a paper; each has RECIPES.
FAMILIES = (digits, fashion_mnist, ssd, learning_to_train, binary_densenet, bnn_plus, benn)
_RECIPES = {recipe.name: recipe for family in FAMILIES for recipe in family.RECIPES}
NAMES = tuple(_RECIPES)

__all__ = [
    "NAMES",
    "Augmentation",
    "Choice",
    "Data",
    "Execution",
    "Loss",
    "Network",
    "Optimizer",
    "Pretraining",
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
    if name not in _RECIPES:
        raise UserError(f"There is no recipe '{name[:80]}'. {nearest(name, NAMES)}")
    return _RECIPES[name]


def table() -> list[dict[str, str]]:
    """One row a recipe, for `tflbnn list recipes`."""
    return [
        {
            "recipe": recipe.name,
            "network": recipe.network.name,
            "data": recipe.data.name,
            "epochs": str(recipe.epochs),
            "published": recipe.published or "-",
            "what": recipe.summary,
            "paper": recipe.paper,
        }
        for recipe in map(get, NAMES)
    ]

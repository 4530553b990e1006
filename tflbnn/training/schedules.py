"""The learning rate and lambda of each epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflbnn.recipes import Recipe


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The learning rate of one epoch, counted from 0.

    "constant": the optimizer's. "step": times factor at each milestone passed. "cosine": half a period of a cosine
    from the optimizer's rate in the first epoch towards 0, which the epoch after the last one would have (Loshchilov
    and Hutter, 2017). With a warm-up of n epochs, they have 1, 2, ..., n times 1/(n + 1) of that rate, and a cosine
    begins behind (Goyal et al., 2017).

    >>> from tflbnn.recipes import get
    >>> cifar10 = get("cifar10")
    >>> [learning_rate(cifar10, epoch) for epoch in (0, 124, 125, 138)]
    [0.001, 0.001, 0.0001, 1e-05]
    """
    rate, schedule = recipe.optimizer.learning_rate, recipe.schedule
    warm = round(schedule.warm_up * recipe.epochs)
    if epoch < warm:
        return rate * (epoch + 1) / (warm + 1)
    if schedule.name == "step":
        passed = sum(epoch >= round(milestone * recipe.epochs) for milestone in schedule.milestones)
        return float(f"{rate * schedule.factor**passed:.12g}")  # 0.1 * 0.1 is 0.010000000000000002
    if schedule.name == "cosine":
        return rate * (1 + math.cos(math.pi * (epoch - warm) / (recipe.epochs - warm))) / 2
    return rate


def regularization(recipe: Recipe, epoch: int) -> float:
    """Lambda of R1 and R2 in one epoch, counted from 0: "gradually increase the regularization" (BNN+ 4.3).

    >>> from tflbnn.recipes import get
    >>> recipe = get("digits").override({"epochs": "10", "regularization_rise": "0.4", "regularization": "1e-6"})
    >>> [regularization(recipe, epoch) for epoch in (0, 1, 3, 9)]
    [2.5e-07, 5e-07, 1e-06, 1e-06]
    """
    rising = round(recipe.schedule.regularization_rise * recipe.epochs)
    return recipe.binarization.regularization * min(1.0, (epoch + 1) / max(1, rising))

"""The learning rate of each epoch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflbnn.recipes import Recipe


def learning_rate(recipe: Recipe, epoch: int) -> float:
    """The learning rate of one epoch, counted from 0.

    "constant": the optimizer's. "step": times factor at each milestone passed. "cosine": half a period of a cosine
    from the optimizer's rate in the first epoch towards 0, which the epoch after the last one would have.

    >>> from tflbnn.recipes import get
    >>> cifar10 = get("cifar10")
    >>> [learning_rate(cifar10, epoch) for epoch in (0, 124, 125, 138)]
    [0.001, 0.001, 0.0001, 1e-05]
    """
    rate, schedule = recipe.optimizer.learning_rate, recipe.schedule
    if schedule.name == "step":
        passed = sum(epoch >= round(milestone * recipe.epochs) for milestone in schedule.milestones)
        return float(f"{rate * schedule.factor**passed:.12g}")  # 0.1 * 0.1 is 0.010000000000000002
    if schedule.name == "cosine":
        return rate * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2
    return rate

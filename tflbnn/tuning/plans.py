"""The oracle that a search asks for trials, and how many it will give."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tflbnn.errors import UserError
from tflbnn.tuning.progress import Plan
from tflbnn.tuning.settings import Settings

if TYPE_CHECKING:
    from tflbnn.tuning.oracles import Durable

TRIALS = 10  # of a random or Bayesian search


def plan_of(settings: Settings) -> tuple[Durable, Plan]:
    """Keras Tuner's oracle and what it will do.

    Raises:
        UserError: a space that is too small for Hyperband.
    """
    from tflbnn.tuning import drawn, oracles
    from tflbnn.tuning._keras_tuner import keras_tuner
    from tflbnn.tuning.trial import METRIC

    space, tuner, max_epochs, trials = settings.space, settings.tuner, settings.max_epochs, settings.trials
    size, epochs = space.size(), space.recipe.epochs
    options: dict[str, Any] = {
        "objective": keras_tuner.Objective(METRIC, "max"),
        "hyperparameters": drawn.hyperparameters(space),
        "seed": space.recipe.seed + 2,  # never 0, which means a random one
        "max_consecutive_failed_trials": sys.maxsize,
    }
    if tuner == "hyperband":
        oracle = oracles.Hyperband(max_epochs=max_epochs, **options)
        needed = oracle.configurations_planned()
        if size is not None and size < needed:
            raise UserError(
                f"Hyperband with max_epochs={max_epochs} compares {needed} configurations. "
                f"Received: a space of {size}. Use the grid tuner, give a field a range, or lower max_epochs."
            )
        plan = Plan(oracle.trials_planned(), oracle.epochs_planned(), max_epochs)
    elif tuner == "grid":
        oracle = oracles.GridSearch(max_trials=trials, **options)
        number = min(trials or sys.maxsize, drawn.combinations(space, oracle.hyperparameters))
        plan = Plan(number, number * epochs, epochs)
    else:
        number = min(trials or TRIALS, size or sys.maxsize)
        plan = Plan(number, number * epochs, epochs)
        if tuner == "random":
            oracle = oracles.RandomSearch(max_trials=number, **options)
        elif len(settings.objectives) == 1:
            oracle = oracles.BayesianOptimization(max_trials=number, **options)
        else:
            from tflbnn.tuning.guided import HypervolumeSearch

            oracle = HypervolumeSearch(settings.objectives, settings.constraints, max_trials=number, **options)
    if size is not None:
        # Random draws of a small space repeat; so many in a row leave out a configuration once in a million searches.
        oracle._max_collisions = 20 * size
    return oracle, plan

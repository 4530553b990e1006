"""The recipe of one trial of a search, read from its folder. Loads neither TensorFlow nor Keras Tuner."""

from __future__ import annotations

import os
from pathlib import Path

from tflbnn._files import read_json
from tflbnn.errors import UserError
from tflbnn.recipes.recipe import Recipe
from tflbnn.tuning import drawn
from tflbnn.tuning.settings import FILE, Settings

PROJECT = "trials"


def recipe_of_trial(search: str | os.PathLike[str], trial: int) -> Recipe:
    """What a trial trained, with the epochs of the search's recipe.

    Args:
        search: the folder of a search, finished or not.
        trial: its number in the table, from 1.

    Raises:
        UserError: there is no such search or trial, or its files are damaged.
    """
    folder = Path(search)
    if not (folder / FILE).is_file():
        raise UserError(
            f"A trial is one of a search, whose folder holds {FILE}. Received: {folder}, which does not. "
            "Search with: tflbnn tune RECIPE"
        )
    settings = Settings.read(folder)
    try:
        order = read_json(folder / PROJECT / "oracle.json", "search's state")["start_order"]
        if not 1 <= trial <= len(order):
            raise UserError(
                f"The trials of {folder} are 1 to {len(order)}. Received: {trial}. See {folder / 'trials.csv'}."
            )
        file = folder / PROJECT / f"trial_{order[trial - 1]}" / "trial.json"
        values = read_json(file, "trial")["hyperparameters"]["values"]
        return settings.space.variant(drawn.values(settings.space, values))
    except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"The search's state must be as it was written. Received: {folder}, trial {trial}, which does not load. "
            "Search again in another folder."
        ) from error

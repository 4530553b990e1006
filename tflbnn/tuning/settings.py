"""What decides the trials of a search, and search.json, which holds it. Loads neither TensorFlow nor Keras Tuner."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tflbnn._files import read_json, readable_errors
from tflbnn.errors import UserError, nearest
from tflbnn.recipes import tunable
from tflbnn.recipes.recipe import Recipe
from tflbnn.training.folder import LOCK, difference
from tflbnn.tuning.space import Space

TUNERS = ("hyperband", "random", "bayesian", "grid")
FILE = "search.json"
LARGEST = 100_000


@dataclasses.dataclass(frozen=True)
class Settings:
    """The space, the tuner and how long it searches; see `tflbnn.tuning.search`.

    Raises:
        UserError: an unknown tuner, or a budget that is not its own.

    >>> from tflbnn import recipes
    >>> from tflbnn.tuning import parse_space
    >>> Settings(parse_space(recipes.get("digits"), ["t_clip=0.25..2.0"])).max_epochs
    12
    """

    space: Space
    tuner: str = "hyperband"
    max_epochs: int | None = None
    trials: int | None = None

    def __post_init__(self) -> None:
        tuner, max_epochs, trials = self.tuner, self.max_epochs, self.trials
        if tuner not in TUNERS:
            raise UserError(f"There is no tuner '{str(tuner)[:80]}'. {nearest(str(tuner), TUNERS)}")
        if tuner != "hyperband" and max_epochs is not None:
            raise UserError(
                f"Every trial of the {tuner} tuner trains the recipe's epochs. Received: max_epochs={max_epochs}. "
                "Set epochs and trials instead."
            )
        if tuner == "hyperband" and trials is not None:
            raise UserError(
                f"Hyperband's trials follow from its longest training. Received: trials={trials}. "
                "Set max_epochs instead."
            )
        if tuner == "hyperband" and max_epochs is None:
            max_epochs = max(2, self.space.recipe.epochs)
            object.__setattr__(self, "max_epochs", max_epochs)
        for name, value, least in (("max_epochs", max_epochs, 2), ("trials", trials, 1)):
            if value is not None and (type(value) is not int or not least <= value <= LARGEST):
                raise UserError(f"{name} must be at least {least} and at most {LARGEST}. Received: {str(value)[:80]}.")

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        budget = {"tuner": self.tuner, "max_epochs": self.max_epochs, "trials": self.trials}
        space = {key: values.to_dict() for key, values in self.space.tunables.items()}
        return {**budget, "space": space, "recipe": self.space.recipe.to_dict()}

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """The settings of the search in a folder.

        Raises:
            UserError: there is none, or it is damaged.
        """
        values = read_json(folder / FILE, "search's settings")
        known = {"tuner", "max_epochs", "trials", "space", "recipe"}
        if not isinstance(values, dict) or set(values) != known or not isinstance(values["space"], dict):
            raise UserError(
                f"A search's settings must have {', '.join(sorted(known))}. Received: {folder / FILE}. "
                "Choose another --out and search again."
            )
        recipe = Recipe.from_dict(values.pop("recipe"))
        space = {key: tunable.from_dict(key, value) for key, value in values.pop("space").items()}
        return cls(Space(recipe, space), **values)

    def check(self, folder: Path, resume: bool) -> None:
        """Raises a UserError unless this search may be written into the folder: anew, or as the one that is there."""
        with readable_errors("read the search folder", folder):
            if folder.exists() and not folder.is_dir():
                raise UserError(f"A search folder must be a folder. Received: {folder}, a file. Choose another --out.")
            content = {path.name for path in folder.iterdir()} - {LOCK} if folder.is_dir() else set()
        if FILE not in content:
            if resume:
                raise UserError(f"There is no search to resume in {folder}. Leave --resume out to start one there.")
            # Killed before its first file was complete: temporary files only.
            if any(not name.startswith(".") for name in content):
                raise UserError(f"A new search needs a new or empty folder. Received: {folder}. Choose another --out.")
            return
        if not resume:
            raise UserError(
                f"A new search needs a new or empty folder. Received: {folder}, which holds a search. "
                "Add --resume to continue it, or choose another --out."
            )
        old = Settings.read(folder)
        if old != self:
            raise UserError(
                "A search is resumed with the settings it was started with. "
                f"Received: {difference(old.to_dict(), self.to_dict())}. Leave that out, or choose another --out."
            )

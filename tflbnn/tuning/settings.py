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
from tflbnn.tuning.objectives import Constraint, check_objectives
from tflbnn.tuning.space import Space

TUNERS = ("hyperband", "random", "bayesian", "grid")
FILE = "search.json"
LARGEST = 100_000
# How latencies are told: timed in this process, or by a table.
LATENCIES = ("measured", "predicted")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The space, what is searched for, the tuner and how long it searches; see `tflbnn.tuning.search`.

    Attributes:
        objectives: accuracy, and which costs beside it.
        constraints: what a trial may cost.
        latency: "measured" or "predicted".
        baselines: networks that are not binary are trained beside the trials; None is what the objectives say.

    Raises:
        UserError: an unknown tuner, a budget that is not its own, or an unknown objective.

    >>> from tflbnn import recipes
    >>> from tflbnn.tuning import parse_space
    >>> Settings(parse_space(recipes.get("digits"), ["t_clip=0.25..2.0"])).max_epochs
    12
    """

    space: Space
    tuner: str = "hyperband"
    max_epochs: int | None = None
    trials: int | None = None
    objectives: tuple[str, ...] = ("accuracy",)
    constraints: tuple[Constraint, ...] = ()
    latency: str = "measured"
    baselines: bool | None = None

    def __post_init__(self) -> None:
        tuner, max_epochs, trials = self.tuner, self.max_epochs, self.trials
        object.__setattr__(self, "objectives", check_objectives(self.objectives))
        if self.baselines is None:
            object.__setattr__(self, "baselines", len(self.objectives) > 1)
        if self.latency not in LATENCIES or type(self.baselines) is not bool:
            raise UserError(
                f"Latencies are {' or '.join(LATENCIES)}, and baselines true or false. "
                f"Received: {str(self.latency)[:80]}, {str(self.baselines)[:80]}."
            )
        if tuner == "hyperband" and len(self.objectives) > 1:
            raise UserError(
                "Hyperband continues the most accurate trials, whatever they cost. Received: the objectives "
                f"{','.join(self.objectives)}. Choose --tuner bayesian, random or grid."
            )
        if tuner == "hyperband" and ("members" in self.space.tunables or self.space.recipe.members > 1):
            raise UserError(
                "Hyperband continues what it trained for a few epochs, which ensembles cannot. Received: members. "
                "Choose --tuner bayesian, random or grid."
            )
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

    @property
    def needs_latency(self) -> bool:
        """Whether anything depends on the trials' latencies."""
        return "latency" in (*self.objectives, *(constraint.name for constraint in self.constraints))

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        budget = {"tuner": self.tuner, "max_epochs": self.max_epochs, "trials": self.trials}
        aims = {
            "objectives": list(self.objectives),
            "constraints": {constraint.name: constraint.limit for constraint in self.constraints},
            "latency": self.latency,
            "baselines": self.baselines,
        }
        space = {key: values.to_dict() for key, values in self.space.tunables.items()}
        return {**budget, **aims, "space": space, "recipe": self.space.recipe.to_dict()}

    @classmethod
    def read(cls, folder: Path) -> Settings:
        """The settings of the search in a folder.

        Raises:
            UserError: there is none, or it is damaged.
        """
        return cls.from_dict(read_json(folder / FILE, "search's settings"), str(folder / FILE))

    @classmethod
    def from_dict(cls, values: Any, source: str) -> Settings:
        """The opposite of `to_dict`; `source` says in an error where they come from."""
        known = {field.name for field in dataclasses.fields(cls)} | {"recipe"}
        tables, lists = ("space", "constraints"), ("objectives",)
        if (
            not isinstance(values, dict)
            or set(values) != known
            or not all(isinstance(values[name], dict) for name in tables)
            or not all(isinstance(values[name], list) for name in lists)
        ):
            raise UserError(
                f"A search's settings must have {', '.join(sorted(known))}. Received: {source}. "
                "Choose another --out and search again."
            )
        values = dict(values)
        recipe = Recipe.from_dict(values.pop("recipe"))
        space = {key: tunable.from_dict(key, value) for key, value in values.pop("space").items()}
        constraints = tuple(Constraint(name, limit) for name, limit in values.pop("constraints").items())
        objectives = tuple(values.pop("objectives"))
        return cls(Space(recipe, space), objectives=objectives, constraints=constraints, **values)

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

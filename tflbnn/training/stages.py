"""Training in stages: what is trained before a recipe, and how its weights become the first ones of the next."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tflbnn import recipes
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.recipes import Pretraining, Recipe
from tflbnn.training.run import Run

# Where the stage before has its run folder, inside that of the run it is for.
FOLDER = "pretraining"


def before(recipe: Recipe) -> Recipe | None:
    """The recipe of the stage before, if it is one to be trained.

    A method is this recipe with another binarization, which keeps what the first, the last and the downsampling layers
    are, and without an optimizer of binary kernels, of which such a stage need not have any.

    >>> stage = before(recipes.get("digits").override({"pretraining.method": "htanh", "pretraining.epochs": "2"}))
    >>> stage.binarization.input_quantizer, stage.epochs
    ('htanh', 2)

    Raises:
        UserError: there is no such recipe, or the stages before it never end.
    """
    pretraining, stage = recipe.pretraining, None
    if pretraining.method:
        kept = {field: getattr(recipe.binarization, field) for field in ("first", "last", "downsampling")}
        stage = dataclasses.replace(
            recipe,
            binarization=Binarization.preset(pretraining.method, **kept),
            optimizer=dataclasses.replace(recipe.optimizer, binary="same"),
            pretraining=Pretraining(),
        )
    elif pretraining.recipe:
        stage = recipes.get(pretraining.recipe)
    if stage and pretraining.epochs is not None:
        stage = dataclasses.replace(stage, epochs=pretraining.epochs)
    return stage


def check(recipe: Recipe) -> None:
    """Raises UserError where the stages before a recipe cannot be had: nothing is written yet."""
    names = []
    stage: Recipe | None = recipe
    while stage:
        if stage.pretraining.recipe in names:
            raise UserError(
                f"The stages before a recipe must end. Received: {stage.pretraining.recipe}, which comes before itself."
            )
        names.append(stage.pretraining.recipe or stage.name)
        if stage.pretraining.run:
            Run.open(stage.pretraining.run).require_finished()
        stage = before(stage)


@dataclasses.dataclass(frozen=True)
class Start:
    """What of another network's weights a model starts with: pretraining.json of its run folder.

    Attributes:
        source: the run folder of that network, as seen from this one's if it is inside.
        weights_sha256: of the file they were in.
        matched: how many variables had the same name and shape on both sides.
        new: the model's variables that were not there; they start as they would have.
        unused: those that only the other network has.
        reshaped: those of both, with other shapes.
    """

    source: str
    weights_sha256: str
    matched: int
    new: tuple[str, ...]
    unused: tuple[str, ...]
    reshaped: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON knows it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}


def begin(model: Any, run: Run, source: str) -> Start:
    """Gives a model the weights of a finished run, matched by name and shape; scales start where the weights say.

    Raises:
        UserError: not one of them fits, or the run is not finished, or damaged.
    """
    from tflbnn.scaling import start_scales

    theirs = {variable.name: variable for variable in run.load_model().weights}
    ours = {variable.name: variable for variable in model.weights}
    both = [name for name in ours if name in theirs]
    matched = [name for name in both if ours[name].shape == theirs[name].shape]
    if not matched:
        raise UserError(
            f"Weights to start from must fit somewhere. Received: those of {run.path}, of which none has the name and "
            f"shape of one of {model.name}'s. Start from the same network with another binarization."
        )

    def copy() -> None:
        for name in matched:
            ours[name].assign(theirs[name])

    copy()
    start_scales(model)
    copy()  # again: scales that the other network had trained are not started anew
    return Start(
        source,
        run.metrics["weights_sha256"],
        len(matched),
        new=tuple(name for name in ours if name not in theirs),
        unused=tuple(name for name in theirs if name not in ours),
        reshaped=tuple(name for name in both if name not in matched),
    )


def folder_of(recipe: Recipe, out: Path) -> Path | None:
    """The run folder of the stage before, if there is one."""
    if recipe.pretraining.run:
        return Path(recipe.pretraining.run)
    return out / FOLDER if recipe.pretraining else None

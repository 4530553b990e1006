"""What tflbnn train is asked to train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflbnn.recipes import Recipe


def parse_changes(arguments: list[str]) -> dict[str, str]:
    """The key=value words of a command."""
    from tflbnn.errors import UserError

    values = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or not key:
            raise UserError(f"A change to a recipe is written key=value. Received: {argument}. Write epochs=3.")
        if key in values:
            raise UserError(f"A key can be set once. Received: {key}={values[key]} and {argument}. Leave one out.")
        values[key] = value
    return values


def named(name: str | None, words: list[str], trial: tuple[Path, int] | None) -> tuple[Recipe, dict[str, str]]:
    """The recipe as named, or of a trial, and the changes to it."""
    from tflbnn import recipes
    from tflbnn.errors import UserError

    if trial is None:
        if name is None:
            raise UserError("Training needs a recipe or a trial. Received: neither. See: tflbnn list recipes")
        return recipes.get(name), parse_changes(words)
    from tflbnn.tuning.trials import recipe_of_trial

    if name is not None and "=" in name:  # there is no recipe before the changes
        words, name = [name, *words], None
    recipe = recipe_of_trial(*trial)
    if name not in (None, recipe.name):
        raise UserError(
            f"A trial has the recipe of its search. Received: {name} for a search of {recipe.name}. Leave {name} out."
        )
    return recipe, parse_changes(words)


def choose(
    name: str | None, words: list[str], out: Path | None, resume: bool, trial: tuple[Path, int] | None
) -> Recipe:
    """The recipe as named, or of a trial, and changed; to resume, as the run has it, with the same changes or fewer."""
    from tflbnn.errors import UserError
    from tflbnn.training import Run

    recipe, changes = named(name, words, trial)
    name = recipe.name
    if resume:
        if out is None:
            raise UserError("--resume needs the run folder. Received: no --out. Add --out with the folder of the run.")
        if (out / "recipe.json").is_file():
            recipe = Run.open(out).recipe
            if recipe.name != name:
                raise UserError(
                    f"A run is resumed with the recipe it was started with. Received: {name} for {out}, which is a run "
                    f"of {recipe.name}. Write: tflbnn train {recipe.name} --resume --out {out}"
                )
    return recipe.override(changes)

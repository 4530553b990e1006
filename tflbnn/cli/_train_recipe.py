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


def choose(
    name: str | None, words: list[str], out: Path | None, resume: bool, trial: tuple[Path, int] | None
) -> Recipe:
    """The recipe as named, or of a trial, and changed; to resume, as the run has it, with the same changes or fewer."""
    from tflbnn import recipes
    from tflbnn.errors import UserError
    from tflbnn.training import Run

    if trial is not None:
        from tflbnn.tuning.trials import recipe_of_trial

        if name is not None and "=" in name:  # there is no recipe before the changes
            words, name = [name, *words], None
        recipe = recipe_of_trial(*trial)
        if name not in (None, recipe.name):
            raise UserError(
                f"A trial has the recipe of its search. Received: {name} for a search of {recipe.name}. "
                f"Leave {name} out."
            )
        name = recipe.name
    elif name is None:
        raise UserError("Training needs a recipe or a trial. Received: neither. See: tflbnn list recipes")
    else:
        recipe = recipes.get(name)
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
    return recipe.override(parse_changes(words))

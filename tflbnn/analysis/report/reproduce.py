"""The commands that make a run again."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Any

from tflbnn import recipes
from tflbnn.recipes.overrides import FIXED
from tflbnn.recipes.recipe import Recipe


def commands(recipe: Recipe, folder: Path) -> list[str]:
    """Training, export and report of a run, as typed into a shell.

    >>> recipe = recipes.get("digits").override({"t_clip": "0.5", "layers": "3,3"})
    >>> commands(recipe, Path("runs/a b"))[0]
    "tflbnn train digits network.layers=3,3 binarization.t_clip=0.5 --out 'runs/a b'"
    """
    values = changes(recipe, recipes.get(recipe.name)) if recipe.name in recipes.NAMES else {}
    words = [f"{key}={value}" for key, value in values.items()]
    out = str(folder)
    return [
        shlex.join(command)
        for command in (
            ["tflbnn", "train", recipe.name, *words, "--out", out],
            ["tflbnn", "export", out],
            ["tflbnn", "report", out],
        )
    ]


def changes(recipe: Recipe, base: Recipe) -> dict[str, str]:
    """What to override in `base` to get `recipe`: `base.override(changes(recipe, base))` equals it."""
    changed = {}
    if recipe.network.name != base.network.name:
        changed["network.name"] = recipe.network.name
        base = base.replace("network.name", recipe.network.name)
    for field in dataclasses.fields(Recipe):
        value = getattr(recipe, field.name)
        if field.name == "network":
            parts = [f"network.{knob}" for knob in {**base.network.knobs, **recipe.network.knobs}]
        elif dataclasses.is_dataclass(value):
            parts = [f"{field.name}.{part.name}" for part in dataclasses.fields(value)]
        else:
            parts = [] if field.name in FIXED else [field.name]
        changed.update({key: _text(recipe.get(key)) for key in parts if recipe.get(key) != base.get(key)})
    return changed


def _text(value: Any) -> str:
    """A value as `override` reads it."""
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)

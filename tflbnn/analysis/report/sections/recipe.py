"""Every value that the run was made with."""

from __future__ import annotations

from typing import Any

from tflbnn.analysis.report.blocks import Block, Intro, Pairs
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import cell, flatten

TITLE = "Recipe"


def blocks(facts: Facts) -> list[Block]:
    return [
        Intro("Every value that this run was made with, as written in recipe.json."),
        Pairs(rows(facts.recipe), "Recipe", halves=True),
    ]


def rows(recipe: dict[str, Any]) -> list[tuple[str, str]]:
    """The recipe's fields by their keys on the command line; what a tuner may vary in one row each."""
    flat = flatten({key: value for key, value in recipe.items() if key != "tunable"})
    named = [(key.replace("network.knobs.", "network."), value) for key, value in flat]
    return named + [(f"tunable: {key}", _space(space)) for key, space in (recipe.get("tunable") or {}).items()]


def _space(space: dict[str, Any]) -> str:
    if "choices" in space:
        return cell(space["choices"])
    return f"{cell(space['low'])} to {cell(space['high'])}" + (", logarithmic" if space["log"] else "")

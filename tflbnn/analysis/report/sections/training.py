"""How the training went: curves over the epochs."""

from __future__ import annotations

import math
from typing import Any

from tflbnn.analysis.report import charts
from tflbnn.analysis.report.blocks import Block, Charts, Intro
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import percent
from tflbnn.training.scores import SCORES

TITLE = "Training"

# Title of a chart -> its series and the columns of history.csv that they show.
CURVES = {
    "Loss": {"train": "loss", "validation": "val_loss"},
    "Accuracy": {"train": "accuracy", "validation": "val_accuracy"},
    "Mean average precision": {"validation": "val_map"},
    "Share of the weights that changed sign": {"flipped": "flip_ratio"},
    "Learning rate": {"rate": "learning_rate"},
}


def blocks(facts: Facts) -> list[Block]:
    drawn = (
        charts.line_chart(title, {name: column(facts.history, key) for name, key in columns.items()})
        for title, columns in CURVES.items()
    )
    return [Intro(_intro(facts)), Charts([chart for chart in drawn if chart])]


def column(history: list[dict[str, Any]], name: str) -> list[float]:
    """One column of the history, NaN where it holds no number."""
    values = []
    for row in history:
        try:
            values.append(float(row.get(name)))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            values.append(math.nan)
    return values


def _intro(facts: Facts) -> str:
    if not facts.history:
        return "No epoch has finished: history.csv is empty or missing."
    epochs, planned = len(facts.history), facts.recipe.get("epochs")
    text = f"{epochs} epoch{'s' * (epochs > 1)}"
    if isinstance(planned, int) and planned != epochs:
        text += f" of {planned}"
    for score in SCORES.values():
        values = [value for value in column(facts.history, f"val_{score.name}") if math.isfinite(value)]
        if values:
            return f"{text}. Best validation {score.text} {percent(max(values))}."
    return f"{text}."

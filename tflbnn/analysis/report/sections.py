"""The report's sections: facts in, the values that the template shows out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tflbnn.analysis.report import charts
from tflbnn.analysis.report.facts import Confusion, Facts, Latency
from tflbnn.analysis.report.units import cell, flatten, milliseconds, percent
from tflbnn.analysis.units import short, size
from tflbnn.training.scores import SCORES

LARGEST_TABLE = 20  # classes; more make a table of counts unreadable, so a heat map stands in its place
# Title of a chart -> its series and the columns of history.csv that they show.
CURVES = {
    "Loss": {"train": "loss", "validation": "val_loss"},
    "Accuracy": {"train": "accuracy", "validation": "val_accuracy"},
    "Mean average precision": {"validation": "val_map"},
    "Share of the weights that changed sign": {"flipped": "flip_ratio"},
    "Learning rate": {"rate": "learning_rate"},
}


def training(facts: Facts) -> str:
    if not facts.history:
        return "No epoch has finished: history.csv is empty or missing."
    epochs, planned = len(facts.history), facts.recipe.get("epochs")
    text = f"{epochs} epoch{'s' * (epochs > 1)}"
    if isinstance(planned, int) and planned != epochs:
        text += f" of {planned}"
    for score in SCORES.values():
        values = [value for value in _column(facts.history, f"val_{score.name}") if math.isfinite(value)]
        if values:
            return f"{text}. Best validation {score.text} {percent(max(values))}."
    return f"{text}."


def _column(history: list[dict[str, Any]], name: str) -> list[float]:
    values = []
    for row in history:
        try:
            values.append(float(row.get(name)))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            values.append(math.nan)
    return values


def curves(history: list[dict[str, Any]]) -> list[charts.LineChart]:
    drawn = (
        charts.line_chart(title, {name: _column(history, column) for name, column in columns.items()})
        for title, columns in CURVES.items()
    )
    return [chart for chart in drawn if chart]


def confusion_matrix(confusion: Confusion, names: list[str]) -> dict[str, Any]:
    matrix = confusion.matrix
    labels = [names[i] if i < len(names) else str(i) for i in range(len(matrix))]
    totals, right = matrix.sum(axis=1), matrix.diagonal()
    shares = right / np.maximum(totals, 1)
    accuracies = [percent(float(share)) if total else "–" for share, total in zip(shares, totals, strict=True)]
    view: dict[str, Any] = {
        "intro": f"{confusion.source}: {right.sum():,} of {matrix.sum():,} test images right "
        f"({percent(confusion.accuracy)}). A row for each true class, a column for each prediction.",
        "labels": labels,
        "rows": None,
        "size": len(matrix),
        "worst": None,
        "mistakes": _mistakes(matrix, labels),
    }
    if len(matrix) <= LARGEST_TABLE:
        view["rows"] = [
            {"label": labels[i], "cells": _cells(matrix, i), "accuracy": accuracies[i]} for i in range(len(matrix))
        ]
    else:
        view["heat"] = charts.heat_paths(matrix)
        seen = [i for i in np.argsort(shares, kind="stable").tolist() if totals[i]]
        view["worst"] = [(labels[i], f"{accuracies[i]} ({right[i]:,} of {totals[i]:,})") for i in seen[:5]]
    return view


def _cells(matrix: np.ndarray, row: int) -> list[dict[str, Any]]:
    levels = charts.heat_levels(matrix)[row]
    cells = []
    for column, (count, level) in enumerate(zip(matrix[row].tolist(), levels.tolist(), strict=True)):
        kind = "zero" if not count else "right" if row == column else "wrong"
        strongest = level == charts.HEAT_LEVELS
        shade = f"{level / charts.HEAT_LEVELS:g}" if count else None
        cells.append({"kind": kind + " full" * strongest, "shade": shade, "count": f"{count:,}"})
    return cells


def _mistakes(matrix: np.ndarray, labels: list[str], most: int = 5) -> list[tuple[str, str]]:
    wrong = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = (np.unravel_index(index, wrong.shape) for index in order)
    return [
        (f"{labels[true]} taken for {labels[taken]}", f"{wrong[true, taken]:,}")
        for true, taken in pairs
        if wrong[true, taken]
    ]


def layers(facts: Facts) -> dict[str, Any]:
    counts = facts.counts
    binary, parameters = counts.binary_weights, counts.parameters
    macs = counts.binary_macs + counts.full_precision_macs
    rows = [
        {
            "name": layer.name,
            "type": layer.type,
            "output": " × ".join(str(n) for n in layer.output_shape),
            "input_bits": layer.input_bits or "–",
            "weight_bits": layer.weight_bits or "–",
            "binary": layer.binary_weights > 0,
            **_row_counts(layer),
        }
        for layer in counts.layers
        if layer.parameters or layer.binary_macs or layer.full_precision_macs
    ]
    return {
        "intro": "A binary weight takes 1 bit, any other parameter 32. Operations are multiply-accumulates of one "
        f"image: f = {short(counts.full_precision_macs)} in full precision, b = {short(counts.binary_macs)} binary, "
        f"f + b/32 = {short(counts.operations)}. Layers without parameters and without products are left out.",
        "shares": [
            _share("Parameters", binary, parameters, short),
            _share("Bytes", binary / 8, counts.size_bytes, size),
            _share("Multiply-accumulates", counts.binary_macs, macs, short),
        ],
        "rows": rows,
        "total": {"name": "all layers", **_row_counts(counts)},
    }


def _row_counts(layer: Any) -> dict[str, str]:
    return {
        "parameters": f"{layer.parameters:,}",
        "size": size(layer.size_bytes),
        "full_precision_macs": short(layer.full_precision_macs) if layer.full_precision_macs else "–",
        "binary_macs": short(layer.binary_macs) if layer.binary_macs else "–",
    }


def _share(name: str, part: float, whole: float, unit: Any) -> dict[str, Any]:
    share = part / whole if whole else 0.0
    return {"name": name, "share": share, "text": f"{percent(share)} of {unit(whole)} binary"}


def latency_table(latency: Latency, model_bytes: int) -> dict[str, Any]:
    names = (f"binary, delegate ({latency.kernel})", "float twin, XNNPACK")
    timings = (latency.model, latency.twin)
    longest = max(timing.median_ms for timing in timings)
    threads = f"{latency.threads} thread{'s' * (latency.threads > 1)}"
    return {
        "intro": f"One image, {threads}, stock TensorFlow Lite. Both models ran in turn in one process; "
        f"the binary one is {latency.ratio:.2f} times as fast. The float twin is the same network with every layer in "
        "full precision.",
        "bars": [
            {"name": name, "kind": kind, "share": timing.median_ms / longest, "text": milliseconds(timing.median_ms)}
            for name, kind, timing in zip(names, ("binary", "rest"), timings, strict=True)
        ],
        "rows": [
            {
                "name": name,
                "median": milliseconds(timing.median_ms),
                "p90": milliseconds(timing.p90_ms),
                "best": milliseconds(timing.best_ms),
                "size": size(count),
            }
            for name, timing, count in zip(names, timings, (model_bytes, latency.twin_bytes), strict=True)
        ],
    }


def verification_table(verification: dict[str, Any]) -> dict[str, Any]:
    layers = verification.get("layers")
    layers = [row for row in layers if isinstance(row, dict)] if isinstance(layers, list) else []
    columns = list(dict.fromkeys(key for row in layers for key in row))
    good = verification.get("verified") is True
    outcome = "agrees with the trained Keras model" if good else "does NOT agree with the trained Keras model"
    return {
        "intro": f"The exported model {outcome}; the binary layers were compared bit for bit.",
        "facts": [pair for key, value in verification.items() if key != "layers" for pair in flatten(value, str(key))],
        "columns": [
            {"name": column.replace("_", " "), "number": all(_is_number(row.get(column)) for row in layers)}
            for column in columns
        ],
        "rows": [[cell(row.get(column)) for column in columns] for row in layers],
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def recipe_rows(recipe: dict[str, Any]) -> list[tuple[str, str]]:
    """The recipe's fields by their keys on the command line; what a tuner may vary in one row each."""
    rows = flatten({key: value for key, value in recipe.items() if key != "tunable"})
    named = [(key.replace("network.knobs.", "network."), value) for key, value in rows]
    return named + [(f"tunable: {key}", _space(space)) for key, space in (recipe.get("tunable") or {}).items()]


def _space(space: dict[str, Any]) -> str:
    if "choices" in space:
        return cell(space["choices"])
    return f"{cell(space['low'])} to {cell(space['high'])}" + (", logarithmic" if space["log"] else "")

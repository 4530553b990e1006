"""Which classes are taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflbnn.analysis.report import blocks as block
from tflbnn.analysis.report import charts
from tflbnn.analysis.report.facts import Confusion, Facts
from tflbnn.analysis.report.units import percent

TITLE = "Confusion on the test set"

LARGEST_TABLE = 20  # classes; more make a table of counts unreadable, so a heat map stands in its place


def blocks(facts: Facts) -> list[block.Block]:
    if not facts.confusion:
        return [block.Absent(f"No confusion matrix: {facts.missing}")]
    matrix = facts.confusion.matrix
    intro = (
        f"{facts.confusion.source}: {matrix.trace():,} of {matrix.sum():,} test images right "
        f"({percent(facts.confusion.accuracy)}). A row for each true class, a column for each prediction."
    )
    key = [
        ("right", "right"),
        ("wrong", "wrong"),
        ("", "The stronger the colour, the larger the share of the true class."),
    ]
    return [block.Intro(intro), block.Confusion(_view(facts.confusion, facts.labels)), block.Key(key)]


def _view(confusion: Confusion, names: list[str]) -> dict[str, Any]:
    matrix = confusion.matrix
    labels = [names[i] if i < len(names) else str(i) for i in range(len(matrix))]
    totals, right = matrix.sum(axis=1), matrix.diagonal()
    shares = right / np.maximum(totals, 1)
    accuracies = [percent(float(share)) if total else "–" for share, total in zip(shares, totals, strict=True)]
    view: dict[str, Any] = {
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

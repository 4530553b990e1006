"""The search that a run is the best of: its trials and their Pareto front."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn._files import readable_errors
from tflbnn.analysis.report.blocks import Block, Intro, Plots, Row, Table, columns
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.plots import Axis, Dot, Line, plot
from tflbnn.analysis.report.units import milliseconds, percent
from tflbnn.analysis.units import size
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.analysis.report.collect import Source

TITLE = "The search this run is the best of"

_FIXED = (
    *("trial", "status", "epochs", "val_accuracy", "parameters", "size_bytes", "latency_ms", "seconds"),
    *("continues", "pareto", "reason"),
)


@dataclasses.dataclass(frozen=True)
class Trial:
    """A completed trial: its number, settings as text, validation accuracy, bytes, milliseconds or None, and whether no
    other is better in all of them."""

    number: str
    settings: str
    accuracy: float
    size: float
    latency: float | None
    pareto: bool


def gather(source: Source) -> list[Trial] | None:
    """The trials of the search in the folder above; None where there is none."""
    path = source.run.path.resolve().parent / "trials.csv"
    return read(path) if path.is_file() and (path.parent / "search.json").is_file() else None


def read(path: Path) -> list[Trial]:
    """The completed trials of a search's table.

    Raises:
        UserError: it is no such table.
    """
    with readable_errors("read the trials", path):
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        rows = [row for row in csv.DictReader(text.splitlines()) if row["status"] == "completed"]
        return [
            Trial(
                row["trial"],
                " ".join(f"{key}={value}" for key, value in row.items() if key not in _FIXED and value),
                _finite(row["val_accuracy"]),
                _finite(row["size_bytes"]),
                _finite(row["latency_ms"]) if row.get("latency_ms") else None,
                row["pareto"] == "true",
            )
            for row in rows
        ]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(f"The trials must be a table as tune writes it. Received: {path}, which is not.") from error


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def blocks(facts: Facts) -> list[Block]:
    trials = facts.parts.get("search")
    if not trials:
        return []
    front = [trial for trial in trials if trial.pareto]
    intro = (
        f"{len(trials)} completed trial{'s' * (len(trials) > 1)}, {len(front)} of them on the Pareto front: no other "
        "is better in one objective without being worse in another."
    )
    plots = [_plot(trials, "size", "size when converted, KiB", 1 / 1024)]
    if all(trial.latency is not None for trial in trials):
        plots.append(_plot(trials, "latency", "latency with the delegate, ms", 1.0))
    rows = [
        Row(
            (
                f"trial {trial.number}",
                trial.settings or "–",
                percent(trial.accuracy),
                size(trial.size),
                "–" if trial.latency is None else milliseconds(trial.latency),
            )
        )
        for trial in sorted(front, key=lambda trial: -trial.accuracy)
    ]
    headings = columns(("on the front", "settings", "validation accuracy", "size", "latency"))
    headings[1] = dataclasses.replace(headings[1], align="")
    return [Intro(intro), Plots(plots), Table("Trials on the Pareto front", headings, rows)]


def _plot(trials: list[Trial], cost: str, label: str, unit: float):
    dots = [
        Dot(
            getattr(trial, cost) * unit,
            100 * trial.accuracy,
            f"trial {trial.number}: {percent(trial.accuracy)}, {trial.settings}",
            kind="train" if trial.pareto else "binary",
        )
        for trial in trials
    ]
    best, steps = -math.inf, []
    for trial in sorted(trials, key=lambda trial: (getattr(trial, cost), -trial.accuracy)):
        if trial.accuracy > best:
            x = getattr(trial, cost) * unit
            steps += [(x, 100 * best), (x, 100 * trial.accuracy)] if steps else [(x, 100 * trial.accuracy)]
            best = trial.accuracy
    front = [Line(steps, "the most accurate for the cost", "train")] if len(steps) > 1 else []
    axis = Axis(label, logarithmic=max(dot.x for dot in dots) > 20 * min(dot.x for dot in dots) > 0)
    return plot(f"Accuracy against {cost}", axis, Axis("validation accuracy, %"), dots, front)

"""The trials of a search as rows: the Pareto front, the baselines beside it, trials.csv and front.csv."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

from tflbnn.tuning.objectives import OBJECTIVES

COMPLETED, FAILED = "completed", "failed"


@dataclasses.dataclass(frozen=True)
class Row:
    """One trial.

    Attributes:
        trial: its number, from 1, in the order of the search.
        status: "completed" or "failed".
        values: the value of each searched key of the recipe; a knob that its network has not is left out.
        epochs: the epochs its network has been trained, those of the trial that it continues included.
        val_accuracy: the best epoch's accuracy on the validation split, 0 to 1; of a detector its mAP.
        parameters: of the network.
        size_bytes: of the network when converted: one bit a binary weight, 32 any other.
        latency_ms: of one image on one thread with the delegate, where that was asked for.
        seconds: what the trial took.
        continues: the trial whose network it trained further (Hyperband), or None.
        pareto: no completed trial is as good in all objectives and better in one.
        reason: of a failure, in one line.
    """

    trial: int
    status: str
    values: dict[str, Any]
    epochs: int = 0
    val_accuracy: float | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    latency_ms: float | None = None
    seconds: float | None = None
    continues: int | None = None
    pareto: bool = False
    reason: str | None = None


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A network that is not binary, trained like a trial, to compare a front with.

    Attributes:
        name: what it is.
        val_accuracy, latency_ms: as a trial's; latency on stock TFLite with XNNPACK.
        size_bytes: of its weights: 32 bits, or 8 and their scales.
    """

    name: str
    val_accuracy: float
    size_bytes: int
    latency_ms: float | None


def pareto_front(points: Sequence[tuple[float, ...]]) -> list[bool]:
    """Which of the points (accuracy, cost, ...) no other point beats in one without losing in another.

    >>> pareto_front([(0.97, 14_000), (0.98, 23_000), (0.96, 23_000), (0.97, 14_000)])
    [True, True, False, True]
    """

    def beats(other: tuple[float, ...], point: tuple[float, ...]) -> bool:
        no_worse = other[0] >= point[0] and all(a <= b for a, b in zip(other[1:], point[1:], strict=True))
        return no_worse and other != point

    return [not any(beats(other, point) for other in points) for point in points]


def point(row: Row | Baseline, objectives: Sequence[str]) -> tuple[float, ...]:
    """What a trial or baseline has of each objective."""
    return tuple(getattr(row, OBJECTIVES[name][0]) for name in objectives)


def with_front(rows: Sequence[Row], objectives: Sequence[str] = ("accuracy", "size")) -> tuple[Row, ...]:
    """The rows with `pareto` set; accuracy alone is compared with size, which costs nothing to know."""
    if len(objectives) == 1:
        objectives = ("accuracy", "size")
    completed = [row for row in rows if row.status == COMPLETED]
    front = pareto_front([point(row, objectives) for row in completed])
    members = {row.trial for row, member in zip(completed, front, strict=True) if member}
    return tuple(dataclasses.replace(row, pareto=row.trial in members) for row in rows)


def best(rows: Sequence[Row]) -> Row | None:
    """The most accurate completed trial; of equals the smallest network, then the longest trained, then the first."""
    completed = [row for row in rows if row.status == COMPLETED]
    return min(completed, key=lambda row: (-row.val_accuracy, row.size_bytes, -row.epochs, row.trial), default=None)


def short_keys(keys: Sequence[str]) -> dict[str, str]:
    """Each key's last component where that tells it from the others, else the key.

    >>> short_keys(["network.growth_rate", "binarization.t_clip"])
    {'network.growth_rate': 'growth_rate', 'binarization.t_clip': 't_clip'}
    """
    ends = [key.rpartition(".")[2] for key in keys]
    return {key: end if ends.count(end) == 1 else key for key, end in zip(keys, ends, strict=True)}


def text(value: Any) -> str:
    """A value as a command takes it.

    >>> text((2, 2)), text(0.5)
    ('2,2', '0.5')
    """
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def to_csv(rows: Sequence[Row], keys: Sequence[str]) -> str:
    """One line a trial; what a trial has not is empty."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    fields = [field.name for field in dataclasses.fields(Row) if field.name != "values"]
    place = fields.index("epochs") + 1
    names = short_keys(keys)
    writer.writerow([*fields[:place], *(names[key] for key in keys), *fields[place:]])
    for row in rows:
        cells = [getattr(row, field) for field in fields]
        cells = [str(cell).lower() if isinstance(cell, bool) else cell for cell in cells]
        values = [text(row.values[key]) if key in row.values else "" for key in keys]
        writer.writerow([*cells[:place], *values, *cells[place:]])
    return output.getvalue()


def front_csv(rows: Sequence[Row], baselines: Sequence[Baseline]) -> str:
    """front.csv: every completed trial and every baseline, with what it is, what it costs, and its settings."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(["name", "kind", "pareto", "val_accuracy", "latency_ms", "size_bytes", "settings"])
    for row in rows:
        if row.status == COMPLETED:
            names = short_keys(list(row.values))
            settings = " ".join(f"{names[key]}={text(value)}" for key, value in row.values.items())
            costs = (row.val_accuracy, row.latency_ms, row.size_bytes)
            writer.writerow([f"trial {row.trial}", "trial", str(row.pareto).lower(), *costs, settings])
    for baseline in baselines:
        costs = (baseline.val_accuracy, baseline.latency_ms, baseline.size_bytes)
        writer.writerow([baseline.name, "baseline", "", *costs, ""])
    return output.getvalue()

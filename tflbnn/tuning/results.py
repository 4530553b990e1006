"""The trials of a search as rows: the Pareto front of accuracy against size, and trials.csv."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from typing import Any

COMPLETED, FAILED = "completed", "failed"


@dataclasses.dataclass(frozen=True)
class Row:
    """One trial.

    Attributes:
        trial: its number, from 1, in the order of the search.
        status: "completed" or "failed".
        values: the value of each searched key of the recipe.
        epochs: the epochs its network has been trained, those of the trial that it continues included.
        val_accuracy: the best epoch's accuracy on the validation split, 0 to 1; of a detector its mAP.
        parameters: of the network.
        size_bytes: of the network when converted: one bit a binary weight, 32 any other.
        seconds: what the trial took.
        continues: the trial whose network it trained further (Hyperband), or None.
        pareto: no completed trial is as accurate and smaller, or as small and more accurate.
        reason: of a failure, in one line.
    """

    trial: int
    status: str
    values: dict[str, Any]
    epochs: int = 0
    val_accuracy: float | None = None
    parameters: int | None = None
    size_bytes: int | None = None
    seconds: float | None = None
    continues: int | None = None
    pareto: bool = False
    reason: str | None = None


def pareto_front(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Which of the (accuracy, size) points no other point beats in one without losing in the other.

    >>> pareto_front([(0.97, 14_000), (0.98, 23_000), (0.96, 23_000), (0.97, 14_000)])
    [True, True, False, True]
    """

    def beaten(accuracy: float, size: float) -> bool:
        return any(a >= accuracy and s <= size and (a, s) != (accuracy, size) for a, s in points)

    return [not beaten(accuracy, size) for accuracy, size in points]


def with_front(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with `pareto` set."""
    completed = [row for row in rows if row.status == COMPLETED]
    front = pareto_front([(row.val_accuracy, row.size_bytes) for row in completed])
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


def to_csv(rows: Sequence[Row], keys: Sequence[str]) -> str:
    """One line a trial; what a trial has not is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    fields = [field.name for field in dataclasses.fields(Row) if field.name != "values"]
    place = fields.index("epochs") + 1
    names = short_keys(keys)
    writer.writerow([*fields[:place], *(names[key] for key in keys), *fields[place:]])
    for row in rows:
        cells = [getattr(row, field) for field in fields]
        cells = [str(cell).lower() if isinstance(cell, bool) else cell for cell in cells]
        values = [",".join(map(str, v)) if isinstance(v, tuple) else v for v in (row.values[key] for key in keys)]
        writer.writerow([*cells[:place], *values, *cells[place:]])
    return text.getvalue()

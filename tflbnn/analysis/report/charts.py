"""The geometry of the report's charts. The template draws them, so that every text passes its escaping.

Coordinates are percentages of the plot, y downwards, because the plots stretch with the page and their text does not.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

HEAT_LEVELS = 8


@dataclasses.dataclass(frozen=True)
class Tick:
    """A grid line with its label, `at` percent from the left or from the top."""

    at: float
    label: str


@dataclasses.dataclass(frozen=True)
class Point:
    """One value of a series, with the text shown when the pointer rests on it."""

    x: float
    y: float
    title: str


@dataclasses.dataclass(frozen=True)
class Series:
    """One line: SVG path data, its points, and the place of its label, beside the last finite value. `kind` is its
    colour."""

    name: str
    kind: str
    path: str
    points: tuple[Point, ...]
    last: str
    label_y: float


@dataclasses.dataclass(frozen=True)
class LineChart:
    """A chart of one quantity over the epochs."""

    title: str
    series: tuple[Series, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def tick_values(low: float, high: float, count: int = 5) -> list[float]:
    """Round values, about `count` of them, that enclose [low, high].

    >>> tick_values(0.03, 0.97)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> tick_values(3, 3)
    [3.0, 3.1]
    """
    span = high - low
    largest = max(abs(low), abs(high))
    if span <= largest * 1e-9 or largest < 1e-9:  # one value, to the eye
        span = largest * 0.1 if largest >= 1e-9 else 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / count))
    step = magnitude * next((nice for nice in (1, 2, 2.5, 5) if nice * magnitude >= span / count), 10)
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(index * step, 12) for index in range(first, last + 1)]


def epoch_ticks(epochs: int, count: int = 6) -> list[int]:
    """Whole epochs for the x axis, from the first to the last.

    >>> epoch_ticks(20)
    [1, 5, 10, 15, 20]
    >>> epoch_ticks(1)
    [1]
    """
    if epochs <= count:
        return list(range(1, epochs + 1))
    magnitude = 10 ** max(0, math.floor(math.log10(epochs / count)))
    step = next(nice * magnitude for nice in (1, 2, 5, 10) if nice * magnitude * count >= epochs)
    inner = [epoch for epoch in range(step, epochs, step) if epochs - epoch >= step / 2 and epoch > 1]
    return [1, *inner, epochs]


def line_chart(title: str, columns: dict[str, Sequence[float]], kinds: Sequence[str] | None = None) -> LineChart | None:
    """A chart of `columns` (series name -> one value an epoch; NaN leaves a gap); None without a finite value.

    `kinds` are the colours of the series; their names where left out.
    """
    finite = [value for column in columns.values() for value in column if math.isfinite(value)]
    if not finite:
        return None
    epochs = max(len(column) for column in columns.values())
    values = tick_values(min(finite), max(finite))
    low, high = values[0], values[-1]

    def x(epoch: int) -> float:
        return round(100.0 * (epoch - 1) / (epochs - 1), 3) if epochs > 1 else 50.0

    def y(value: float) -> float:
        return round(100.0 * (high - value) / (high - low), 3)

    series = []
    for (name, column), kind in zip(columns.items(), kinds or columns, strict=True):
        path, pen_down, points = [], False, []
        for epoch, value in enumerate(column, start=1):
            if math.isfinite(value):
                path.append(f"{'L' if pen_down else 'M'}{x(epoch):g} {y(value):g}")
                points.append(Point(x(epoch), y(value), f"epoch {epoch}: {name} {value:.4g}"))
                last = value
            pen_down = math.isfinite(value)
        if points:
            series.append(Series(name, kind, "".join(path), tuple(points), f"{last:.3g}", points[-1].y))
    return LineChart(
        title=title,
        series=_separate_labels(series),
        x_ticks=tuple(Tick(x(epoch), str(epoch)) for epoch in epoch_ticks(epochs)),
        y_ticks=tuple(Tick(y(value), f"{value:g}") for value in values),
    )


def _separate_labels(series: list[Series], apart: float = 17.0) -> tuple[Series, ...]:
    """Moves the labels of lines that end close together apart, keeping their order and the chart's bounds."""
    ordered = sorted(range(len(series)), key=lambda index: series[index].label_y)
    places = [series[index].label_y for index in ordered]
    for _ in range(len(places)):
        for above in range(len(places) - 1):
            overlap = apart - (places[above + 1] - places[above])
            if overlap > 0:
                places[above] -= overlap / 2
                places[above + 1] += overlap / 2
    if places:
        shift = max(0.0, -places[0]) - max(0.0, places[-1] - 100.0)
        places = [place + shift for place in places]
    moved = dict(zip(ordered, places, strict=True))
    return tuple(dataclasses.replace(line, label_y=round(moved[i], 2)) for i, line in enumerate(series))


def heat_levels(matrix: np.ndarray) -> np.ndarray:
    """How strong each cell of a confusion matrix is coloured, 0 (empty) to HEAT_LEVELS (all samples of the row).

    By the root of the cell's share of its row, which lifts the few mistakes of a good model out of the background.

    >>> heat_levels(np.array([[63, 1], [0, 5]])).tolist()
    [[8, 1], [0, 8]]
    """
    totals = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return np.ceil(np.sqrt(matrix / totals) * HEAT_LEVELS).astype(int)


def heat_paths(matrix: np.ndarray) -> list[tuple[str, float, str]]:
    """The matrix as few SVG paths of unit squares, one a level: (kind "right" or "wrong", opacity, path data).

    For as many classes as make a table of counts unreadable; empty cells take no space.
    """
    levels = heat_levels(matrix)
    paths = []
    for kind in ("right", "wrong"):
        of_kind = np.eye(len(matrix), dtype=bool) == (kind == "right")
        for level in range(1, HEAT_LEVELS + 1):
            cells = np.argwhere((levels == level) & of_kind)
            if len(cells):
                data = "".join(f"M{column} {row}h1v1h-1z" for row, column in cells.tolist())
                paths.append((kind, level / HEAT_LEVELS, data))
    return paths

"""The geometry of plots of one quantity over another: rooflines, Pareto fronts. The template draws them.

Coordinates are percentages of the plot, y downwards, as in `charts`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from tflbnn.analysis.report.charts import Tick, tick_values


@dataclasses.dataclass(frozen=True)
class Axis:
    """A quantity, `logarithmic` or not; `low` and `high` are shown at least."""

    label: str
    logarithmic: bool = False
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class Dot:
    """A point by its values; `title` is shown when the pointer rests on it, `label` always, beside it.

    `kind`: "binary", "rest" or "train", which are colours.
    """

    x: float
    y: float
    title: str
    label: str = ""
    kind: str = "binary"


@dataclasses.dataclass(frozen=True)
class Line:
    """A line through points by their values; `kind` as of a dot, dashed where it is "rest"."""

    points: Sequence[tuple[float, float]]
    name: str
    kind: str = "rest"


@dataclasses.dataclass(frozen=True)
class Place:
    """A dot in the plot; its label stands on that side."""

    x: float
    y: float
    dot: Dot
    side: str


@dataclasses.dataclass(frozen=True)
class Plot:
    """A plot in percentages: ticks, dots and SVG path data with (name, kind)."""

    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    places: tuple[Place, ...]
    paths: tuple[tuple[str, Line], ...]


def plot(title: str, x: Axis, y: Axis, dots: Sequence[Dot], lines: Sequence[Line] = ()) -> Plot:
    """Lays out dots and lines; values that are not finite, or not positive on a logarithmic axis, must not be given."""
    points = [(dot.x, dot.y) for dot in dots] + [point for line in lines for point in line.points]
    x_ticks, x_of = _scale(x, [point[0] for point in points])
    y_ticks, y_of = _scale(y, [point[1] for point in points])
    places = []
    for dot in dots:
        left = x_of(dot.x)
        places.append(Place(left, round(100 - y_of(dot.y), 2), dot, "left" if left > 60 else "right"))
    paths = []
    for line in lines:
        steps = [f"{x_of(a):g} {100 - y_of(b):.6g}" for a, b in line.points]
        paths.append(("M" + "L".join(steps), line))
    return Plot(
        title=title,
        x_label=x.label,
        y_label=y.label,
        x_ticks=tuple(Tick(x_of(value), _text(value)) for value in x_ticks),
        y_ticks=tuple(Tick(round(100 - y_of(value), 2), _text(value)) for value in y_ticks),
        places=tuple(places),
        paths=tuple(paths),
    )


def _scale(axis: Axis, values: Sequence[float]):
    """An axis' ticks and the function from its values to percentages."""
    values = [*values, *(bound for bound in (axis.low, axis.high) if bound is not None)] or [0.0, 1.0]
    ticks = decades(min(values), max(values)) if axis.logarithmic else tick_values(min(values), max(values))
    transform = math.log10 if axis.logarithmic else float
    low, high = transform(ticks[0]), transform(ticks[-1])
    return ticks, lambda value: round(100 * (transform(value) - low) / (high - low), 2)


def decades(low: float, high: float) -> list[float]:
    """Powers of ten that enclose [low, high], with 2 and 5 between them where that are few.

    >>> decades(3, 400)
    [1, 10, 100, 1000]
    >>> decades(3, 40)
    [2, 5, 10, 20, 50]
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    if last - first > 2:
        ticks = [10.0**power for power in range(first, last + 1)]
    else:
        every = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
        below = [value for value in every if value <= low * (1 + 1e-9)]
        above = [value for value in every if value >= high * (1 - 1e-9)]
        ticks = [value for value in every if below[-1] <= value <= above[0]]
        if len(ticks) < 2:
            ticks = [ticks[0], every[every.index(ticks[0]) + 1]]
    return [int(value) if value >= 1 else round(value, 9) for value in ticks]


def _text(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"

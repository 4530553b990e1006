"""The chart of accuracy against operations (BDN figure 4), of every network with a published accuracy on ImageNet."""

from __future__ import annotations

import dataclasses
import math

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib.transforms import Bbox

from tflbnn.analysis.units import short

# The families in the order of the legend: colour, and how the papers that they come from begin.
_FAMILIES = {
    "Learning to Train (LTB)": ("#4477aa", ("LTB",)),
    "BNN+": ("#228833", ("BNN+",)),
    "BENN": ("#999933", ("BENN",)),
    "Back to Simplicity (BDN)": ("#cc3311", ("BDN",)),
    "later networks": ("#aa3377", ("",)),
}
# Where a label goes, in points from its marker, with the side that it begins at: the nearest place that is free.
_PLACES = [
    (math.copysign(6, x) + distance * x, distance * y, "left" if x > 0 else "right")
    for distance in range(0, 130, 6)
    for angle in (10, 170, 190, 350, 40, 140, 220, 320, 70, 110, 250, 290)
    for x, y in [(math.cos(math.radians(angle)), math.sin(math.radians(angle)))]
]


def draw(rows: list[dict[str, str]]) -> Figure:
    """The chart of the rows of zoo.csv."""
    figure = Figure(figsize=(11, 7.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda operations, _: short(operations))
    axes.grid(True, which="major", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_xlabel("operations: multiply-accumulates f + b/32 for one image, counted by tflbnn")
    axes.set_ylabel("top-1 accuracy on ImageNet in %, as published")
    axes.set_title("Accuracy (values of the papers, none of ours) against operations", loc="left")
    marked = points(rows)
    for name, (colour, _) in _FAMILIES.items():
        for binary, face in ((True, colour), (False, "white")):
            mine = [point for point in marked if (point.family, point.binary) == (name, binary)]
            x, y = [point.operations for point in mine], [point.accuracy for point in mine]
            axes.scatter(x, y, s=34, color=colour, facecolor=face, zorder=3, label=name if binary else None)
    axes.scatter([], [], s=34, color="#555555", facecolor="white", label="float twin")
    axes.legend(loc="lower right", frameon=True)
    axes.margins(x=0.06, y=0.06)
    figure.canvas.draw()  # from here on the axes stay where they are, which placing the labels needs
    _label(axes, marked)
    return figure


@dataclasses.dataclass(frozen=True)
class Point:
    operations: float
    accuracy: float
    family: str
    binary: bool
    label: str


def points(rows: list[dict[str, str]]) -> list[Point]:
    """One for each network with its settings: the first accuracy that is published of it."""
    found: dict[tuple[str, str], Point] = {}
    for row in rows:
        # The networks of an ablation, which have no name of their own, would hide the others.
        if row["data"] != "ImageNet" or not row["published_top1"] or row["network"] == "binary_densenet":
            continue
        family = next(name for name, (_, begins) in _FAMILIES.items() if row["paper"].startswith(begins))
        binary = "float32" not in row["settings"].split()
        changed = dict(word.split("=") for word in row["settings"].split() if "=" in word)
        words = [f"{changed[key]} {key}" for key in ("stem", "downsampling", "groups") if key in changed]
        label = row["network"] + (f" ({', '.join(words)})" if words else "")
        key = (row["network"], row["settings"])
        found.setdefault(key, Point(float(row["operations"]), float(row["published_top1"]), family, binary, label))
    return list(found.values())


def _label(axes: Axes, points: list[Point]) -> None:
    """Names every point where there is room, those with many neighbours first."""
    renderer = axes.figure.canvas.get_renderer()
    places = axes.transData.transform([(point.operations, point.accuracy) for point in points])
    taken = [Bbox.from_extents(x - 9, y - 9, x + 9, y + 9) for x, y in places]
    taken.append(axes.get_legend().get_window_extent(renderer))
    neighbours = [sum(abs(x - left) < 220 and abs(y - below) < 60 for left, below in places) for x, y in places]
    for point, _ in sorted(zip(points, neighbours, strict=True), key=lambda pair: -pair[1]):
        for offset in _PLACES:
            text = _annotate(axes, point, offset)
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer).padded(1)  # Annotation's own has the line to the point in it
            inside = axes.bbox.count_contains([(box.x0, box.y0), (box.x1, box.y1)]) == 2
            if inside and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:
            raise ValueError(f"there is no room for the name of {point.label}")
        taken.append(box)


def _annotate(axes: Axes, point: Point, offset: tuple[float, float, str]) -> Annotation:
    """The name of a point; with a line to it from farther away."""
    dx, dy, side = offset
    colour = _FAMILIES[point.family][0]
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3}
    return axes.annotate(
        point.label,
        (point.operations, point.accuracy),
        (dx, dy),
        textcoords="offset points",
        ha=side,
        va="center",
        fontsize=7.5,
        color=colour,
        arrowprops=line if max(abs(dx), abs(dy)) > 12 else None,
    )

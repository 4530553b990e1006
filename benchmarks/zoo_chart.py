"""The chart of accuracy against operations (BDN figure 4), of every network with a published accuracy on ImageNet."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

# The families in the order of the legend: colour, and how the papers that they come from begin.
_FAMILIES = {
    "Learning to Train (LTB)": ("#4477aa", ("LTB",)),
    "BNN+": ("#228833", ("BNN+",)),
    "BENN": ("#999933", ("BENN",)),
    "Back to Simplicity (BDN)": ("#cc3311", ("BDN",)),
    "later networks": ("#aa3377", ("",)),
}
# Where a label goes, in points from its marker: the nearest place that is free.
_PLACES = [
    (dx, dy, side)
    for far in (0, 8, 16, 26, 38)
    for dx, dy, side in (
        (6, far, "left"),
        (-6, far, "right"),
        (6, -far, "left"),
        (-6, -far, "right"),
        (0, 9 + far, "center"),
        (0, -9 - far, "center"),
    )
]


def draw(rows: list[dict[str, str]]) -> Figure:
    """The chart of the rows of zoo.csv."""
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.grid(True, which="major", color="#dddddd")
    axes.set_axisbelow(True)
    axes.set_xlabel("operations: multiply-accumulates f + b/32 for one image, counted by tflbnn")
    axes.set_ylabel("top-1 accuracy on ImageNet in %, as published")
    axes.set_title("Accuracy (values of the papers, none of ours) against operations", loc="left")
    points = _points(rows)
    for name, (colour, _) in _FAMILIES.items():
        for binary, face in ((True, colour), (False, "white")):
            mine = [point for point in points if point[2] == name and point[3] == binary]
            x, y = [point[0] for point in mine], [point[1] for point in mine]
            axes.scatter(x, y, s=34, color=colour, facecolor=face, zorder=3, label=name if binary else None)
    axes.scatter([], [], s=34, color="#555555", facecolor="white", label="float twin")
    axes.legend(loc="lower right", frameon=True)
    axes.margins(x=0.06, y=0.06)
    figure.canvas.draw()  # from here on the axes stay where they are, which placing the labels needs
    _label(axes, points)
    return figure


def _points(rows: list[dict[str, str]]) -> list[tuple[float, float, str, bool, str]]:
    """(operations, accuracy, family, binary, label), one a network with its settings: its first published accuracy."""
    points = {}
    for row in rows:
        # The networks of an ablation, which have no name of their own, would hide the others.
        if row["data"] != "ImageNet" or not row["published_top1"] or row["network"] == "binary_densenet":
            continue
        family = next(name for name, (_, begins) in _FAMILIES.items() if row["paper"].startswith(begins))
        binary = "float32" not in row["settings"].split()
        words = [word.rpartition("=")[2] for word in row["settings"].split() if word.startswith(("stem", "groups"))]
        words += [word.replace("=", " ") for word in row["settings"].split() if word.startswith("downsampling")]
        label = row["network"] + (f" ({', '.join(words)})" if words else "")
        key = (row["network"], row["settings"])
        points.setdefault(key, (float(row["operations"]), float(row["published_top1"]), family, binary, label))
    return list(points.values())


def _label(axes: Axes, points: list[tuple[float, float, str, bool, str]]) -> None:
    """Names every point where there is room, those with many neighbours first."""
    renderer = axes.figure.canvas.get_renderer()
    markers = [
        Bbox.from_extents(x - 6, y - 6, x + 6, y + 6) for x, y in axes.transData.transform([p[:2] for p in points])
    ]
    taken = [*markers, axes.get_legend().get_window_extent(renderer)]
    crowd = [sum(abs(a.x0 - b.x0) < 150 and abs(a.y0 - b.y0) < 40 for b in markers) for a in markers]
    for _, (x, y, family, _, label) in sorted(zip(crowd, points, strict=True), key=lambda pair: -pair[0]):
        for dx, dy, side in _PLACES:
            text = _annotate(axes, label, (x, y), (dx, dy), side, _FAMILIES[family][0])
            box = text.get_window_extent(renderer).padded(1)
            inside = axes.bbox.x0 < box.x0 and box.x1 < axes.bbox.x1 and axes.bbox.y0 < box.y0 and box.y1 < axes.bbox.y1
            if inside and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:
            text = _annotate(axes, label, (x, y), (6, 0), "left", _FAMILIES[family][0])
        taken.append(text.get_window_extent(renderer))


def _annotate(
    axes: Axes, label: str, point: tuple[float, float], offset: tuple[float, float], side: str, colour: str
) -> Annotation:
    far = max(map(abs, offset)) > 12
    return axes.annotate(
        label,
        point,
        offset,
        textcoords="offset points",
        ha=side,
        va="center",
        fontsize=7.5,
        color=colour,
        arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3} if far else None,
    )

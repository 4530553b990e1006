"""The picture of a search: accuracy against each cost, a dot a trial, the Pareto front as a line, baselines beside."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from tflbnn._files import atomic_path
from tflbnn.tuning.objectives import OBJECTIVES
from tflbnn.tuning.results import COMPLETED, Baseline, Row, pareto_front, short_keys

MUTED = "#5f6b76"
FRONT = "#c2410c"
BASELINES = {"float32": ("s", "#334155"), "int8": ("D", "#94a3b8")}
# Of each cost: what stands at the axis, and what its values are divided by.
COSTS = {"latency": ("latency (ms, one thread)", 1.0), "size": ("size when converted (kB)", 1000.0)}


def scatter(
    rows: Sequence[Row],
    baselines: Sequence[Baseline],
    objectives: Sequence[str],
    title: str,
    path: str | os.PathLike[str],
    colour_key: str | None,
) -> None:
    """Writes a PNG of the completed trials: validation accuracy in % against every cost, side by side.

    Args:
        objectives: of the search; accuracy alone is drawn against size.
        colour_key: the searched key with numbers that colours the dots, or None.

    Raises:
        UserError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    completed = [row for row in rows if row.status == COMPLETED]
    costs = [name for name in objectives if name != "accuracy"] or ["size"]
    figure = Figure(figsize=(2.5 + 5.5 * len(costs), 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(costs), squeeze=False, sharey=True)[0]
    for axes, cost in zip(panels, costs, strict=True):
        dots = _panel(axes, completed, baselines, cost, colour_key)
    panels[0].set_ylabel("validation accuracy (%)")
    if colour_key:
        figure.colorbar(dots, ax=list(panels), label=short_keys([colour_key])[colour_key])
    # Above the axes, where it covers no trial; the title in a line of its own where both would not fit.
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    panels[-1].legend(
        loc="lower right", bbox_to_anchor=(1.01, 0.995), ncols=3, frameon=False, fontsize=8, columnspacing=1.2
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def _panel(axes: Any, completed: list[Row], baselines: Sequence[Baseline], cost: str, colour_key: str | None) -> Any:
    """The trials against one cost; gives what the colours are of."""
    metric, (label, unit) = OBJECTIVES[cost][0], COSTS[cost]
    beside = [row for row in baselines if getattr(row, metric) is not None]

    def cost_of(row: Row | Baseline) -> float:
        return getattr(row, metric) / unit

    # Trials far below the others, such as those of one epoch, stand at the lower edge and leave the room to the rest.
    accuracies = sorted(100 * row.val_accuracy for row in completed)
    members = pareto_front([(row.val_accuracy, cost_of(row)) for row in completed])
    front = sorted({(cost_of(r), 100 * r.val_accuracy) for r, member in zip(completed, members, strict=True) if member})
    floor = min(front[0][1], max(accuracies[0], 2 * accuracies[len(accuracies) // 2] - accuracies[-1] - 5))
    floor = min([floor, *(100 * row.val_accuracy for row in beside)])
    # A trial that was trained longer has a larger dot; drawn first, it never hides a smaller one.
    longest = max(row.epochs for row in completed)
    drawn = sorted(completed, key=lambda row: -row.epochs)
    numbers = [row.values[colour_key] for row in drawn] if colour_key else []
    dots = None
    for marker, below in (("o", False), ("v", True)):
        part = [row for row in drawn if (100 * row.val_accuracy < floor) == below]
        if not part:
            continue
        coloured: dict[str, Any] = {"color": MUTED}
        if colour_key:
            values = [row.values[colour_key] for row in part]
            coloured = {"c": values, "cmap": "viridis", "vmin": min(numbers), "vmax": max(numbers)}
        dots = axes.scatter(
            [cost_of(row) for row in part],
            [max(floor, 100 * row.val_accuracy) for row in part],
            s=[30 + 110 * row.epochs / longest for row in part],
            marker=marker,
            label="below this axis" if below else None,
            alpha=0.85,
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
            **coloured,
        )
    axes.plot(*zip(*front, strict=True), color=FRONT, linewidth=1.4, drawstyle="steps-post", marker="o",
              markersize=13, markerfacecolor="none", markeredgewidth=1.4, label="Pareto front", zorder=4)  # fmt: skip
    for row in beside:
        marker, colour = BASELINES[row.name.rpartition(", ")[2]]
        x, y = cost_of(row), 100 * row.val_accuracy
        axes.scatter([x], [y], marker=marker, s=48, color=colour, zorder=5)
        above = marker == "s"  # the same network in 8 bits often stands close
        offset, vertical = ((0, 7), "bottom") if above else ((0, -7), "top")
        axes.annotate(row.name, (x, y), xytext=offset, textcoords="offset points", fontsize=7.5, color=MUTED,
                      ha="center", va=vertical)  # fmt: skip
    if beside or cost == "latency":
        axes.set_xscale("log")
    else:
        axes.ticklabel_format(useOffset=False)
    axes.set_xlabel(label)
    axes.margins(0.15 if beside else 0.08)
    axes.grid(color="#e3e6e9", linewidth=0.7, zorder=0, which="both" if beside else "major")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=MUTED, which="both")
    if longest > min(row.epochs for row in completed):
        axes.scatter([], [], s=140, color=MUTED, alpha=0.85, label="larger: more epochs")
    return dots

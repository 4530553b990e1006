"""The picture of a search: accuracy against size, one dot a trial, the Pareto front as a line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tflbnn._files import atomic_path
from tflbnn.tuning.results import COMPLETED, Row, short_keys

MUTED = "#5f6b76"
FRONT = "#c2410c"


def scatter(rows: Sequence[Row], title: str, path: str | os.PathLike[str], colour_key: str | None) -> None:
    """Writes a PNG of the completed trials: validation accuracy in % against size in kB (1000 bytes).

    Args:
        colour_key: the searched key with numbers that colours the dots, or None.

    Raises:
        UserError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    completed = [row for row in rows if row.status == COMPLETED]
    figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    # Trials far below the others, such as those of one epoch, stand at the lower edge and leave the room to the rest.
    accuracies = sorted(100 * row.val_accuracy for row in completed)
    front = sorted({(row.size_bytes / 1000, 100 * row.val_accuracy) for row in completed if row.pareto})
    floor = min(front[0][1], max(accuracies[0], 2 * accuracies[len(accuracies) // 2] - accuracies[-1] - 5))
    # A trial that was trained longer has a larger dot; drawn first, it never hides a smaller one.
    longest = max(row.epochs for row in completed)
    drawn = sorted(completed, key=lambda row: -row.epochs)
    numbers = [row.values[colour_key] for row in drawn] if colour_key else []
    for marker, below in (("o", False), ("v", True)):
        part = [row for row in drawn if (100 * row.val_accuracy < floor) == below]
        if not part:
            continue
        coloured = {"color": MUTED}
        if colour_key:
            values = [row.values[colour_key] for row in part]
            coloured = {"c": values, "cmap": "viridis", "vmin": min(numbers), "vmax": max(numbers)}
        dots = axes.scatter(
            [row.size_bytes / 1000 for row in part],
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
    if colour_key:
        figure.colorbar(dots, ax=axes, label=short_keys([colour_key])[colour_key])
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel("size when converted (kB)")
    axes.set_ylabel("validation accuracy (%)")
    axes.margins(0.08)
    axes.ticklabel_format(useOffset=False)
    axes.grid(color="#e3e6e9", linewidth=0.7, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=MUTED)
    if longest > min(row.epochs for row in completed):
        axes.scatter([], [], s=140, color=MUTED, alpha=0.85, label="larger: more epochs")
    # Above the axes, where it covers no trial.
    axes.legend(loc="lower right", bbox_to_anchor=(1.01, 0.995), ncols=3, frameon=False, fontsize=8, columnspacing=1.2)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)

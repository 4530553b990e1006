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
    # A trial that was trained longer has a larger dot; drawn first, it never hides a smaller one.
    longest = max(row.epochs for row in completed)
    drawn = sorted(completed, key=lambda row: -row.epochs)
    coloured = {"c": [row.values[colour_key] for row in drawn], "cmap": "viridis"} if colour_key else {"color": MUTED}
    dots = axes.scatter(
        [row.size_bytes / 1000 for row in drawn],
        [100 * row.val_accuracy for row in drawn],
        s=[30 + 110 * row.epochs / longest for row in drawn],
        alpha=0.85,
        edgecolors="white",
        linewidths=0.8,
        zorder=3,
        **coloured,
    )
    front = sorted({(row.size_bytes / 1000, 100 * row.val_accuracy) for row in completed if row.pareto})
    axes.plot(*zip(*front, strict=True), color=FRONT, linewidth=1.4, marker="o", markersize=13,
              markerfacecolor="none", markeredgewidth=1.4, label="Pareto front", zorder=4)  # fmt: skip
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
    legend = axes.legend(loc="lower right", frameon=False)
    if len({row.epochs for row in completed}) > 1:
        legend.set_title("larger dot: more epochs", prop={"size": 8})
    with atomic_path(path) as temporary:
        figure.savefig(temporary)

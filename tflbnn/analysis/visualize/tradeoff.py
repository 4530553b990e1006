"""Accuracy against operations (BDN figure 4): of trained runs, or as published of this package's networks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tflbnn import networks
from tflbnn.analysis.units import short
from tflbnn.analysis.visualize import drawing
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.training import Run


@dataclasses.dataclass(frozen=True)
class Point:
    """A network: operations f + b/32 of one image, accuracy in %, and whether its inner layers multiply bits."""

    name: str
    operations: float
    accuracy: float
    binary: bool


def published() -> list[Point]:
    """Every network whose accuracy on ImageNet is published, with the operations that are counted of it here.

    >>> max(published(), key=lambda point: point.accuracy * point.binary).name
    'quicknet_large'
    """
    counted = json.loads((Path(networks.__file__).parent / "zoo.json").read_text(encoding="utf-8"))
    points = []
    for name in networks.NAMES:
        figure = next((figure for figure in networks.figures(name) if figure.is_binary), None)
        if name in counted and figure and figure.data == "ImageNet" and figure.top1 is not None:
            points.append(Point(name, counted[name]["operations"], figure.top1, True))
    return points


def of_run(run: Run) -> Point:
    """A finished run with the accuracy of its test. Loads TensorFlow to count.

    Raises:
        UserError: the run is unfinished, or no classifier.
    """
    from tflbnn.analysis.counts import counts

    run.require_finished()
    if "test_accuracy" not in run.metrics:
        raise UserError(f"Accuracies are compared. Received: {run.path}, which detects objects.")
    recipe = run.recipe
    counted = counts(recipe.network.build(run.input_shape, len(run.labels), recipe.binarization))
    return Point(run.path.name, counted.operations, 100 * run.metrics["test_accuracy"], recipe.binarization.is_binary)


def tradeoff(points: Sequence[Point], what: str) -> drawing.Drawing:
    """BDN figure 4 of these points; `what` says in the caption where they come from."""
    figure = drawing.new(9, 5.4)
    axes = figure.subplots()
    for binary, face in ((True, drawing.COLOURS[0]), (False, "white")):
        part = [point for point in points if point.binary == binary]
        if part:
            axes.scatter(
                [point.operations for point in part],
                [point.accuracy for point in part],
                s=36,
                color=drawing.COLOURS[0],
                facecolor=face,
                zorder=3,
                label="binary" if binary else "more bits",
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda operations, _: short(operations))
    axes.xaxis.set_minor_formatter(lambda operations, _: "")
    axes.margins(0.12, 0.08)
    drawing.graph(axes, "operations of one image, f + b/32", "accuracy (%)")
    if len({point.binary for point in points}) > 1:
        axes.legend(frameon=False, fontsize=8)
    figure.canvas.draw()  # places are in pixels from here on
    taken: list = []
    for point in sorted(points, key=lambda point: -point.accuracy):
        _name(axes, point, taken)
    title = "Accuracy against operations"
    caption = f"""BDN figure 4 of {what}. Operations are multiply-accumulates: f in full precision and b of bits
        count as f + b/32 (BDN 5.2)."""
    return drawing.Drawing.of(figure, "tradeoff", title, caption)


def _name(axes: drawing.Axes, point: Point, taken: list) -> None:
    """Writes a point's name where no other one stands, nearest place first."""
    renderer = axes.figure.canvas.get_renderer()
    places = [(7 * side, 9 * step, side) for step in (0, 1, -1, 2, -2, 3, -3) for side in (1, -1)]
    for dx, dy, side in places:
        text = axes.annotate(
            point.name,
            (point.operations, point.accuracy),
            (dx, dy),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=7,
            color=drawing.MUTED,
        )
        box = text.get_window_extent(renderer)
        inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
        if inside and not any(box.overlaps(other) for other in taken):
            break
        if (dx, dy, side) != places[-1]:
            text.remove()
    taken.append(box)

"""Accuracy against the two training settings of LTB figure 4: t_clip, and what scales the binary weights."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tflbnn.analysis.visualize import drawing
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from tflbnn.training import Run

MODES = {"none": "N", "backward": "B", "both": "FB"}


@dataclasses.dataclass(frozen=True)
class Trained:
    """A training by its settings: t_clip, scaling ("none", "backward", "both"), and its accuracy, 0 to 1."""

    t_clip: float
    scaling: str
    accuracy: float

    @classmethod
    def of(cls, run: Run) -> Trained:
        """Those of a finished run, with the accuracy of its test.

        Raises:
            UserError: it is unfinished, or no classifier.
        """
        run.require_finished()
        if "test_accuracy" not in run.metrics:
            raise UserError(f"A sweep compares accuracies. Received: {run.path}, which detects objects.")
        binarization = run.recipe.binarization
        return cls(binarization.t_clip, binarization.scaling, run.metrics["test_accuracy"])


def sweep(trained: Sequence[Trained], what: str) -> drawing.Drawing:
    """LTB figure 4: (a) accuracy against t_clip, (b) accuracy in the scaling modes N, B and FB. Trainings that differ
    in nothing of this, such as by their seed, are one point: their mean, with bars of a standard deviation.

    Args:
        what: was trained, for the caption.

    Raises:
        UserError: all trainings have the same settings.
    """
    by_clip = _grouped((one.t_clip, one.accuracy) for one in trained if one.scaling == "none")
    modes = {one.scaling for one in trained} & set(MODES)
    clips = {one.t_clip for one in trained if one.scaling in modes - {"none"}}
    by_mode = _grouped(
        (MODES[one.scaling], one.accuracy) for one in trained if one.scaling in MODES and one.t_clip in clips
    )
    panels = [
        (data, label, letter)
        for data, label, letter in ((by_clip, "t_clip", "a"), (by_mode, "scaling of the weights", "b"))
        if len(data) > 1
    ]
    if not panels:
        raise UserError(
            f"A sweep needs trainings with two values of t_clip or scaling. Received: {len(trained)} with one of each."
        )
    figure = drawing.new(4.8 * len(panels), 3.6)
    for axes, (data, label, letter) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        keys = sorted(data) if letter == "a" else [mode for mode in MODES.values() if mode in data]
        means = [100 * statistics.mean(data[key]) for key in keys]
        spreads = [100 * statistics.stdev(data[key]) if len(data[key]) > 1 else 0.0 for key in keys]
        style = {"capsize": 3, "color": drawing.COLOURS[0], "zorder": 3}
        if letter == "a":
            axes.errorbar(keys, means, spreads, marker="o", **style)
            axes.set_xlim(left=0)
        else:
            axes.errorbar(range(len(keys)), means, spreads, marker="o", linestyle="none", **style)
            axes.set_xticks(range(len(keys)), keys)
            axes.set_xlim(-0.5, len(keys) - 0.5)
        drawing.graph(axes, label, "test accuracy (%)", f"({letter})")
    number = max(len(values) for data, _, _ in panels for values in data.values())
    title = "Accuracy against t_clip and scaling"
    caption = f"""LTB figure 4 of {what}: (a) against the half-width of the window in which a sign lets the gradient
        pass; (b) with weights scaled nowhere (N), in the backward pass (B), in both passes (FB). Means of up to
        {number} training(s), bars of a standard deviation. The paper, with ResNet-18 on ImageNet, finds 0.5 to 0.75
        best in (a) and no gain in (b)."""
    return drawing.Drawing.of(figure, "sweep", title, caption)


def _grouped(pairs: Iterable[tuple[object, float]]) -> dict:
    groups: dict[object, list[float]] = {}
    for key, accuracy in pairs:
        groups.setdefault(key, []).append(accuracy)
    return groups
